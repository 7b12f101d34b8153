/* What others may see of a node's sessions; see node.h. */
#include "core/natfw/node_internal.h"

static struct natfw_session_view view_of(const struct natfw_session *session)
{
    bool shows_remembered = session->has_remembered && !session->rule_installed;
    return (struct natfw_session_view){
        .id = session->id,
        .role = session->role,
        .state = session->state,
        .rule = shows_remembered ? session->remembered : session->rule,
        .rule_installed = session->rule_installed,
        .lifetime_s = session->state == NATFW_PENDING ? session->forwarded_lifetime_s
                                                      : session->granted_lifetime_s,
        .expires_ms = session->expires_ms,
        .sequence_number = session->sequence_number,
        .last_answer = session->last_answer,
    };
}

bool natfw_node_session(const struct natfw_node *node, const struct gist_session_id *session_id,
    struct natfw_session_view *view)
{
    const struct natfw_session *session = natfw_session_table_find(&node->sessions, session_id);
    if (session)
        *view = view_of(session);
    return session != NULL;
}

void natfw_node_each_session(const struct natfw_node *node,
    void (*visit)(void *context, const struct natfw_session_view *view), void *context)
{
    const struct natfw_session *session;
    LIST_FOREACH(session, &node->sessions.all, others)
    {
        struct natfw_session_view view = view_of(session);
        visit(context, &view);
    }
}

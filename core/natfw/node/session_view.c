/* What others may see of a node's sessions; see core/natfw/node.h. */
#include "core/natfw/node.h"

#include "core/natfw/session/node_state.h"
#include "core/natfw/session/view.h"

#include <utlist.h>

bool natfw_node_session(const struct natfw_node *node, const struct gist_session_id *session_id,
    struct natfw_session_view *view)
{
    const struct natfw_session *session = natfw_session_table_find(&node->sessions, session_id);
    if (session)
        *view = natfw_session_view_of(session);
    return session != NULL;
}

bool natfw_node_has_answered(const struct natfw_node *node, const struct natfw_event *event)
{
    switch (event->kind) {
    case NATFW_EVENT_REQUESTED:
    case NATFW_EVENT_DISCARDED:
    case NATFW_EVENT_UNSENT:
    case NATFW_EVENT_ROUTE_CHANGED:
        return false;
    case NATFW_EVENT_NOTIFIED:
        return natfw_session_table_find(&node->sessions, &event->session_id) == NULL;
    default:
        return true;
    }
}

void natfw_node_each_session(const struct natfw_node *node,
    void (*visit)(void *context, const struct natfw_session_view *view), void *context)
{
    const struct natfw_session *session;
    DL_FOREACH(node->sessions.all, session) {
        struct natfw_session_view view = natfw_session_view_of(session);
        visit(context, &view);
    }
}

struct natfw_walk {
    struct natfw_node *node;
    struct natfw_session_walk sessions;
};

struct natfw_walk *natfw_node_walk_begin(struct natfw_node *node)
{
    struct natfw_walk *walk = base_allocate(&node->seams.allocator, sizeof(*walk));
    if (!walk)
        return NULL;
    walk->node = node;
    natfw_session_walk_begin(&node->sessions, &walk->sessions);
    return walk;
}

bool natfw_node_walk_on(struct natfw_walk *walk, size_t count,
    void (*visit)(void *context, const struct natfw_session_view *view), void *context)
{
    const struct natfw_session *session;
    while (count-- > 0 && (session = natfw_session_walk_next(&walk->sessions))) {
        struct natfw_session_view view = natfw_session_view_of(session);
        visit(context, &view);
    }
    return walk->sessions.next_session;
}

void natfw_node_walk_end(struct natfw_walk *walk)
{
    natfw_session_walk_end(&walk->node->sessions, &walk->sessions);
    base_release(&walk->node->seams.allocator, walk, sizeof(*walk));
}

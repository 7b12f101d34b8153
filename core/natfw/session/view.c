/* What others may see of a session; see view.h. */
#include "core/natfw/session/view.h"

struct natfw_session_view natfw_session_view_of(const struct natfw_session *session)
{
    bool forwards = session->role == NATFW_FORWARDER;
    return (struct natfw_session_view){
        .id = session->id,
        .role = session->role,
        .state = session->state,
        .rule = forwards ? *natfw_rules_in_force(&session->rules)
                         : *natfw_rules_newest(&session->rules),
        .rule_installed = forwards && natfw_rules_have_current(&session->rules),
        .secure = session->attributes.secure,
        .lifetime_s = session->state == NATFW_PENDING || session->granted_lifetime_s == 0
                          ? session->request.lifetime_s
                          : session->granted_lifetime_s,
        .expires_ms = session->expires_ms,
        .sequence_number = session->request.sequence_number,
        .last_answer = session->last_answer,
    };
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session as JSON; see session_json.h. */
#include "reference-node/control/session_json.h"

#include "reference-node/base/text.h"

const char *session_role_name(enum natfw_role role)
{
    static const char *const names[] = {
        [NATFW_INITIATOR] = "initiator",
        [NATFW_FORWARDER] = "forwarder",
        [NATFW_RESPONDER] = "responder",
    };
    return names[role];
}

const char *session_state_name(enum natfw_session_state state)
{
    static const char *const names[] = {
        [NATFW_PENDING] = "pending",
        [NATFW_ESTABLISHED] = "established",
        [NATFW_TRANSITORY] = "transitory",
        [NATFW_DEAD] = "dead",
    };
    return names[state];
}

const char *session_event_name(enum natfw_event_kind kind)
{
    static const char *const names[] = {
        [NATFW_EVENT_REQUESTED] = "requested",
        [NATFW_EVENT_ESTABLISHED] = "established",
        [NATFW_EVENT_REFRESHED] = "refreshed",
        [NATFW_EVENT_UPDATED] = "updated",
        [NATFW_EVENT_REFUSED] = "refused",
        [NATFW_EVENT_NOTIFIED] = "notified",
        [NATFW_EVENT_DELETED] = "deleted",
        [NATFW_EVENT_EXPIRED] = "expired",
        [NATFW_EVENT_DISCARDED] = "discarded",
        [NATFW_EVENT_UNSENT] = "unsent",
        [NATFW_EVENT_ROUTE_CHANGED] = "route changed",
    };
    return names[kind];
}

json_t *session_code_json(enum natfw_code code)
{
    if (code == NATFW_NO_CODE)
        return json_null();
    return json_pack("{s:i, s:i, s:s}", "class", natfw_class_of(code), "code",
        natfw_number_of(code), "text", text_of_code(code));
}

json_t *session_json(const struct natfw_session_view *view, uint64_t now_ms)
{
    char id[TEXT_SID_SIZE];
    char flow[TEXT_FLOW_SIZE];
    uint64_t left_ms = view->expires_ms > now_ms ? view->expires_ms - now_ms : 0;
    text_of_session_id(&view->id, id);
    text_of_flow(&view->rule.flow, flow);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:b, s:I, s:I, s:I, s:o}", "session", id,
        "role", session_role_name(view->role), "state", session_state_name(view->state), "action",
        view->rule.action == NATFW_DENY ? "deny" : "allow", "flow", flow, "sub_ports",
        view->rule.sub_ports, "rule_installed", view->rule_installed, "secure", view->secure,
        "lifetime_s", (json_int_t)view->lifetime_s, "expires_in_ms", (json_int_t)left_ms,
        "sequence_number", (json_int_t)view->sequence_number, "answer",
        session_code_json(view->last_answer));
}

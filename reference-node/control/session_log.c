/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One log line for each event of a session; see session_log.h. */
#include "reference-node/control/session_log.h"

#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/control/session_json.h"

#include <stdio.h>

static bool is_trouble(enum natfw_event_kind kind)
{
    return kind == NATFW_EVENT_DISCARDED || kind == NATFW_EVENT_UNSENT;
}

void session_log(const struct natfw_event *event)
{
    char id[TEXT_SID_SIZE] = "aggregate"; /* of many sessions, by one message */
    char session[TEXT_FLOW_SIZE + 64] = "";
    char answer[96] = "";
    char object[24] = "";
    const struct natfw_session_view *view = event->session;
    if (!gist_session_id_is_zero(&event->session_id))
        text_of_session_id(&event->session_id, id);
    if (view) {
        char flow[TEXT_FLOW_SIZE];
        text_of_flow(&view->rule.flow, flow);
        snprintf(session, sizeof(session), " role=%s state=%s lifetime=%us flow=\"%s\"",
            session_role_name(view->role), session_state_name(view->state), view->lifetime_s, flow);
    }
    if (event->info.code != NATFW_NO_CODE)
        snprintf(answer, sizeof(answer), " answer=%u/0x%02x \"%s\"",
            natfw_class_of(event->info.code), natfw_number_of(event->info.code),
            text_of_code(event->info.code));
    if (event->info.object_type != 0)
        snprintf(object, sizeof(object), " object=0x%03x", event->info.object_type);
    log_line_about(is_trouble(event->kind) ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
        session_event_name(event->kind), event->peer.version != 0 ? &event->peer : NULL,
        "session %s %s%s%s%s%s%s", id, session_event_name(event->kind), session, answer, object,
        event->why ? " why: " : "", event->why ? event->why : "");
}

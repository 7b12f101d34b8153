/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session as JSON and in words. */
#ifndef NATFWD_SESSION_JSON_H
#define NATFWD_SESSION_JSON_H

#include "core/natfw/node.h"

#include <jansson.h>

const char *session_role_name(enum natfw_role role);
const char *session_state_name(enum natfw_session_state state);
const char *session_event_name(enum natfw_event_kind kind);

json_t *session_json(const struct natfw_session_view *view, uint64_t now_ms);

/* {"class": 7, "code": 4, "text": "..."}; null for NATFW_NO_CODE. */
json_t *session_code_json(enum natfw_code code);

#endif

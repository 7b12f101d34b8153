/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One log line for each event of a session, with its id. */
#ifndef NATFWD_SESSION_LOG_H
#define NATFWD_SESSION_LOG_H

#include "core/natfw/node.h"

void session_log(const struct natfw_event *event);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running node: the core with its seams filled by sockets, timers, kernel and configuration. */
#ifndef NATFWD_DAEMON_H
#define NATFWD_DAEMON_H

#include "reference-node/config/config.h"

#include <event2/event.h>

struct daemon;

/* Brings everything up. Returns NULL after saying on errors what failed and what to do; nothing is
 * left behind then. The configuration must outlive it. */
struct daemon *daemon_create(struct event_base *base, struct config *config, FILE *errors);

/* The orderly stop: sessions end here, and with on_exit = remove the ruleset goes too. */
void daemon_destroy(struct daemon *daemon);

#endif

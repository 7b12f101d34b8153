/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running node: the core with its seams filled by sockets, timers, kernel and configuration. */
#ifndef NATFWD_DAEMON_H
#define NATFWD_DAEMON_H

#include "reference-node/loader.h"

#include <event2/event.h>

struct daemon;

/* Brings everything up. Returns NULL after saying on errors what failed and what to do; what is in
 * the kernel by then stays there: a start that fails leaves nothing open. The load must outlive
 * it. */
struct daemon *daemon_create(struct event_base *base, struct load *load, FILE *errors);

/* Goes on with another configuration, which changes places with that of daemon_create. Returns
 * false after saying on errors what stands against it; then nothing has changed. */
bool daemon_take(struct daemon *daemon, struct load *load, FILE *errors);

/* The orderly stop: sessions end here; the table and its pinholes stay, each until its lifetime
 * ends. */
void daemon_destroy(struct daemon *daemon);

#endif

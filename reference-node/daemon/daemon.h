/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The running node: the core with its seams filled by sockets, timers, kernel and configuration. */
#ifndef NATFWD_DAEMON_H
#define NATFWD_DAEMON_H

#include "reference-node/daemon/loader.h"
#include "reference-node/daemon/owner.h"

#include <event2/event.h>

struct daemon;

/* Brings everything up. Returns NULL after saying on errors what failed and what to do; what is in
 * the kernel by then stays there: a start that fails leaves nothing open. The load must outlive
 * it. */
struct daemon *daemon_create(
    struct event_base *base, struct load *load, const struct daemon_owner *owner, FILE *errors);

/* Goes on with another configuration, which changes places with that of daemon_create. Returns
 * false after saying on errors what stands against it; then nothing has changed. */
bool daemon_take(struct daemon *daemon, struct load *load, FILE *errors);

/* The configuration was taken over or not, for the reason that was said. */
void daemon_reloaded(struct daemon *daemon, uint64_t attempt, bool taken, const char *said);

/* Ends all sessions for good: pinholes close, and all peers are told. */
void daemon_end_sessions(struct daemon *daemon);

/* The orderly stop: sessions end here; the table and its pinholes stay, each until its lifetime
 * ends. */
void daemon_destroy(struct daemon *daemon);

#endif

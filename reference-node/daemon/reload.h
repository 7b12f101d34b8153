/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking a changed configuration over without losing a session, on SIGHUP: the loader reads it, and
 * the daemon takes all of it or, where anything is wrong with it, nothing.
 */
#ifndef NATFWD_RELOAD_H
#define NATFWD_RELOAD_H

#include "reference-node/daemon/daemon.h"

struct reload;

/* How an attempt ended; the attempts are counted from 1. */
struct reload_outcome {
    uint64_t attempt;
    bool is_taken;
    bool is_last; /* none that was asked for meanwhile follows it */
    const char *said;
};
typedef void reload_done(void *context, const struct reload_outcome *outcome);

/* All of them stay the caller's. Returns NULL without memory. */
struct reload *reload_create(struct event_base *base, struct loader *loader, struct daemon *daemon,
    reload_done *done, void *context);
void reload_destroy(struct reload *reload);

/* Begins an attempt; one that is asked for while another runs follows it, for that may have read
 * the file already. Returns the attempt that reads the file as it is now. */
uint64_t reload_begin(struct reload *reload);

#endif

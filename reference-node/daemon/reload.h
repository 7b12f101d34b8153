/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking a changed configuration over without losing a session, on SIGHUP: the loader reads it, and
 * the daemon takes all of it or, where anything is wrong with it, nothing.
 */
#ifndef NATFWD_RELOAD_H
#define NATFWD_RELOAD_H

#include "reference-node/daemon/daemon.h"

struct reload;

/* Called when an attempt ends, well or not, and none follows it, with what was said of it. */
typedef void reload_done(void *context, bool taken, const char *said);

/* All of them stay the caller's. Returns NULL without memory. */
struct reload *reload_create(struct event_base *base, struct loader *loader, struct daemon *daemon,
    reload_done *done, void *context);
void reload_destroy(struct reload *reload);

/* Begins an attempt; one that is asked for while another runs follows it. */
void reload_begin(struct reload *reload);

#endif

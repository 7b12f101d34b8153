/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Keeps our table as we put it, where the kernel does not: what others change is noticed at once
 * and put back, with every pinhole that lives.
 */
#ifndef NATFWD_GUARD_H
#define NATFWD_GUARD_H

#include "reference-node/netfilter/data_plane.h"
#include "reference-node/netfilter/pinholes.h"

#include <event2/event.h>

struct guard;

/* Both stay the caller's. Returns NULL with errno set. */
struct guard *guard_create(
    struct event_base *base, struct data_plane *plane, struct pinholes *pinholes);
void guard_destroy(struct guard *guard);

#endif

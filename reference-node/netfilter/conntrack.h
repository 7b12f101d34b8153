/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the kernel's connection tracking entries of a flow away once its rule has gone.
 *
 * This is hygiene: every packet is checked against the pinhole sets, so an entry alone lets nothing
 * pass. So it can take its time: by tuple where the rule names one, some each turn of the loop,
 * else by a walk over the table for all open rules, which is a dump that is read on a little each
 * turn.
 */
#ifndef NATFWD_CONNTRACK_H
#define NATFWD_CONNTRACK_H

#include "reference-node/netfilter/packet_filter.h"

#include <event2/event.h>

enum {
    CONNTRACK_ENTRIES_PER_TURN = 256, /* looked at; and what the kernel hands over at once */
    CONNTRACK_TUPLES_PER_TURN = 128,
    CONNTRACK_FLOWS_PER_WALK = 1024,
    CONNTRACK_WAITING_MAX = 65536 /* flows */
};

struct conntrack;

/* Returns NULL with errno set. */
struct conntrack *conntrack_create(void);
void conntrack_destroy(struct conntrack *conntrack);

/* From now on the work is done by this loop. Returns false without memory. */
bool conntrack_attach(struct conntrack *conntrack, struct event_base *base);

/* Has the entries of each flow deleted: soon, or, without a loop, before it returns. Returns false
 * with errno set when there are too many to remember. */
bool conntrack_forget(
    struct conntrack *conntrack, const struct conntrack_flow *flows, size_t count);

struct conntrack_counters {
    uint64_t waiting; /* flows whose entries are not all gone yet */
    uint64_t walks;
    uint64_t entries; /* looked at */
    uint64_t deleted; /* entries that the kernel was asked to delete */
    uint64_t failures;
    uint64_t entries_per_turn_max;
};
struct conntrack_counters conntrack_counters(const struct conntrack *conntrack);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Takes the kernel's connection tracking entries of a flow away once its rule has gone.
 *
 * This is hygiene: every packet is checked against the pinhole sets, so an entry alone lets nothing
 * pass. By tuple where the rule names one, else by one walk over the table for all open rules.
 */
#ifndef NATFWD_CONNTRACK_H
#define NATFWD_CONNTRACK_H

#include "reference-node/netfilter/packet_filter.h"

struct conntrack;

/* Returns NULL with errno set. */
struct conntrack *conntrack_create(void);
void conntrack_destroy(struct conntrack *conntrack);

/* Deletes the entries of each flow. Returns false with errno set when the kernel refused. */
bool conntrack_forget(
    struct conntrack *conntrack, const struct conntrack_flow *flows, size_t count);

#endif

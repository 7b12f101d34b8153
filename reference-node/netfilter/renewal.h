/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table made anew while sessions live: it and their pinholes come in one transaction, as far as
 * one takes them, so that no packet finds the one without the other.
 */
#ifndef NATFWD_RENEWAL_H
#define NATFWD_RENEWAL_H

#include "reference-node/netfilter/data_plane.h"
#include "reference-node/netfilter/pinholes.h"

/* Counts the pinholes. Returns false with errno set when the table is as it was. */
bool renewal_run(struct data_plane *plane, const struct nft_ruleset *ruleset,
    struct pinholes *pinholes, size_t *count);

#endif

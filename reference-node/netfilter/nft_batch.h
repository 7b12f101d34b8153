/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Changes of nftables set elements, gathered into one transaction.
 *
 * A transaction is all or nothing in the kernel. When it fails, the changes at fault are known from
 * their errors; the rest is sent again without them, so that one bad change takes no other down.
 */
#ifndef NATFWD_NFT_BATCH_H
#define NATFWD_NFT_BATCH_H

#include "reference-node/netfilter/packet_filter.h"

/* How an element that is there gets a new timeout. */
enum nft_refresh {
    NFT_REFRESH_IN_PLACE, /* add it again: Linux 6.12 and later */
    NFT_REFRESH_REPLACE   /* add, delete, add: works on every kernel */
};

struct nft_batch;

/* Works on sets of this table of family inet. Returns NULL with errno set. */
struct nft_batch *nft_batch_create(const char *table, enum nft_refresh refresh);
void nft_batch_destroy(struct nft_batch *batch);

/* Commits the changes, and gives each its result. Returns when the kernel has answered. */
void nft_batch_commit(struct nft_batch *batch, struct nft_change *changes, size_t count);

/* Finds out whether this kernel refreshes in place, with an element of the given set that no
 * packet can match, and uses what it found. Returns false with errno set when the set itself
 * cannot be used. */
bool nft_batch_probe_refresh(struct nft_batch *batch, const char *set, size_t key_length);

enum nft_refresh nft_batch_refresh(const struct nft_batch *batch);

/* Deletes the table with all that is in it. Returns 0 or an errno value. */
int nft_batch_delete_table(struct nft_batch *batch);

#endif

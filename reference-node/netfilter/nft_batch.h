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

enum { NFT_TRANSACTION_SIZE = 1 << 19 }; /* octets; 256 changes take at most 400,000 */

struct nft_batch;
struct nft_socket;

/* Works on sets of this table of family inet, by a socket of the caller. Returns NULL with errno
 * set. */
struct nft_batch *nft_batch_create(
    struct nft_socket *socket, const char *table, enum nft_refresh refresh);
void nft_batch_destroy(struct nft_batch *batch);

/* Commits the changes, and gives each its result. Returns when the kernel has answered; where an
 * answer was lost, it has been asked what is in. */
void nft_batch_commit(struct nft_batch *batch, struct nft_change *changes, size_t count);

/* What comes before the next changes in one transaction with them: it is in with them, or not at
 * all. put writes it and returns false when the transaction is full. */
struct nft_lead {
    void *context;
    bool (*put)(void *context);
};
void nft_batch_lead(struct nft_batch *batch, const struct nft_lead *lead);
/* From now on changes are alone again. Returns whether the lead has gone in. */
bool nft_batch_end_lead(struct nft_batch *batch);

/* Adds what the element has counted. Returns false when it is not there. */
bool nft_batch_count(
    struct nft_batch *batch, const struct nft_change *element, struct nft_traffic *traffic);

/* Finds out whether this kernel refreshes in place, with an element of the given set that no
 * packet can match, and uses what it found. Returns false with errno set when the set itself
 * cannot be used. */
bool nft_batch_probe_refresh(struct nft_batch *batch, const char *set, size_t key_length);

enum nft_refresh nft_batch_refresh(const struct nft_batch *batch);

#endif

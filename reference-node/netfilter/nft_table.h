/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table that stays: it is put in the kernel by one transaction and never taken out by a stop.
 *
 * Where the kernel can (Linux 6.9), the table belongs to our socket, and nobody else can change or
 * flush it; when we end it stays, ownerless, and the next natfwd takes it over. Elsewhere it is
 * anybody's, and whoever runs it has to watch (nft_watch.h).
 */
#ifndef NATFWD_NFT_TABLE_H
#define NATFWD_NFT_TABLE_H

#include "reference-node/config/config.h"
#include "reference-node/netfilter/nft_ruleset.h"

#include <stdio.h>

struct nft_table;

/* The socket stays the caller's. Returns NULL without memory. */
struct nft_table *nft_table_create(
    struct nft_socket *socket, const char *name, enum config_ownership ownership);
void nft_table_destroy(struct nft_table *table);

enum nft_put {
    NFT_PUT_KEEPING, /* elements that were there are there still */
    NFT_PUT_ANEW,    /* all sets are empty */
    NFT_PUT_FAILED   /* what was there is there still; errno tells */
};

/* Brings the kernel to this ruleset in one transaction: packets see the one before or this one.
 * Fails with EPERM where a living process owns the table. */
enum nft_put nft_table_put(struct nft_table *table, const struct nft_ruleset *ruleset);
/* The same where elements stay; fails with ENOTEMPTY where they could not. */
bool nft_table_put_keeping(struct nft_table *table, const struct nft_ruleset *ruleset);

/* Writes a table that is made anew, whatever is there, into the socket's transaction, which more
 * may follow. To be used once the table was put. False when the transaction is full. */
bool nft_table_write(struct nft_table *table, const struct nft_ruleset *ruleset);

/* Whether the table is ours alone, after it was put. */
bool nft_table_is_owned(const struct nft_table *table);

/* Takes the table out, with all that is in it. Returns 0 or an errno value; ENOENT: there was
 * none. */
int nft_table_delete(struct nft_table *table);

#endif

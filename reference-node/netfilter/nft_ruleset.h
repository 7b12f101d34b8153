/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A table's sets, chains and rules as netlink messages, ready to be sent. nft(8) makes them of the
 * ruleset's text (nft_compiler.h); from there they are read and kept. What a socket sends belongs
 * to it, which what nft sends would not; and no nft is needed later.
 */
#ifndef NATFWD_NFT_RULESET_H
#define NATFWD_NFT_RULESET_H

#include "reference-node/netfilter/nft_socket.h"

struct nft_ruleset {
    uint8_t *messages; /* one after another, with sequence numbers of 0 */
    size_t length;     /* octets */
};

/* Reads what the kernel has of a table of family inet, to make it again by another name or its own,
 * but not the elements of sets that change. Returns 0 or an errno value; ENOENT: there is none, and
 * the ruleset is empty. */
int nft_ruleset_read(
    struct nft_socket *socket, const char *table, const char *made_as, struct nft_ruleset *ruleset);
void nft_ruleset_free(struct nft_ruleset *ruleset);

/* The first message, or the one after another; NULL at the end. */
const struct nlmsghdr *nft_ruleset_next(
    const struct nft_ruleset *ruleset, const struct nlmsghdr *previous);

/* The name of the chain or the named set that the message makes; NULL of any other. */
const char *nft_ruleset_chain(const struct nlmsghdr *message);
const char *nft_ruleset_set(const struct nlmsghdr *message);

/* The message that makes this named set; NULL when there is none. */
const struct nlmsghdr *nft_ruleset_find_set(const struct nft_ruleset *ruleset, const char *name);

/* Whether both have the same definition for each named set of the wanted one. */
bool nft_ruleset_keeps_sets(const struct nft_ruleset *there, const struct nft_ruleset *wanted);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What pinholes ask of a packet filter: elements of its sets, each with a timeout, and to forget
 * the connections of what has gone. The kernel's nftables is one, a model of it another.
 */
#ifndef NATFWD_PACKET_FILTER_H
#define NATFWD_PACKET_FILTER_H

#include "core/natfw/policy_rule.h"

enum { NFT_KEY_MAX = 24 }; /* octets; five fields of a concatenation take 20 */

enum nft_change_kind {
    NFT_CHANGE_PUT,   /* in, closing after timeout_ms, whether it is there or not */
    NFT_CHANGE_DELETE /* out, whether it is there or not */
};

struct nft_change {
    enum nft_change_kind kind;
    const char *set;
    uint8_t key[NFT_KEY_MAX]; /* fields in network order, each padded to 4 octets */
    size_t key_length;
    uint64_t timeout_ms; /* above 0: an element without a timeout would stay for ever */
    const char *comment; /* shown by nft; NULL for none */
    int error;           /* result: 0, or an errno value */
};

/* ports counts on from the flow's destination port, 1 or 2. */
struct conntrack_flow {
    struct gist_mri flow;
    uint8_t ports;
};

/* What has passed by an element, or was stopped by it. */
struct nft_traffic {
    uint64_t packets;
    uint64_t octets;
};

struct packet_filter {
    void *context;
    /* Commits the changes, and gives each its result. Returns when they are in. */
    void (*commit)(void *context, struct nft_change *changes, size_t count);
    /* Ends what is remembered of the flows' connections. Returns false with errno set when that
     * failed. */
    bool (*forget)(void *context, const struct conntrack_flow *flows, size_t count);
    /* Adds what an element, named by set and key, has counted. Returns false where that is not
     * known. NULL: nothing is counted. */
    bool (*count)(void *context, const struct nft_change *element, struct nft_traffic *traffic);
};

#endif

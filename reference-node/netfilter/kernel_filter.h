/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The kernel as the packet filter of pinholes: nftables' sets, and connection tracking. */
#ifndef NATFWD_KERNEL_FILTER_H
#define NATFWD_KERNEL_FILTER_H

#include "reference-node/netfilter/conntrack.h"
#include "reference-node/netfilter/nft_batch.h"

/* Both stay the caller's; without conntrack, connections stay until they time out. */
struct kernel_filter {
    struct nft_batch *batch;
    struct conntrack *conntrack;
};

struct packet_filter kernel_filter_seam(struct kernel_filter *kernel);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* nftables and connection tracking behind one seam; see kernel_filter.h. */
#include "reference-node/netfilter/kernel_filter.h"

static void commit(void *context, struct nft_change *changes, size_t count)
{
    struct kernel_filter *kernel = context;
    nft_batch_commit(kernel->batch, changes, count);
}

static bool forget(void *context, const struct conntrack_flow *flows, size_t count)
{
    struct kernel_filter *kernel = context;
    return !kernel->conntrack || conntrack_forget(kernel->conntrack, flows, count);
}

static bool count(void *context, const struct nft_change *element, struct nft_traffic *traffic)
{
    struct kernel_filter *kernel = context;
    return nft_batch_count(kernel->batch, element, traffic);
}

struct packet_filter kernel_filter_seam(struct kernel_filter *kernel)
{
    return (struct packet_filter){
        .context = kernel, .commit = commit, .forget = forget, .count = count};
}

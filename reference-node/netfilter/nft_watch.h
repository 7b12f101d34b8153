/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hears from nf_tables what others do to our table. */
#ifndef NATFWD_NFT_WATCH_H
#define NATFWD_NFT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct nft_watch;

enum { NFT_WATCH_NAME_MAX = 32 };

/* Who made a change, as the kernel tells. */
struct nft_culprit {
    uint32_t process; /* 0: the kernel's notices were too many to be told */
    char name[NFT_WATCH_NAME_MAX];
};

/* Changes through the socket with this netlink port are ours. Returns NULL with errno set. */
struct nft_watch *nft_watch_open(const char *table, uint32_t own_port);
void nft_watch_close(struct nft_watch *watch);

/* Readable when there is something to hear. */
int nft_watch_descriptor(const struct nft_watch *watch);

/* Hears what has come. Returns true when somebody else has changed the table since the last call,
 * or may have. */
bool nft_watch_hear(struct nft_watch *watch, struct nft_culprit *culprit);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The elements of a set that the kernel lists, one after another. */
#ifndef NATFWD_NFT_ELEMENTS_H
#define NATFWD_NFT_ELEMENTS_H

#include <libnftnl/set.h>
#include <stdbool.h>

struct nlmsghdr;

/* Visits those of one message of the list, until visit returns false. Returns false then, and where
 * the message cannot be read. */
bool nft_elements_visit(const struct nlmsghdr *header,
    bool (*visit)(void *context, struct nftnl_set_elem *element), void *context);

#endif

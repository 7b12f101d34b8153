/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elements out of a message of the kernel; see nft_elements.h. */
#include "reference-node/netfilter/nft_elements.h"

bool nft_elements_visit(const struct nlmsghdr *header,
    bool (*visit)(void *context, struct nftnl_set_elem *element), void *context)
{
    struct nftnl_set *set = nftnl_set_alloc();
    struct nftnl_set_elems_iter *iterator = NULL;
    if (set && nftnl_set_elems_nlmsg_parse(header, set) == 0)
        iterator = nftnl_set_elems_iter_create(set);
    bool goes_on = iterator;
    struct nftnl_set_elem *element;
    while (goes_on && (element = nftnl_set_elems_iter_next(iterator)))
        goes_on = visit(context, element);
    if (iterator)
        nftnl_set_elems_iter_destroy(iterator);
    nftnl_set_free(set);
    return goes_on;
}

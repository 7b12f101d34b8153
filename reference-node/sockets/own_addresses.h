/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which of many sockets are bound to an address that this host has no more. Most of them share a
 * few addresses: the answers for these are kept while one looks. */
#ifndef NATFWD_OWN_ADDRESSES_H
#define NATFWD_OWN_ADDRESSES_H

#include "core/gist/address.h"

#include <stdbool.h>
#include <stddef.h>

enum { OWN_ADDRESSES_KEPT = 8 };

struct own_addresses {
    bool (*is_local)(void *context, const struct gist_address *address);
    void *context;
    struct gist_address address[OWN_ADDRESSES_KEPT];
    bool is_own[OWN_ADDRESSES_KEPT];
    size_t count;
};

/* Whether the socket's own address is one of the host. True for one that has none. */
bool own_addresses_hold(struct own_addresses *own, int descriptor);

#endif

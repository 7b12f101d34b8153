/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets and the addresses of this host; see own_addresses.h. */
#include "reference-node/sockets/own_addresses.h"

#include <netinet/in.h>
#include <sys/socket.h>

static bool is_own(struct own_addresses *own, const struct gist_address *address)
{
    for (size_t i = 0; i < own->count && i < OWN_ADDRESSES_KEPT; i++)
        if (gist_address_equal(&own->address[i], address))
            return own->is_own[i];
    size_t place = own->count++ % OWN_ADDRESSES_KEPT;
    own->address[place] = *address;
    own->is_own[place] = own->is_local(own->context, address);
    return own->is_own[place];
}

bool own_addresses_hold(struct own_addresses *own, int descriptor)
{
    struct sockaddr_in bound = {0};
    socklen_t length = sizeof(bound);
    if (getsockname(descriptor, (struct sockaddr *)&bound, &length) < 0 ||
        bound.sin_addr.s_addr == 0)
        return true;
    struct gist_address address = gist_address_v4(ntohl(bound.sin_addr.s_addr));
    return is_own(own, &address);
}

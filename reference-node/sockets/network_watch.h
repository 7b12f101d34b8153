/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hears from rtnetlink what changes around this node: links, addresses, routes and rules, of IPv4
 * and IPv6. */
#ifndef NATFWD_NETWORK_WATCH_H
#define NATFWD_NETWORK_WATCH_H

#include "core/gist/address.h"

#include <stdbool.h>
#include <stdint.h>

struct network_watch;

/* How many notices came of each; were_lost: there were more than could be told, of any. */
struct network_notices {
    uint64_t links;
    uint64_t addresses;
    uint64_t routes;
    uint64_t rules;
    bool were_lost;
};

struct network_address {
    struct gist_address address;
    uint8_t prefix_bits;
    uint32_t interface;
    bool is_there;     /* else it has just gone */
    bool is_permanent; /* else whoever gave it renews it now and then */
    bool is_global;    /* else it is of no use beyond its link */
};

struct network_watch_listener {
    void *context;
    void (*address)(void *context, const struct network_address *address);
};

/* Returns NULL with errno set. */
struct network_watch *network_watch_open(const struct network_watch_listener *listener);
void network_watch_close(struct network_watch *watch);

/* Readable when there is something to hear. */
int network_watch_descriptor(const struct network_watch *watch);

/* Hears what has come, or a part of it where that is much. */
struct network_notices network_watch_hear(struct network_watch *watch);

#endif

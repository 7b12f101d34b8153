/*
 * What one may have of what there is for all: each host, each network and each interface its share,
 * and strangers together no more than half, so that peers that are known find room whatever
 * strangers do. RFC 5971 8.4 leaves to a node how it keeps itself from being overloaded.
 */
#ifndef NATFW_GIST_SHARE_H
#define NATFW_GIST_SHARE_H

#include "core/base/share.h"
#include "core/gist/address.h"

/* 0: no limit. */
struct gist_share_limits {
    uint64_t stranger; /* one host; a network has four times as much */
    uint64_t known;    /* one host that is known */
    uint64_t known_network;
    uint64_t interface;
    uint64_t strangers;
    uint64_t all;
};

/* Of what is kept, so much in all; one host has half of it at the most, a stranger a quarter. */
struct gist_share_limits gist_share_limits_of(uint64_t all, uint64_t stranger, uint64_t known);

/* In whose name a share is taken. */
struct gist_share_holder {
    struct gist_address address;
    uint32_t interface;
    bool known;
};

/* Whom an address stands for: a host (of IPv6 a /64), and its network (/24, of IPv6 /48), which has
 * what so many hosts have. */
enum { GIST_SHARE_HOSTS_IN_NETWORK = 4 };
struct gist_address gist_share_host(const struct gist_address *address);
struct gist_address gist_share_network(const struct gist_address *address);

enum gist_share_answer {
    GIST_SHARE_TAKEN,
    GIST_SHARE_USED_UP, /* by this host, or its network */
    GIST_SHARE_CROWDED  /* by others too */
};

/* What is shared: kept until it is given back, or, where the limits are so much a second, coming
 * back with time. */
struct gist_share {
    struct base_shares *shares; /* of nothing else, whose names would count here too */
    struct gist_share_limits limits;
};

/* For base_shares_open, where limits are so much a second. */
enum { GIST_SHARE_RATE_PER_MS = 1000 };

/* Takes nothing unless the whole amount is within every limit. */
enum gist_share_answer gist_share_take(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, uint64_t amount);
/* For what is kept, with what was given to gist_share_take. */
void gist_share_give_back(const struct gist_share *share, uint64_t now_ms,
    const struct gist_share_holder *holder, uint64_t amount);

#endif

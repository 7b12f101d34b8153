/*
 * A network in memory and in virtual time: nodes of the real core, wired together below their
 * transport seam. For unit tests of core/gist and core/natfw, and for the simulator.
 *
 * A place is a host or router: addresses, routes, and maybe a GIST node. Datagrams take latency_ms
 * for each hop; Q-mode datagrams are intercepted by every place on the way that intercepts; streams
 * are in order and lose nothing. Everything follows from the seed.
 */
#ifndef NATFW_GIST_TESTS_NETWORK_H
#define NATFW_GIST_TESTS_NETWORK_H

#include "core/gist/node.h"

enum { NETWORK_ADDRESSES_MAX = 16, NETWORK_ROUTES_MAX = 32 };

struct network;
struct network_place;

/* A datagram on its way, for those who watch or spoil. */
struct network_datagram {
    struct network_place *from;
    struct network_place *to; /* NULL before it is known where it is intercepted */
    struct gist_endpoint source;
    struct gist_endpoint destination;
    bool q_mode;
    uint8_t ip_ttl;
    uint8_t *payload; /* may be changed */
    size_t length;
};

/* Octets that one end of a stream has written. */
struct network_segment {
    struct network_place *from;
    struct network_place *to;
    uint8_t *octets; /* may be changed */
    size_t length;
    bool secure; /* TLS would hide them */
};

struct network_place {
    struct network *network;
    unsigned number; /* from 0, in the order of making */
    struct gist_address addresses[NETWORK_ADDRESSES_MAX];
    size_t address_count;
    struct {
        struct gist_address prefix;
        uint8_t prefix_bits;
        struct network_place *next;
        uint32_t interface;         /* of this place */
        struct gist_address source; /* own address on it */
    } routes[NETWORK_ROUTES_MAX];
    size_t route_count;
    bool intercepts;        /* Q-mode datagrams that pass by */
    bool refuses;           /* inbound connections */
    struct gist_node *node; /* set by the user, who also destroys it */
    void *user;
    /* Of who is at the other end of a secure stream; NULL: everybody may. */
    bool (*authorises)(
        struct network_place *place, const struct gist_address *peer, const struct gist_mri *mri);
    uint64_t deadline_ms;
    /* What it runs besides the GIST node's timers: called with each deadline that it asked for. */
    uint64_t user_deadline_ms;
    void (*user_tick)(struct network_place *place, uint64_t now_ms);
};

#define NETWORK_START_MS (UINT64_C(1) << 40) /* far from zero, as clocks are */

struct network_options {
    uint64_t seed;
    uint32_t latency_ms;    /* of one hop */
    unsigned loss_permille; /* of datagrams */
    /* Both may be NULL; return true to drop. */
    bool (*on_datagram)(void *context, struct network_datagram *datagram);
    bool (*on_segment)(void *context, struct network_segment *segment);
    void *context;
};

/* What the counting allocator has seen. */
struct network_memory {
    size_t allocations;   /* so far */
    size_t outstanding;   /* blocks */
    size_t octets;        /* outstanding */
    size_t fail_at;       /* the allocation that fails, from 1; 0: none */
    bool fail_from_then;  /* and all later ones */
    size_t wrong_lengths; /* releases that named another length */
};

struct network *network_create(const struct network_options *options);
/* Releases the network and its places; the nodes are the user's. */
void network_destroy(struct network *network);

struct network_options *network_options(struct network *network);
struct network_memory *network_memory(struct network *network);
uint64_t network_now_ms(const struct network *network);

struct network_place *network_add(struct network *network);
struct network_place *network_place_at(struct network *network, const struct gist_address *address);
void network_give_address(struct network_place *place, struct gist_address address);
/* Packets for the prefix leave place by this interface, with this source, towards next. */
void network_give_route(struct network_place *place, struct gist_address prefix,
    uint8_t prefix_bits, struct network_place *next, uint32_t interface,
    struct gist_address source);

/* The seams of a node at this place; the application's is left for the user to fill in. */
struct gist_seams network_seams(struct network_place *place);

/* Hands a datagram to a place as if it had come from the network, at once. */
void network_inject(struct network_place *place, const struct gist_arrival *arrival,
    const uint8_t *payload, size_t length);

/* Writes to the stream that place has under this id, as if its node had. */
bool network_write(
    struct network_place *place, gist_association_id id, const uint8_t *octets, size_t length);
/* Breaks all streams of a place, as a lost network would. */
void network_break_streams(struct network_place *place);
/* The number of streams that are open at a place. */
size_t network_streams(struct network_place *place);
/* The place opens a connection of its own to an endpoint, not knowing GIST. Returns the id by which
 * the place can write to it, or 0. What comes back is dropped, but on_segment sees it. */
gist_association_id network_connect(
    struct network_place *place, const struct gist_endpoint *endpoint);

/* Runs everything that happens up to this time. Returns the number of events. */
size_t network_run_until(struct network *network, uint64_t time_ms);
size_t network_run_for(struct network *network, uint64_t duration_ms);

#endif

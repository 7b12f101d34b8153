/* What the files of the in-memory network share; see network.h. */
#ifndef NATFW_GIST_TESTS_NETWORK_INTERNAL_H
#define NATFW_GIST_TESTS_NETWORK_INTERNAL_H

#include "core/gist/tests/network.h"

struct stream {
    struct stream *next;
    struct {
        struct network_place *place;
        gist_association_id id; /* 0: not there yet, or gone */
        bool foreign;           /* opened by network_connect: no node behind it */
    } ends[2];                  /* the opener's is the first */
    struct gist_endpoint target;
    enum gist_stack stack;
};

enum event_kind { EVENT_DATAGRAM, EVENT_OPEN, EVENT_CONNECTED, EVENT_SEGMENT, EVENT_CLOSED };

struct event {
    uint64_t time_ms;
    uint64_t sequence;
    enum event_kind kind;
    struct network_place *place; /* where it happens */
    struct gist_arrival arrival; /* of a datagram */
    struct stream *stream;
    unsigned end; /* of the stream, where it happens */
    size_t length;
    uint8_t octets[];
};

struct network {
    struct network_options options;
    struct network_memory memory;
    uint64_t now_ms;
    uint64_t sequence;
    uint64_t random;
    struct network_place **places;
    size_t place_count;
    struct event **events; /* a binary heap */
    size_t event_count;
    size_t event_capacity;
    struct stream *streams;
    gist_association_id last_foreign;
};

/* Makes an event after so many hops' latency; octets may be NULL. */
struct event *network_schedule(struct network *network, struct network_place *place,
    enum event_kind kind, unsigned hops, const uint8_t *octets, size_t length);
uint64_t network_random(struct network *network);

bool network_is_at(const struct network_place *place, const struct gist_address *address);
/* The index of the route towards an address, or -1. */
int network_find_route(const struct network_place *place, const struct gist_address *address);

/* What happens at a place; in network_datagrams.c and network_streams.c. */
void network_arrive(struct event *event);
void network_stream_event(struct event *event);
void network_streams_release(struct network *network);

struct gist_transport network_transport(struct network_place *place);
void network_datagram_functions(struct gist_transport *transport);
void network_stream_functions(struct gist_transport *transport);

#endif

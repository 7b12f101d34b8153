/* What a node consists of: shared by the files of core/natfw, and by nobody else. */
#ifndef NATFW_NATFW_NODE_STATE_H
#define NATFW_NATFW_NODE_STATE_H

#include "core/gist/message/object.h"
#include "core/natfw/message/message.h"
#include "core/natfw/node.h"
#include "core/natfw/session/known_peers.h"
#include "core/natfw/session/session_table.h"

/* The longest NSLP-Data object: 4095 words. RFC 5971 A.2. */
enum { NATFW_PAYLOAD_MAX = 4095 * 4 };
_Static_assert(NATFW_PAYLOAD_MAX == (int)GIST_OBJECT_VALUE_MAX, "what GIST takes at the most");

/* A request inside a Query that is to be refused; piggyback.c. */
struct natfw_piggybacked {
    struct gist_session_id session_id;
    uint32_t sequence_number;
    bool is_due;
};

/* More would only be kept for those who never finish a handshake. */
enum { NATFW_PIGGYBACKED_MAX = 32 };

/* All sessions are looked at for whether their route has changed, some a turn. */
struct natfw_route_walk {
    struct natfw_session_walk sessions;
    bool is_underway;
    bool starts_over; /* then: routes have changed again meanwhile */
    uint64_t due_ms;  /* its next turn */
};

struct natfw_node {
    struct natfw_node_config config;
    struct natfw_seams seams;
    struct gist_node *gist;
    struct gist_transport transport;
    struct natfw_session_table sessions;
    struct natfw_known_peers known_peers;
    struct base_shares shares;       /* of sessions */
    struct base_table owners;        /* of rules */
    struct natfw_session_view ended; /* the last one, until the observer is told of it */
    struct natfw_counters counters;
    struct natfw_route_walk route_walk;
    struct natfw_piggybacked piggybacked[NATFW_PIGGYBACKED_MAX];
    size_t piggybacked_next;
    uint8_t scratch[NATFW_PAYLOAD_MAX]; /* the message being built */
};

#endif

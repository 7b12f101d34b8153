/* What a node consists of: shared by the files of core/gist, and by nobody else. */
#ifndef NATFW_GIST_NODE_STATE_H
#define NATFW_GIST_NODE_STATE_H

#include "core/base/table.h"
#include "core/base/timer.h"
#include "core/base/token_bucket.h"
#include "core/gist/message/message.h"
#include "core/gist/node.h"
#include "core/gist/share.h"
#include "core/gist/state/cookie.h"
#include "core/gist/state/message_queue.h"

enum {
    GIST_D_MODE_MTU = 576,      /* octets, where no other is known, 4.3.3 */
    GIST_D_MODE_ALLOWANCE = 64, /* for what encapsulates a message */
    GIST_D_MODE_LENGTH_MAX = GIST_D_MODE_MTU - GIST_D_MODE_ALLOWANCE,
    GIST_SCRATCH_LENGTH = 40000,     /* holds the longest message that this node builds */
    GIST_QUERY_TTL = 64,             /* IP TTL of downstream Queries */
    GIST_QUERY_HOPS = 32,            /* GIST hop count where the application leaves it to us */
    GIST_DIRECT_HOPS = 1,            /* of what is addressed to the peer itself */
    GIST_CONNECT_TIMEOUT_MS = 30000, /* 5.7.1 */
    GIST_INACTIVE_MS = 120000,       /* Inactive_QNode unless the application sets it */
};

/* Two objects can be as long as objects get: NSLP-Data, and a NAT-Traversal that is sent back. The
 * others are short. */
_Static_assert(GIST_SCRATCH_LENGTH >= GIST_MAGIC_LENGTH + GIST_COMMON_HEADER_LENGTH +
                                          2 * (GIST_OBJECT_HEADER_LENGTH + GIST_OBJECT_VALUE_MAX) +
                                          4096,
    "the scratch holds the longest message");

/* Of what a peer has its share; node_share.h. Those a second come first. */
enum gist_share_of {
    GIST_SHARE_OF_QUERIES,  /* a second */
    GIST_SHARE_OF_ERRORS,   /* sent as datagrams; as many */
    GIST_SHARE_OF_MESSAGES, /* a second: what associations bring, and what is for the application */
    GIST_SHARE_OF_ANSWERS,  /* a second: those of a peer that this node has turned to */
    GIST_SHARE_OF_ROUTING_STATES,
    GIST_SHARE_OF_ASSOCIATIONS,
    GIST_SHARE_OF_STREAM_OCTETS, /* of messages that are not complete yet */
    GIST_SHARE_OF_QUEUED_OCTETS, /* of messages that wait on behalf of others */
    GIST_SHARE_KINDS
};

struct gist_routing_state;
struct gist_association;

struct gist_node {
    struct gist_node_config config;
    struct base_allocator allocator;
    struct base_crypto crypto;
    struct gist_transport transport;
    struct gist_application application;
    struct gist_counters counters;
    uint64_t now_ms;
    uint64_t deadline_ms; /* what the transport was last told */
    unsigned depth;       /* of calls from outside; nothing is freed before it is 0 again */
    struct base_timers timers;
    struct base_table routing_states;
    struct base_table peers;
    struct base_table peers_by_handle;
    struct base_table associations;
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    struct base_shares shares[GIST_SHARE_KINDS]; /* node_share.h */
    struct gist_association *all_associations;
    struct gist_association *inbound; /* those that peers have opened, the oldest first */
    struct gist_cookie_secrets secrets;
    struct base_token_bucket bucket;
    struct gist_queue_store queued;      /* what all queues hold together */
    struct gist_message_queue held_back; /* datagrams that wait for the bucket */
    struct gist_message_queue held_queries;
    struct base_timer hold_back;
    gist_association_id last_association;
    gist_sii_handle last_handle;
    struct gist_routing_state *dead_routing_states;
    struct gist_association *dead_associations;
    uint8_t scratch[GIST_SCRATCH_LENGTH]; /* a message between build and transport */
};

/* A message as it came in, with all that the encapsulation tells of it. */
struct gist_reception {
    const uint8_t *octets; /* without the magic number */
    size_t length;
    struct gist_message message; /* hop_count is decremented already */
    uint8_t received_hop_count;
    const struct gist_arrival *arrival;   /* D-mode; else NULL */
    struct gist_association *association; /* C-mode; else NULL */
};

#endif

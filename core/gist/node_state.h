/* What a node consists of: shared by the files of core/gist, and by nobody else. */
#ifndef NATFW_GIST_NODE_STATE_H
#define NATFW_GIST_NODE_STATE_H

#include "core/gist/cookie.h"
#include "core/gist/message.h"
#include "core/gist/message_queue.h"
#include "core/gist/node.h"
#include "core/gist/peer.h"
#include "core/gist/table.h"
#include "core/gist/timer.h"
#include "core/gist/token_bucket.h"

#define GIST_CONTAINER(pointer, type, member)                                                      \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

enum {
    GIST_D_MODE_LENGTH_MAX = 576 - 64, /* octets of a message, 4.3.3 */
    GIST_SCRATCH_LENGTH = 40000,       /* holds the longest message that this node builds */
    GIST_QUERY_TTL = 64,               /* IP TTL of downstream Queries */
    GIST_QUERY_HOPS = 32,              /* GIST hop count where the application leaves it to us */
    GIST_DIRECT_HOPS = 1,              /* of what is addressed to the peer itself */
    GIST_CONNECT_TIMEOUT_MS = 30000,   /* 5.7.1 */
    GIST_INACTIVE_MS = 120000,         /* Inactive_QNode unless the application sets it */
};

struct gist_routing_state;
struct gist_association;

struct gist_node {
    struct gist_node_config config;
    struct gist_allocator allocator;
    struct gist_crypto crypto;
    struct gist_transport transport;
    struct gist_application application;
    struct gist_counters counters;
    uint64_t now_ms;
    uint64_t deadline_ms; /* what the transport was last told */
    unsigned depth;       /* of calls from outside; nothing is freed before it is 0 again */
    struct gist_timers timers;
    struct gist_table routing_states;
    struct gist_table peers;
    struct gist_table peers_by_handle;
    struct gist_table associations;
    uint8_t hash_key[GIST_HASH_KEY_LENGTH];
    struct gist_cookie_secrets secrets;
    struct gist_token_bucket bucket;
    struct gist_message_queue held_back; /* datagrams that wait for the bucket */
    struct gist_timer hold_back;
    size_t queued_octets;
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

void *gist_allocate(struct gist_node *node, size_t length);
void gist_release(struct gist_node *node, void *memory, size_t length);

/* Every call from outside goes between these two. */
void gist_node_enter(struct gist_node *node, uint64_t now_ms);
void gist_node_leave(struct gist_node *node);

/* A random moment between half and three quarters of a validity time from now. 4.4.4, 4.4.5. */
uint64_t gist_refresh_moment(struct gist_node *node, uint64_t validity_ms);

/* How long our routing state is valid: longer when many states share the rate limit. 4.4.4. */
uint32_t gist_node_validity_ms(const struct gist_node *node);

void gist_notify(struct gist_node *node, const struct gist_routing_state *state,
    enum gist_notification notification);
void gist_report_status(
    struct gist_node *node, gist_message_handle handle, enum gist_message_status status);

#endif

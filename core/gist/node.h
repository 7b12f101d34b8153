/*
 * A GIST node: Node-SM of RFC 5971 6.1, and the owner of routing state and associations.
 *
 * The node does no I/O: what arrives is handed to it here, what leaves goes through the transport
 * seam. It keeps no state for a Query before a valid Confirm (8.5).
 */
#ifndef NATFW_GIST_NODE_H
#define NATFW_GIST_NODE_H

#include "core/base/allocator.h"
#include "core/base/crypto.h"
#include "core/gist/service.h"
#include "core/gist/transport.h"

enum {
    GIST_PEER_IDENTITY_MAX = 64, /* octets */
    GIST_QUERY_ATTEMPTS_MAX = 8  /* Queries of one handshake whose cookies are kept */
};

struct gist_node_config {
    uint16_t nslp_id; /* the one signalling application hosted: 33 for NATFW */
    uint16_t router_alert_v4;
    uint16_t router_alert_v6;
    uint8_t peer_identity[GIST_PEER_IDENTITY_MAX];
    size_t peer_identity_length;
    uint16_t udp_port;         /* where normal D-mode is received: the source port of Queries */
    uint16_t association_port; /* where Forwards-TCP is accepted; 0: associations not offered */
    uint32_t routing_state_validity_ms; /* default 30000, 4.4.4 */
    uint32_t association_hold_ms;       /* default 30000, 4.4.5 */
    uint32_t query_timer_ms;            /* T1, default 500, 5.3.3 */
    uint32_t query_timer_max_ms;        /* T2, default 64 * T1 */
    uint8_t query_attempts_max;         /* Queries of one handshake, default 6 */
    uint32_t datagrams_per_second;      /* rate limit of what we send, 5.3.3; 0: none */
    uint32_t datagram_burst;
    uint32_t cookie_rollover_ms; /* default 30000, 8.5 */
    bool flow_source_address;    /* Q-mode with S=0 first; ruling A104 asks for S=1 where the
                                    flow source is our own */
    bool ingress_filter;        /* Queries must come in where their flow can, 5.8.1.2; default on */
    bool answer_invalid_cookie; /* default off: it makes backscatter, 8.5 */
    size_t routing_states_max;
    size_t associations_max;
    size_t queued_octets_max; /* messages that wait for a peer */
};

struct gist_node_config gist_node_config_default(void);

struct gist_counters {
    uint64_t datagrams_received;
    uint64_t messages_parsed;
    uint64_t messages_rejected;
    uint64_t errors_sent;
    uint64_t errors_received;
    uint64_t queries_sent;
    uint64_t queries_forwarded;
    uint64_t routing_states;
    uint64_t associations;
    uint64_t datagrams_dropped; /* by the rate limit */
};

struct gist_seams {
    struct base_allocator allocator;
    struct base_crypto crypto;
    struct gist_transport transport;
    struct gist_application application;
};

/* Returns NULL without memory or randomness. The seams are copied. */
struct gist_node *gist_node_create(
    const struct gist_node_config *config, const struct gist_seams *seams, uint64_t now_ms);
/* Closes the associations and releases everything; reports nothing. */
void gist_node_destroy(struct gist_node *node);

/* A UDP payload, magic number included. Any octets are allowed. */
void gist_node_receive_datagram(struct gist_node *node, uint64_t now_ms,
    const struct gist_arrival *arrival, const uint8_t *payload, size_t length);

/* An inbound connection. Returns its id, or 0 when it is refused and the caller closes it. */
gist_association_id gist_node_association_accepted(struct gist_node *node, uint64_t now_ms,
    const struct gist_endpoint *peer, const struct gist_endpoint *local, uint32_t interface);
void gist_node_association_connected(
    struct gist_node *node, uint64_t now_ms, gist_association_id id, uint32_t interface);
/* Any octets of the stream, in any portions. */
void gist_node_association_received(struct gist_node *node, uint64_t now_ms, gist_association_id id,
    const uint8_t *octets, size_t length);
/* The connection failed, or the peer ended it. The id is no longer used. */
void gist_node_association_closed(struct gist_node *node, uint64_t now_ms, gist_association_id id);

/* Runs every timer that is due. */
void gist_node_tick(struct gist_node *node, uint64_t now_ms);

struct gist_counters gist_node_counters(const struct gist_node *node);

#endif

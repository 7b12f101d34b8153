/*
 * A GIST node: Node-SM of RFC 5971 6.1, and the owner of routing state and associations.
 *
 * The node does no I/O: what arrives is handed to it here, what leaves goes through the transport
 * seam. It keeps no state for a Query before a valid Confirm (8.5).
 *
 * All functions are called from one thread, with a time in milliseconds of a clock that never goes
 * back; an earlier time than the last counts as the last. Those of this header must not be called
 * from within a seam; those of core/gist/service.h may be, from within the application's.
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

_Static_assert(GIST_PEER_IDENTITY_MAX <= 255, "its length is one octet, A.3.3");

/* Values out of range are taken as the nearest in it. Times of 0 are reserved on the wire. */
struct gist_node_config {
    uint16_t nslp_id; /* the one signalling application hosted: 33 for NATFW */
    uint16_t router_alert_v4;
    uint16_t router_alert_v6;
    uint8_t peer_identity[GIST_PEER_IDENTITY_MAX];
    size_t peer_identity_length; /* octets, up to GIST_PEER_IDENTITY_MAX */
    uint16_t udp_port;           /* where normal D-mode is received: the source port of Queries */
    uint16_t association_port;   /* where Forwards-TCP alone is accepted; 0: it is not offered */
    uint16_t secure_association_port;   /* where TLS over it is; 0: it is not offered */
    bool opens_plain;                   /* Forwards-TCP alone; default on */
    bool opens_secure;                  /* TLS over it, which comes before; default off */
    uint32_t routing_state_validity_ms; /* default 30000, 1 or more, 4.4.4 */
    uint32_t association_hold_ms;       /* default 30000, 1 or more, 4.4.5 */
    uint32_t query_timer_ms;            /* T1, default 500, 1 or more, 5.3.3 */
    uint32_t query_timer_max_ms;        /* T2, default 64 * T1, T1 or more */
    uint8_t query_attempts_max;         /* Queries of one handshake, default 6, 1 to
                                           GIST_QUERY_ATTEMPTS_MAX, which 0 means too */
    uint32_t datagrams_per_second;      /* rate limit of what we send, 5.3.3; 0: none */
    uint32_t datagram_burst;
    uint32_t cookie_rollover_ms; /* default 30000, 8.5 */
    bool flow_source_address;    /* Q-mode with S=0 first; ruling A104 asks for S=1 where the
                                    flow source is our own */
    bool ingress_filter;        /* Queries must come in where their flow can, 5.8.1.2; default on */
    bool answer_invalid_cookie; /* default off: it makes backscatter, 8.5 */
    size_t routing_states_max;  /* more handshakes fail: GIST_SEND_NO_MEMORY, or silence */
    size_t associations_max;    /* more connections are refused */
    size_t queued_octets_max;   /* of messages that wait for a peer */
    size_t stream_octets_max;   /* of messages that associations have not brought whole */

    /* What one may have of it, 8.4; 0: no limit. A stranger is who the application does not know;
     * four times as much is for a whole /24, or /48 of IPv6. Strangers have half of what there is,
     * those behind one interface a quarter. */
    uint32_t interface_queries_per_second;  /* default 1000: strangers behind one interface; an
                                               eighth of datagrams_per_second at the most */
    uint32_t stranger_queries_per_second;   /* default 200: a stranger's */
    uint32_t known_queries_per_second;      /* default 2000: a known peer's */
    uint32_t interface_messages_per_second; /* default 400: of strangers behind one interface, what
                                               associations bring and what is for the application */
    uint32_t stranger_messages_per_second;  /* default 200: a stranger's */
    uint32_t known_messages_per_second;     /* default 4000: a known peer's; eight times as many may
                                               answer what this node has sent to a peer */
    uint32_t session_messages_per_second; /* default 20: of them datagrams of one session, and twice
                                             as many at once */
    size_t routing_states_per_stranger_max; /* default 1000 */
    size_t routing_states_per_peer_max;     /* default 50000, of a known peer */
    size_t associations_per_peer_max;       /* default 64, inbound */
    size_t stream_octets_per_peer_max;      /* default 1 MiB */
    size_t queued_octets_per_peer_max;      /* default 1 MiB; of what it had us send on */
    uint32_t association_confirm_ms; /* default 10000: an inbound association without a Confirm ends
                                        after it, whatever it says; 0: never */
};

/* The defaults of the RFC, or those named above; 100000 states, 1000 associations, 16 MiB each of
 * octets queued and in streams. The peer identity is empty: set one. */
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
    uint64_t datagrams_dropped; /* by the rate limit, and by its queue when that is full */
    uint64_t queries_refused;   /* here and below: more than a share */
    uint64_t errors_refused;
    uint64_t routing_states_refused;
    uint64_t associations_refused;
    uint64_t associations_displaced;   /* strangers' that made room for others */
    uint64_t associations_unconfirmed; /* ended, for no Confirm came */
    uint64_t peers_unauthorised;       /* whose association ended for it, 4.4.2 */
    uint64_t streams_refused;
    uint64_t messages_refused;    /* datagrams for the application */
    uint64_t associations_paused; /* times that one had to wait for its peer's share */
};

struct gist_seams {
    struct base_allocator allocator;
    struct base_crypto crypto;
    struct gist_transport transport;
    struct gist_application application;
};

/* Returns a node that the caller destroys, or NULL without memory or randomness. Configuration and
 * seams are copied; the seams' contexts have to outlive the node. */
struct gist_node *gist_node_create(
    const struct gist_node_config *config, const struct gist_seams *seams, uint64_t now_ms);
/* Takes another configuration over while everything goes on. Who the node is, its NSLP, ports and
 * router alert values, stay as they were. */
void gist_node_configure(
    struct gist_node *node, uint64_t now_ms, const struct gist_node_config *config);
/* Closes the associations and releases everything; reports nothing. NULL is allowed. */
void gist_node_destroy(struct gist_node *node);

/* A UDP payload, magic number included. Any octets are allowed; they are looked at during the call
 * only. What is no message counts as rejected. */
void gist_node_receive_datagram(struct gist_node *node, uint64_t now_ms,
    const struct gist_arrival *arrival, const uint8_t *payload, size_t length);

/* An inbound connection, of TLS once its handshake is over. Returns its id, by which the transport
 * names it from now on, or 0 when it is refused and the caller closes it. */
gist_association_id gist_node_association_accepted(struct gist_node *node, uint64_t now_ms,
    enum gist_stack stack, const struct gist_endpoint *peer, const struct gist_endpoint *local,
    uint32_t interface);
/* The connection that association_open asked for is there. Of one that is there already, however it
 * began, it says by which interface the peer is reached from now on. An unknown id is ignored, here
 * and below: the node may have given it up in the meantime. */
void gist_node_association_connected(
    struct gist_node *node, uint64_t now_ms, gist_association_id id, uint32_t interface);
/* Any octets of the stream, in any portions; they are looked at during the call only. */
void gist_node_association_received(struct gist_node *node, uint64_t now_ms, gist_association_id id,
    const uint8_t *octets, size_t length);
/* The connection failed, or the peer ended it. The id is no longer used. */
void gist_node_association_closed(struct gist_node *node, uint64_t now_ms, gist_association_id id);

/* The authorised peer database has changed, 4.4.2: associations and routing state that it does not
 * allow any more end. */
void gist_node_authorise_anew(struct gist_node *node, uint64_t now_ms);

/* Runs the timers that are due; early or repeated calls do no harm. Where there are very many, it
 * asks to be called again at once. */
void gist_node_tick(struct gist_node *node, uint64_t now_ms);

/* A copy of the counters as they stand. */
struct gist_counters gist_node_counters(const struct gist_node *node);

#endif

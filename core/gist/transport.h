/*
 * The transport seam: what GIST asks of the sockets and the timer below it. RFC 5971 5.3, 5.4.
 *
 * Each function returns false when the request could not even be started; what goes wrong later is
 * reported to the node (node.h). None of them may call back into the node. What pointers lead to is
 * the node's, and valid during the call only: a transport that sends later copies it.
 */
#ifndef NATFW_GIST_TRANSPORT_H
#define NATFW_GIST_TRANSPORT_H

#include "core/gist/address.h"
#include "core/gist/mri.h"

enum { GIST_PORT = 270 };           /* UDP destination port of Q-mode, RFC 5971 9 */
#define GIST_NO_DEADLINE UINT64_MAX /* milliseconds */

typedef uint32_t gist_association_id; /* chosen by the node; 0 is none */

enum gist_stack { GIST_STACK_TCP, GIST_STACK_TLS_TCP }; /* the better one is the greater */

/* How a Q-mode datagram leaves. RFC 5971 5.8.1.2. */
struct gist_query_route {
    struct gist_address source;      /* the flow's source (S=0) or our own address (S=1) */
    struct gist_address destination; /* the flow's destination */
    uint16_t source_port;            /* where we receive replies */
    uint8_t ip_ttl;
    uint8_t ds_field;      /* 6 bits, to mimic the flow */
    bool has_router_alert; /* with router_alert as its value */
    uint16_t router_alert;
};

/* How a datagram came in. */
struct gist_arrival {
    struct gist_endpoint source;      /* of the IP and UDP header */
    struct gist_endpoint destination; /* the original one, also when intercepted */
    uint32_t interface;               /* index of the interface it came in by */
    uint8_t ip_ttl;                   /* as received */
    bool q_mode;                      /* it matched the Q-mode encapsulation: destination port 270,
                                         and intercepted or addressed to a flow's end */
};

/* How packets towards a destination leave. */
struct gist_route {
    struct gist_address local;    /* ours */
    struct gist_address next_hop; /* a router's; version 0: the destination itself, or not known */
    uint32_t interface;
};

struct gist_transport {
    void *context;

    /* Normal D-mode. payload starts with the magic number. RFC 5971 5.3.1. */
    bool (*send_datagram)(
        void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length);

    /* Q-mode; payload starts with the magic number. RFC 5971 5.3.2. */
    bool (*send_query)(
        void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length);

    /* Sends an intercepted Query on towards its destination as a router would: one IP TTL fewer,
     * payload as given, everything else as it arrived. RFC 5971 4.3.4. */
    bool (*forward_query)(
        void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length);

    /* Opens a connection; gist_node_association_connected or _closed follows, of TLS once its
     * handshake is over. */
    bool (*association_open)(void *context, gist_association_id id, enum gist_stack stack,
        const struct gist_endpoint *peer);
    /* Takes all octets, to be sent in order; false when it can't, and the association is lost. */
    bool (*association_write)(
        void *context, gist_association_id id, const uint8_t *octets, size_t length);
    /* Closes after what was written has gone out. The node hears no more of this id. */
    void (*association_close)(void *context, gist_association_id id);

    /* While it pauses, what the peer sends may wait outside of this node, and so should its end,
     * for what waits inside is lost with the association. NULL: it never does. */
    void (*association_pause)(void *context, gist_association_id id, bool pauses);

    /* Whether who has been authenticated at the other end may be the peer at this address, for
     * this flow; mri NULL: for any. Asked of secure associations only. NULL: whoever has been
     * authenticated may. RFC 5971 4.4.2. */
    bool (*authorises)(void *context, gist_association_id id, const struct gist_address *peer,
        const struct gist_mri *mri);

    /* How packets towards destination leave now. Returns false without a route. */
    bool (*route)(void *context, const struct gist_address *destination, struct gist_route *route);
    /* Whether packets to this address end here. */
    bool (*is_local)(void *context, const struct gist_address *address);

    /* The node wants gist_node_tick at this time; each call replaces the last. */
    void (*set_deadline)(void *context, uint64_t deadline_ms);
};

#endif

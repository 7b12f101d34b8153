/*
 * The interface between GIST and a signalling application, RFC 5971 Appendix B.
 *
 * Time is an argument of every call, in milliseconds of a clock that never goes back. GIST calls
 * the application through struct gist_application; the application calls gist_send_message and its
 * like, also from within those calls.
 */
#ifndef NATFW_GIST_SERVICE_H
#define NATFW_GIST_SERVICE_H

#include "core/gist/mri.h"
#include "core/gist/transport.h"

struct gist_node;

/* Identifies a peer's address and interface, for explicit routing; 0 is none. RFC 5971 B.1. */
typedef uint64_t gist_sii_handle;

/* The caller's own reference to a message, given back by message_status. */
typedef uint64_t gist_message_handle;

/* Asks for no status. */
#define GIST_NO_HANDLE UINT64_C(0)

struct gist_transfer_attributes {
    bool reliable;
    bool secure; /* integrity and confidentiality: TLS */
};

/* B.2: RecvMessage. */
struct gist_received {
    const uint8_t *data; /* the NSLP message; NULL when length is 0 */
    size_t length;
    uint16_t nslp_id;
    struct gist_session_id session_id;
    struct gist_mri mri; /* upstream tells the direction in which the message travels */
    gist_sii_handle sii_handle;
    struct gist_transfer_attributes attributes; /* reliable: it came over an association */
    gist_association_id association;            /* 0 in D-mode */
    struct gist_address peer;                   /* the peer's interface address */
    const uint8_t *peer_identity;               /* of its NLI; NULL when length is 0 */
    uint8_t peer_identity_length;               /* 0: nothing vouches for one */
    bool peer_was_queried;                      /* our own Query found the peer, not the peer us */
    bool routing_state_check;     /* GIST asks whether to become a peer of the sender */
    bool routing_state_validated; /* false for explicit routing and stateless Data */
    bool explicitly_routed;
    uint32_t interface; /* index of the interface it came in by */
    uint8_t ip_ttl;
    uint8_t ip_distance; /* IP hops to the peer; 0 when unknown */
    uint8_t hop_count;   /* GIST nodes that it may still go on to, 4.3.3: decremented already; 0:
                            it goes no further. To be preserved in what it makes go on. */
};

enum gist_peering { GIST_PEER, GIST_FORWARD };

/* B.3: MessageStatus. */
enum gist_message_status {
    GIST_STATUS_NO_NEXT_NODE,    /* no Response to any Query */
    GIST_STATUS_CONNECT_FAILED,  /* no messaging association could be set up */
    GIST_STATUS_ASSOCIATION_LOST /* it may not have been delivered */
};

/* B.4: NetworkNotification. */
enum gist_notification {
    GIST_NOTIFY_ROUTING_STATUS_GOOD,   /* new routing state is installed */
    GIST_NOTIFY_ROUTE_DELETED,         /* routing state ended */
    GIST_NOTIFY_COMMUNICATION_FAILURE, /* messages may have been lost */
    GIST_NOTIFY_ROUTE_CHANGED          /* another peer than before has taken its place */
};

/* What GIST calls. The pointers passed are valid during the call only. */
struct gist_application {
    void *context;
    /* The result counts only when message->routing_state_check. */
    enum gist_peering (*receive)(
        void *context, uint64_t now_ms, const struct gist_received *message);
    /* A node that is not the peer of this routing state has carried out a handshake for it: may it
     * take the peer's place? NULL: it always may. If not, it is heard and answered as a guest, and
     * whatever else is sent goes to the peer. */
    bool (*may_take_place)(void *context, uint64_t now_ms, const struct gist_received *message);
    void (*message_status)(void *context, uint64_t now_ms, gist_message_handle handle,
        enum gist_message_status status);
    void (*network_notification)(void *context, uint64_t now_ms, const struct gist_mri *mri,
        const struct gist_session_id *session_id, enum gist_notification notification);
    /* Whether this address, behind this interface, is a peer's that comes before strangers. NULL:
     * nobody is. */
    bool (*knows)(
        void *context, uint64_t now_ms, const struct gist_address *peer, uint32_t interface);
};

/* B.1: SendMessage. */
struct gist_send_request {
    const uint8_t *data; /* copied */
    size_t length;       /* octets, a multiple of 4, above 0 */
    struct gist_session_id session_id;
    struct gist_mri mri; /* upstream tells the direction to send in */
    struct gist_transfer_attributes attributes;
    gist_message_handle handle;
    gist_sii_handle sii_handle; /* not 0: explicitly routed to that peer, E=1 */
    bool has_hop_count;         /* else GIST chooses */
    uint8_t hop_count;          /* 0: there are no hops left, and it is refused */
    uint32_t timeout_ms;        /* to give up finding a peer after; 0: GIST chooses */
    /* Whose message it is, where it is not our own: it waits within the share of that peer. */
    struct gist_address on_behalf_of; /* version 0: our own */
    uint32_t on_behalf_of_interface;
};

enum gist_send_result {
    GIST_SENT,           /* or queued until a peer is found */
    GIST_SEND_TO_SELF,   /* this node is the destination, 4.3.3 */
    GIST_SEND_NO_ROUTE,  /* no routing state, and Q-mode is not possible in this direction */
    GIST_SEND_HOP_LIMIT, /* its hop count, or that of the Query before it, is used up, 4.3.3 */
    GIST_SEND_TOO_LARGE, /* longer than a GIST message can carry */
    GIST_SEND_NO_MEMORY,
    GIST_SEND_INVALID
};

/* Sends the message, or keeps a copy until there is a peer to send it to. With a handle, what goes
 * wrong later is told by message_status, also from within this call. The request is the caller's,
 * and not kept. */
enum gist_send_result gist_send_message(
    struct gist_node *node, uint64_t now_ms, const struct gist_send_request *request);

/* B.5. How long routing state is wanted without NSLP traffic; 0 gives it up. The MRI is the one
 * that messages towards the peer have; without such state the call does nothing. */
void gist_set_state_lifetime(struct gist_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, uint64_t lifetime_ms);

/* 7.1.3: what is still to be thought of routing state that was Good. */
enum gist_routing_status {
    GIST_ROUTING_BAD,      /* messages for the peer wait until it is found */
    GIST_ROUTING_TENTATIVE /* they still go to the peer that is known */
};

/* B.6. The next hop known for this flow and direction may be wrong: find it anew, at once. Without
 * routing state towards it the call does nothing. */
void gist_invalidate_routing_state(struct gist_node *node, uint64_t now_ms,
    const struct gist_mri *mri, const struct gist_session_id *session_id,
    enum gist_routing_status status);

#endif

/* The store of messaging associations: connections to peers, shared by many flows. RFC 5971 4.2.2,
 * 4.4.3. Their machine is in core/gist/transport/association_machine.h. */
#ifndef NATFW_GIST_ASSOCIATION_H
#define NATFW_GIST_ASSOCIATION_H

#include "core/gist/message/message_stream.h"
#include "core/gist/state/node_state.h"
#include "core/gist/state/peer.h"

enum gist_association_state { /* 6.4 */
    GIST_AWAITING_CONNECTION,
    GIST_CONNECTED,
    GIST_IDLE,
    GIST_ASSOCIATION_DEATH
};

struct gist_association {
    struct base_table_link link;
    struct gist_association *all_next; /* of the node's */
    struct gist_association *all_prev;
    gist_association_id id;
    enum gist_stack stack;
    enum gist_association_state state;
    bool dead;        /* in no table any more; freed when the node is left */
    bool told_closed; /* the transport knows that it is gone */
    bool configured;  /* the first Confirm with its hold time was sent or accepted */
    struct gist_association *dead_next;
    struct gist_peer *peer; /* NULL: accepted, and no Confirm yet */
    struct gist_association *peer_next;
    uint32_t interface;
    uint32_t peer_hold_ms;           /* how long the peer holds it without traffic from us */
    struct gist_share_holder holder; /* who is at the other end, once it is connected */
    bool is_inbound;
    struct gist_association *inbound_next;
    struct gist_association *inbound_prev;
    struct gist_message_stream stream;
    uint8_t *waiting; /* octets behind those of the stream, until the peer's share allows more */
    size_t waiting_length;
    bool has_share; /* for its next message, taken already */
    struct base_timer pause;
    struct gist_message_queue queue;  /* whole messages, until it is connected */
    struct gist_routing_state *users; /* linked by their users_next */
    struct base_timer connecting;
    struct base_timer send_hello;
    struct base_timer no_hello;
    struct base_timer unused;      /* brings tg_MAIdle: nobody here uses it */
    struct base_timer unconfirmed; /* no Confirm came over it in time */
};

struct gist_association *gist_association_find(struct gist_node *node, gist_association_id id);

/* Makes one that awaits its connection. NULL without memory or above the node's limit. */
struct gist_association *gist_association_create(struct gist_node *node, enum gist_stack stack);

/* It came from this host, whose share it takes until it is destroyed. */
void gist_association_admit(struct gist_node *node, struct gist_association *association,
    const struct gist_share_holder *holder);

/* It leads by this interface, and once it is connected counts for the peer that it was opened to.
 */
void gist_association_lead_by(
    struct gist_node *node, struct gist_association *association, uint32_t interface);

/* Octets of its stream, by gist_message_stream_next; they count for who is at the other end. */
enum gist_stream_result gist_association_next(struct gist_node *node,
    struct gist_association *association, const uint8_t **octets, size_t *length,
    const uint8_t **message, size_t *message_length);

/* Octets that have to wait, behind those that do already; they count likewise. Returns false
 * without memory. */
bool gist_association_wait(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length);
/* Lets go of the first of them, which have been heard. Returns false without memory. */
bool gist_association_heard(
    struct gist_node *node, struct gist_association *association, size_t length);

/* It was opened to this peer, which holds it for so long without traffic. Adds a reference. */
void gist_association_join(
    struct gist_association *association, struct gist_peer *peer, uint32_t peer_hold_ms);
/* The peer's first Confirm came over it: it is that peer's. Returns false without memory. */
bool gist_association_bind(struct gist_node *node, struct gist_association *association,
    const struct gist_nli *nli, uint32_t peer_hold_ms);

/* One that may be used for this peer, 4.4.3, with a stack no worse than this one: the best; NULL
 * when there is none. A Response needs it connected, a Confirm can wait for that. */
struct gist_association *gist_association_of_peer(
    const struct gist_peer *peer, bool connected, enum gist_stack least);

/* What messages over it have; NULL: a datagram's. */
struct gist_transfer_attributes gist_attributes_of(const struct gist_association *association);

/* Takes it out of everything, reporting nothing; the transport is told unless it knows. */
void gist_association_destroy(struct gist_node *node, struct gist_association *association);
void gist_association_free(struct gist_node *node, struct gist_association *association);

#endif

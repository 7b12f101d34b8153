/* Messaging associations: connections to peers, shared by many flows. RFC 5971 4.2.2, 4.4.3,
 * 4.4.5; their machine, Figure 9, is in association_machine.c. */
#ifndef NATFW_GIST_ASSOCIATION_H
#define NATFW_GIST_ASSOCIATION_H

#include "core/gist/message_queue.h"
#include "core/gist/message_stream.h"
#include "core/gist/peer.h"
#include "core/gist/timer.h"

struct gist_routing_state;

enum gist_association_state {
    GIST_AWAITING_CONNECTION,
    GIST_CONNECTED,
    GIST_IDLE,
    GIST_ASSOCIATION_DEATH
};

enum gist_association_event {
    GIST_TG_RAW_DATA,
    GIST_TG_CONNECTED,
    GIST_TG_MA_IDLE,
    GIST_RX_MESSAGE,
    GIST_RX_MA_HELLO,
    GIST_TO_SEND_HELLO,
    GIST_TO_NO_HELLO,
    GIST_ER_MA_CONNECT,
    GIST_ER_MA_FAILURE
};

struct gist_association {
    struct gist_table_link link;
    gist_association_id id;
    enum gist_association_state state;
    bool dead;
    bool told_closed; /* the transport knows that it is gone */
    bool configured;  /* the first Confirm with its hold time was sent or accepted */
    struct gist_association *next_dead;
    struct gist_peer *peer; /* NULL: accepted, and no Confirm yet */
    struct gist_association *peer_next;
    uint32_t interface;
    uint32_t peer_hold_ms; /* how long the peer holds it without traffic from us */
    struct gist_message_stream stream;
    struct gist_message_queue queue; /* whole messages, until it is connected */
    struct gist_routing_state *users;
    struct gist_routing_state *last_user;
    struct gist_timer connecting;
    struct gist_timer send_hello;
    struct gist_timer no_hello;
    struct gist_timer unused; /* brings tg_MAIdle: nobody here uses it */
};

struct gist_association *gist_association_find(struct gist_node *node, gist_association_id id);

/* Opens one towards a peer's endpoint. NULL when it can't be. */
struct gist_association *gist_association_open(
    struct gist_node *node, struct gist_peer *peer, uint16_t port, uint32_t peer_hold_ms);
/* For an inbound connection. NULL when it can't be. */
struct gist_association *gist_association_accept(struct gist_node *node, uint32_t interface);

/* The peer's first Confirm came over it. Returns false without memory. */
bool gist_association_bind(struct gist_node *node, struct gist_association *association,
    const struct gist_nli *nli, uint32_t peer_hold_ms);

/* One that may be used for this peer, 4.4.3; NULL when there is none. A Response needs it
 * connected, a Confirm can wait for that. */
struct gist_association *gist_association_of_peer(const struct gist_peer *peer, bool connected);

/* tg_RawData. Returns false without memory to queue the message in. */
bool gist_association_send(struct gist_node *node, struct gist_association *association,
    const struct gist_outgoing *message);

/* Runs the machine. hello_id counts with GIST_RX_MA_HELLO, where 0 asks for no reply. */
void gist_association_event(struct gist_node *node, struct gist_association *association,
    enum gist_association_event event, uint32_t hello_id);

/* Ends it as er_MAFailure does; the transport is told. */
void gist_association_fail(struct gist_node *node, struct gist_association *association);
/* Takes it out of everything, reporting nothing; the transport is told unless it knows. */
void gist_association_destroy(struct gist_node *node, struct gist_association *association);
void gist_association_free(struct gist_node *node, struct gist_association *association);

void gist_association_add_user(
    struct gist_node *node, struct gist_association *association, struct gist_routing_state *state);
void gist_association_remove_user(
    struct gist_node *node, struct gist_association *association, struct gist_routing_state *state);

#endif

/*
 * Routing state: who the peer is for a flow, a session and a direction. RFC 5971 4.2.1.
 *
 * It is the owner of its state machine, querying or responding (6.2, 6.3), and is found by the MRI
 * with the direction towards the peer and the session identifier; the NSLPID is the node's one.
 */
#ifndef NATFW_GIST_ROUTING_STATE_H
#define NATFW_GIST_ROUTING_STATE_H

#include "core/base/token_bucket.h"
#include "core/gist/state/node_state.h"
#include "core/gist/state/peer.h"

enum gist_role { GIST_QUERYING, GIST_RESPONDING };

struct gist_handshake {
    struct base_timer timer; /* No_Response or No_Confirm */
    uint32_t interval_ms;
    uint8_t attempts;     /* Queries or Responses sent in this handshake */
    bool proposed;        /* the Queries have a Stack-Proposal */
    bool proposed_secure; /* of secure stacks only */
    uint64_t give_up_ms;  /* when the application's patience ends; 0: not limited */
    uint8_t hop_count;    /* of Queries, as the application wants it; 0: GIST chooses */
    uint8_t cookies[GIST_QUERY_ATTEMPTS_MAX][GIST_QUERY_COOKIE_LENGTH];
    uint8_t *response; /* the one to send again; of a responding node */
    size_t response_length;
};

struct gist_routing_state {
    struct base_table_link link;
    struct gist_mri mri; /* upstream tells the direction towards the peer */
    struct gist_session_id session_id;
    enum gist_role role;
    unsigned state; /* of its machine */
    bool dead;      /* in no table any more; freed when the node is left */
    struct gist_routing_state *dead_next;

    struct gist_peer *peer; /* NULL before the first Response */
    uint16_t peer_port;
    uint8_t ip_distance;                  /* IP hops to the peer; 0: unknown */
    uint8_t hop_count;                    /* that the peer's Query had left; of a responding node */
    bool counts_hops;                     /* the peer's messages have a hop count to preserve */
    uint32_t interface;                   /* by which it was found */
    struct gist_address own_address;      /* in our NLI */
    struct gist_association *association; /* NULL: D-mode */
    struct gist_routing_state *users_next; /* of that association */
    struct gist_routing_state *users_prev;
    gist_association_id guest; /* of a node that may not take the peer's place; 0: none */

    struct gist_share_holder holder;    /* whose share it takes, where is_charged */
    uint64_t free_query_ms;             /* from then on a Query of its peer counts in no share */
    struct base_token_bucket datagrams; /* that a responding node hears of its peer */
    bool is_charged;
    bool wants_association;
    bool wants_security;
    bool follows_another; /* a Query made state before this one: the session began elsewhere */
    struct gist_message_queue queue;
    struct gist_handshake handshake;
    struct base_timer validity; /* Refresh_QNode or Expire_RNode */
    uint64_t valid_until_ms;    /* of a querying node */
    struct base_timer inactive; /* Inactive_QNode */
    uint64_t inactive_ms;       /* its period */
};

/* Makes a state in its machine's birth. NULL without memory or above the node's limit. */
struct gist_routing_state *gist_routing_state_create(struct gist_node *node, enum gist_role role,
    const struct gist_mri *mri, const struct gist_session_id *session_id);

/* Takes it out of everything. Messages that wait are reported with status. */
void gist_routing_state_destroy(
    struct gist_node *node, struct gist_routing_state *state, enum gist_message_status status);
void gist_routing_state_free(struct gist_node *node, struct gist_routing_state *state);

struct gist_routing_state *gist_routing_state_find(
    struct gist_node *node, const struct gist_mri *mri, const struct gist_session_id *session_id);

/* The state that a peer's Query made of the same flow and session, towards where it came from; NULL
 * when there is none. */
struct gist_routing_state *gist_routing_state_before(
    struct gist_node *node, const struct gist_routing_state *state);

/* Returns false without memory; the state then keeps its old peer. */
bool gist_routing_state_set_peer(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_nli *nli);
/* association may be NULL. */
void gist_routing_state_use_association(
    struct gist_node *node, struct gist_routing_state *state, struct gist_association *association);

/* Starts a timer of the state, unless it is dead. */
void gist_routing_state_start_timer(struct gist_node *node, struct gist_routing_state *state,
    struct base_timer *timer, uint64_t deadline_ms);

#endif

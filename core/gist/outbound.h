/* The messages that this node sends, each built and handed to the transport. RFC 5971 5.1, 5.3,
 * 5.6. */
#ifndef NATFW_GIST_OUTBOUND_H
#define NATFW_GIST_OUTBOUND_H

#include "core/gist/association.h"
#include "core/gist/node_state.h"
#include "core/gist/routing_state.h"

enum gist_delivery {
    GIST_DELIVERED,         /* handed to the transport or the association's queue */
    GIST_NEEDS_ASSOCIATION, /* reliable or long, and there is none */
    GIST_NOT_DELIVERED      /* the association, its queue's memory or the rate limit failed it */
};

/* Sends the next Query of the handshake, with a cookie of its own. Returns false when it did not
 * leave; a retransmission may. */
bool gist_send_query(struct gist_node *node, struct gist_routing_state *state);

/* Answers a Query: over association, or in D-mode when that is NULL. With state, the Response is
 * kept there to be sent again. */
bool gist_send_response(struct gist_node *node, const struct gist_reception *query,
    struct gist_association *association, struct gist_routing_state *state);
bool gist_send_response_again(struct gist_node *node, struct gist_routing_state *state);

/* Answers a Response, over the state's association when it has one. */
bool gist_send_confirm(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_message *response);

enum gist_delivery gist_send_data(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_outgoing *message);

/* Explicitly routed Data, E=1, over the association. */
bool gist_send_explicit_data(struct gist_node *node, struct gist_association *association,
    const struct gist_send_request *request);

void gist_send_hello(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id);

/* Reports a fault in a received message, unless the rules forbid to. */
void gist_send_error(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault);

/* Our Stack-Proposal, a function of the configuration only: what a Confirm has to repeat. */
#define GIST_OWN_PROFILES_LENGTH 4
struct gist_stack_proposal gist_own_proposal(void);

/* Fills in our NLI. Returns false without a route to the peer's address. */
bool gist_own_nli(struct gist_node *node, const struct gist_address *peer, struct gist_nli *nli);

#endif

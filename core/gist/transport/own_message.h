/* What every message of this node says of itself: header, NLI, Stack-Proposal. RFC 5971 5.1, 5.7,
 * A.3.3 to A.3.5. */
#ifndef NATFW_GIST_OWN_MESSAGE_H
#define NATFW_GIST_OWN_MESSAGE_H

#include "core/gist/state/node_state.h"

/* Where our Stack-Proposal and what goes with it lie while the message is built. */
struct gist_own_stack {
    uint8_t profiles[8];
    uint8_t options[16];
};

/* A message about this flow and session, with a hop count for the peer itself. */
struct gist_message gist_own_message(struct gist_node *node, enum gist_message_type type,
    const struct gist_mri *mri, const struct gist_session_id *session_id);

/* Finds the address that our NLI gives to a peer at this address. Returns false without a route. */
bool gist_own_address(
    struct gist_node *node, const struct gist_address *peer, struct gist_address *own);

/* Adds our NLI, with this address. */
void gist_add_own_nli(
    struct gist_node *node, struct gist_message *message, const struct gist_address *own);

/* Adds the stacks that we may open for messages that want this, the one that we prefer first;
 * nothing where there is none. */
void gist_add_query_stack(struct gist_node *node, struct gist_message *query, bool wants_security,
    struct gist_own_stack *stack);

/* Adds the stacks that we accept, with their ports: a function of the configuration only, 5.7.1. */
void gist_add_response_stack(
    struct gist_node *node, struct gist_message *response, struct gist_own_stack *stack);

/* Whether we accept this stack. */
bool gist_accepts_stack(const struct gist_node *node, enum gist_stack stack);

/* Whether it is what our Responses have: what a Confirm has to repeat. */
bool gist_is_own_proposal(struct gist_node *node, const struct gist_stack_proposal *proposal);

void gist_add_nslp_data(struct gist_message *message, const uint8_t *data, size_t length);

#endif

/* What every message of this node says of itself: header, NLI, Stack-Proposal. RFC 5971 5.1, 5.7,
 * A.3.3 to A.3.5. */
#ifndef NATFW_GIST_OWN_MESSAGE_H
#define NATFW_GIST_OWN_MESSAGE_H

#include "core/gist/state/node_state.h"

enum { GIST_OWN_OPTIONS_MAX = 8 }; /* octets of our MA-protocol-options */

/* A message about this flow and session, with a hop count for the peer itself. */
struct gist_message gist_own_message(struct gist_node *node, enum gist_message_type type,
    const struct gist_mri *mri, const struct gist_session_id *session_id);

/* Finds the address that our NLI gives to a peer at this address. Returns false without a route. */
bool gist_own_address(
    struct gist_node *node, const struct gist_address *peer, struct gist_address *own);

/* Adds our NLI, with this address. */
void gist_add_own_nli(
    struct gist_node *node, struct gist_message *message, const struct gist_address *own);

/* Our Stack-Proposal, a function of the configuration only: what a Confirm has to repeat. */
struct gist_stack_proposal gist_own_proposal(void);

/* Adds our Stack-Proposal with the configuration that goes with it, whose options lie in `options`;
 * port 0: no options data. */
void gist_add_own_stack(struct gist_node *node, struct gist_message *message,
    uint8_t options[GIST_OWN_OPTIONS_MAX], uint16_t port);

void gist_add_nslp_data(struct gist_message *message, const uint8_t *data, size_t length);

#endif

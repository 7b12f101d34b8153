/* Response messages on their way out. RFC 5971 5.1, 5.7.1, 8.5. */
#ifndef NATFW_GIST_RESPONSE_MESSAGE_H
#define NATFW_GIST_RESPONSE_MESSAGE_H

#include "core/gist/state/routing_state.h"

/* Answers a Query: over association, or in D-mode when that is NULL. With state, the Response is
 * kept there to be sent again. Returns false when it did not leave. */
bool gist_send_response(struct gist_node *node, const struct gist_reception *query,
    struct gist_association *association, struct gist_routing_state *state);

/* Sends the Response that the state keeps. Returns false when there is none, or it did not leave.
 */
bool gist_send_response_again(struct gist_node *node, struct gist_routing_state *state);

#endif

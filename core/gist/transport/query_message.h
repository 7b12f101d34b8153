/* Query messages on their way out. RFC 5971 5.1, 5.3.2, 5.8.1.2. */
#ifndef NATFW_GIST_QUERY_MESSAGE_H
#define NATFW_GIST_QUERY_MESSAGE_H

#include "core/gist/state/routing_state.h"

/* Sends the next Query of the handshake, with a cookie of its own. Returns false when it did not
 * leave; a retransmission may. */
bool gist_send_query(struct gist_node *node, struct gist_routing_state *state);

#endif

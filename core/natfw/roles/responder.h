/* The NSIS responder: requests whose flow ends at this host. RFC 5973 3.7.1, 3.7.3, 3.7.4. Private
 * to core/natfw. */
#ifndef NATFW_NATFW_RESPONDER_H
#define NATFW_NATFW_RESPONDER_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* session is NULL where this node knows none of that id. */
void natfw_responder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
void natfw_responder_response(struct natfw_node *node, const struct natfw_incoming *incoming);

#endif

/* The NSLP forwarder: requests and RESPONSEs that pass. RFC 5973 3.7.1, 3.7.3, 3.7.4, 3.10. Private
 * to core/natfw. */
#ifndef NATFW_NATFW_FORWARDER_H
#define NATFW_NATFW_FORWARDER_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* session is NULL where this node knows none of that id. */
void natfw_forwarder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
/* A RESPONSE to the newest request of the session. */
void natfw_forwarder_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
/* Nobody further on could be reached with the newest request. */
void natfw_forwarder_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
/* The rule that the held RESPONSE promises is in, or has failed. */
void natfw_forwarder_installed(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, enum natfw_middlebox_result result);

#endif

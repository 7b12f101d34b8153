/* The NSIS initiator: RESPONSEs to its requests, and refreshes. RFC 5973 3.4, 3.7.1, 3.7.3. What
 * its user calls is in core/natfw/node.h. Private to core/natfw. */
#ifndef NATFW_NATFW_INITIATOR_H
#define NATFW_NATFW_INITIATOR_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* A RESPONSE to the newest request of the session. */
void natfw_initiator_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);
/* Nobody could be reached with the newest request. */
void natfw_initiator_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
/* Sends the session's request anew, with the next sequence number. */
void natfw_initiator_refresh(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);
/* The same because its path may have changed; where it cannot be sent, it is tried again. RFC 5973
 * 3.9, ruling A86. */
void natfw_initiator_ask_anew(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);

#endif

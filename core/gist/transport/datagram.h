/* D-mode: messages in datagrams, with the magic number, within the rate limit and the size that
 * needs no fragments. RFC 5971 5.3, 4.3.3. */
#ifndef NATFW_GIST_DATAGRAM_H
#define NATFW_GIST_DATAGRAM_H

#include "core/gist/state/node_state.h"

/* Each returns false when the message did not and will not leave: it is too long, the rate limit
 * dropped it, or the transport refused. Above the rate limit messages wait; but what answers
 * strangers is dropped, and a Query that was sent before or waits already. The application is told
 * of what is dropped. */
bool gist_datagram_send(
    struct gist_node *node, const struct gist_endpoint *peer, const struct gist_message *message);
bool gist_datagram_query(struct gist_node *node, const struct gist_query_route *route,
    const struct gist_message *message, bool again);

/* Sends an intercepted message on with this hop count, and not an octet of it changed otherwise.
 * The rate limit is for what we originate only. */
bool gist_datagram_forward(
    struct gist_node *node, const struct gist_reception *reception, uint8_t hop_count);

#endif

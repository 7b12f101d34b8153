/* What a received message goes through before the rules of Node-SM. RFC 5971 4.3.1, 4.3.2, 4.3.4,
 * 5.5. */
#ifndef NATFW_GIST_INBOUND_H
#define NATFW_GIST_INBOUND_H

#include "core/gist/state/node_state.h"

/* A message, without the magic number, from a datagram. */
void gist_inbound_datagram(struct gist_node *node, const struct gist_arrival *arrival,
    const uint8_t *octets, size_t length);

/* A message from an association's stream. The association may be dead afterwards. */
void gist_inbound_stream(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length);

#endif

/* Node-SM: what the node does with a message that has arrived. RFC 5971 4.3, 6.1. */
#ifndef NATFW_GIST_INBOUND_H
#define NATFW_GIST_INBOUND_H

#include "core/gist/node_state.h"

/* A message, without the magic number, from a datagram. */
void gist_inbound_datagram(struct gist_node *node, const struct gist_arrival *arrival,
    const uint8_t *octets, size_t length);

/* A message from an association's stream. The association may be dead afterwards. */
void gist_inbound_stream(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length);

/* The rules of Node-SM for a message that passed the checks of inbound.c; in node_rules.c. */
void gist_node_query(struct gist_node *node, const struct gist_reception *reception);
void gist_node_response(struct gist_node *node, const struct gist_reception *reception);
void gist_node_confirm(struct gist_node *node, const struct gist_reception *reception);
void gist_node_data(struct gist_node *node, const struct gist_reception *reception);
void gist_node_error(struct gist_node *node, const struct gist_reception *reception);

/* Answers with this error, without more than the catalogue asks. */
void gist_reject(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode);
void gist_reject_object(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode, enum gist_object_type type);

#endif

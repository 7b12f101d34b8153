/*
 * Node-SM: what the node does with a message that has passed the checks of its encapsulation. RFC
 * 5971 4.3, 4.4, 6.1.
 */
#ifndef NATFW_GIST_NODE_RULES_H
#define NATFW_GIST_NODE_RULES_H

#include "core/gist/state/node_state.h"

void gist_node_query(struct gist_node *node, const struct gist_reception *reception);
void gist_node_response(struct gist_node *node, const struct gist_reception *reception);
void gist_node_confirm(struct gist_node *node, const struct gist_reception *reception);
void gist_node_data(struct gist_node *node, const struct gist_reception *reception);
void gist_node_error(struct gist_node *node, const struct gist_reception *reception);

#endif

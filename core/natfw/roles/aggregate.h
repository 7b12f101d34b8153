/* Deleting many sessions by one request with a session id of zero. RFC 5973 3.7.4. Private to
 * core/natfw. */
#ifndef NATFW_NATFW_AGGREGATE_H
#define NATFW_NATFW_AGGREGATE_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

void natfw_aggregate_request(struct natfw_node *node, const struct natfw_incoming *incoming);

#endif

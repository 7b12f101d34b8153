/* Querying-SM: routing state at the node that queries. RFC 5971 6.2. */
#ifndef NATFW_GIST_QUERYING_MACHINE_H
#define NATFW_GIST_QUERYING_MACHINE_H

#include "core/gist/machines/machine.h"

enum gist_querying_state {
    GIST_QUERYING_AWAITING_RESPONSE,
    GIST_QUERYING_ESTABLISHED,
    GIST_QUERYING_AWAITING_REFRESH
};

/* Sends the first Query and starts the machine. Returns false without a route to the flow's end. */
bool gist_querying_start(struct gist_node *node, struct gist_routing_state *state);

/* Ends a handshake that cannot succeed. State that was there before it stays as long as it is
 * valid. */
void gist_querying_end_handshake(struct gist_node *node, struct gist_routing_state *state);

void gist_querying_event(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event);

#endif

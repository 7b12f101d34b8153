/* Data messages on their way out. RFC 5971 4.3.3, 5.1, 7.1.5. */
#ifndef NATFW_GIST_DATA_MESSAGE_H
#define NATFW_GIST_DATA_MESSAGE_H

#include "core/gist/state/routing_state.h"

enum gist_delivery {
    GIST_DELIVERED,         /* handed to the transport or the association's queue */
    GIST_NEEDS_ASSOCIATION, /* reliable or long, and there is none */
    GIST_NOT_DELIVERED      /* the association, its queue's memory or the rate limit failed it */
};

enum gist_delivery gist_send_data(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_outgoing *message);

/* Explicitly routed Data, E=1, over the association. Returns false when it can't be queued. */
bool gist_send_explicit_data(struct gist_node *node, struct gist_association *association,
    const struct gist_send_request *request);

#endif

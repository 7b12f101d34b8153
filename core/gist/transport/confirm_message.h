/* Confirm messages on their way out. RFC 5971 5.1, 5.7.1. */
#ifndef NATFW_GIST_CONFIRM_MESSAGE_H
#define NATFW_GIST_CONFIRM_MESSAGE_H

#include "core/gist/state/routing_state.h"

/* Answers a Response, over the state's association when it has one. Returns false when it did not
 * leave. */
bool gist_send_confirm(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_message *response);

#endif

/* Loop control: how many GIST nodes a message may still go on to. RFC 5971 4.3.3, A.4.4.2. */
#ifndef NATFW_GIST_HOP_COUNT_H
#define NATFW_GIST_HOP_COUNT_H

#include "core/gist/state/routing_state.h"

/* What is left for the application to preserve; 0: the message goes no further. It is what the
 * message says, and never more than what the Query of its routing state had left. Where the peer
 * counts no hops, as those do who say 1 whatever the path, it is what that Query had left. state
 * may be NULL. */
uint8_t gist_hops_left(struct gist_routing_state *state, const struct gist_reception *reception);

/* The hop count of the next Query for this state: the application's or our own choice, and never
 * more than the Query before it had left. 0: none may be sent. */
uint8_t gist_hops_of_query(struct gist_node *node, const struct gist_routing_state *state);

#endif

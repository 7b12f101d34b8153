/* How many IP hops away a peer is, as its messages tell. RFC 5971 5.2.2. */
#ifndef NATFW_GIST_IP_DISTANCE_H
#define NATFW_GIST_IP_DISTANCE_H

#include "core/gist/state/node_state.h"

/* What is known after this message, and was known before it; 0: nothing. A message that goes
 * upstream says it, one that goes downstream in D-mode shows it. */
uint8_t gist_ip_distance(const struct gist_reception *reception, uint8_t known);

#endif

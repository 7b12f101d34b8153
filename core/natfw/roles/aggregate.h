/* Messages about many sessions: their session id is zero, their MRI has wildcards. Here those that
 * delete. RFC 5973 3.7.4. Private to core/natfw. */
#ifndef NATFW_NATFW_AGGREGATE_H
#define NATFW_NATFW_AGGREGATE_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Whether each packet of the flow is one of the wide one's, too. */
bool natfw_aggregate_covers(const struct gist_mri *wide, const struct gist_mri *flow);

void natfw_aggregate_request(struct natfw_node *node, const struct natfw_incoming *incoming);

#endif

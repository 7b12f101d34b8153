/* What a route change that this node notices means for its sessions. RFC 5973 3.7.5, 3.9, RFC 5971
 * 7.1. Private to core/natfw. */
#ifndef NATFW_NATFW_ROUTE_CHANGE_H
#define NATFW_NATFW_ROUTE_CHANGE_H

#include "core/natfw/session/node_state.h"

/* GIST has found another peer than before for a session's flow, in the direction of the MRI. */
void natfw_route_reported(struct natfw_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id);

/* What had to wait its turn is due. */
void natfw_route_change_due(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);

/* Looks at some of the sessions that natfw_node_routes_changed has to be told to. */
void natfw_route_walk(struct natfw_node *node, uint64_t now_ms);

#endif

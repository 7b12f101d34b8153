/* NOTIFY at NI, NF and NR. RFC 5973 3.7.5. Private to core/natfw. */
#ifndef NATFW_NATFW_NOTIFICATION_H
#define NATFW_NATFW_NOTIFICATION_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* session is NULL where this node knows none of that id. */
void natfw_notification(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);

#endif

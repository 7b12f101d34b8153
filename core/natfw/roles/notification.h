/* NOTIFY at NI, NF and NR. RFC 5973 3.7.5. Private to core/natfw. */
#ifndef NATFW_NATFW_NOTIFICATION_H
#define NATFW_NATFW_NOTIFICATION_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Sends a NOTIFY on a session, inbound (upstream) or outbound; that of a route change outbound only
 * to the very peer. */
enum gist_send_result natfw_notify(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_session *session, bool inbound, enum natfw_code code);
/* Sends one NOTIFY about all sessions that this node has with a peer; inbound or outbound of it.
 * RFC 5973 3.7.5. */
enum gist_send_result natfw_notify_peer(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_peer *peer, bool inbound, enum natfw_code code);

/* One that came. session is NULL where this node knows none of that id. */
void natfw_notification(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session);

#endif

/* RecvMessage and NetworkNotification: what reaches the signalling application. RFC 5971 4.3.2,
 * B.2, B.4. */
#ifndef NATFW_GIST_UPCALL_H
#define NATFW_GIST_UPCALL_H

#include "core/gist/state/node_state.h"

/* Hands a message with NSLP-Data to the application; state may be NULL. The answer counts only
 * where routing_state_check asks whether to become a peer of the sender. */
enum gist_peering gist_deliver(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state, bool routing_state_check);

void gist_notify(struct gist_node *node, const struct gist_routing_state *state,
    enum gist_notification notification);

/* The same of a message that has an MRI and a session identifier. */
void gist_notify_of_message(struct gist_node *node, const struct gist_message *message,
    enum gist_notification notification);

#endif

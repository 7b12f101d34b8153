/* A guest of a routing state: a node that has shown to be at its address, but may not take the
 * peer's place there. RFC 5971 4.4.4, 8. */
#ifndef NATFW_GIST_GUEST_H
#define NATFW_GIST_GUEST_H

#include "core/gist/machines/machine.h"

/* Whether this Confirm is of another node than the peer, and the application does not let it take
 * the peer's place. It then has been made the guest, where it came over an association. */
bool gist_guest_admit(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_event *confirm);

/* Whether what comes over this association is the guest's. */
bool gist_guest_sent(
    const struct gist_routing_state *state, const struct gist_association *association);

/* Delivers a message of the guest's. What the application sends meanwhile goes to the guest. */
void gist_guest_deliver(struct gist_node *node, struct gist_routing_state *state,
    const struct gist_reception *reception);

#endif

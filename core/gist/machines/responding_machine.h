/* Responding-SM: routing state at the node that answers. RFC 5971 6.3. */
#ifndef NATFW_GIST_RESPONDING_MACHINE_H
#define NATFW_GIST_RESPONDING_MACHINE_H

#include "core/gist/machines/machine.h"

enum gist_responding_state {
    GIST_RESPONDING_BIRTH,
    GIST_RESPONDING_AWAITING_CONFIRM,
    GIST_RESPONDING_ESTABLISHED,
    GIST_RESPONDING_AWAITING_REFRESH
};

/* Prepares a new state's timers; its machine is in Birth. */
void gist_responding_start(struct gist_routing_state *state);

void gist_responding_event(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event);

#endif

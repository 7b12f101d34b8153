/* Turns; see turn.h. */
#include "core/gist/node/turn.h"

#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"

#include <utlist.h>

void gist_node_bury(struct gist_node *node)
{
    struct gist_routing_state *state, *next_state;
    LL_FOREACH_SAFE2(node->dead_routing_states, state, next_state, dead_next) {
        gist_routing_state_free(node, state);
    }
    node->dead_routing_states = NULL;
    struct gist_association *association, *next_association;
    LL_FOREACH_SAFE2(node->dead_associations, association, next_association, dead_next) {
        gist_association_free(node, association);
    }
    node->dead_associations = NULL;
}

void gist_node_enter(struct gist_node *node, uint64_t now_ms)
{
    node->depth++;
    if (now_ms > node->now_ms)
        node->now_ms = now_ms;
}

void gist_node_leave(struct gist_node *node)
{
    if (--node->depth > 0)
        return;
    gist_node_bury(node);
    uint64_t deadline_ms = node->timers.first ? node->timers.first->deadline_ms : GIST_NO_DEADLINE;
    if (deadline_ms == node->deadline_ms)
        return;
    node->deadline_ms = deadline_ms;
    node->transport.set_deadline(node->transport.context, deadline_ms);
}

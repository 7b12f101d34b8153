/* Loop control; see hop_count.h. */
#include "core/gist/state/hop_count.h"

#include "core/spec/spec.h"

static uint8_t lesser(uint8_t a, uint8_t b)
{
    return a < b ? a : b;
}

/* A peer that has counted once is at the end of its count when it says 1. In a loop of nodes that
 * count, each sees a greater one first. */
static uint8_t count_of_message(
    struct gist_routing_state *state, const struct gist_reception *reception)
{
    uint8_t left = reception->message.header.hop_count;
    if (left > 0)
        state->counts_hops = true;
    return left > 0 || state->counts_hops ? left : GIST_QUERY_HOPS;
}

uint8_t gist_hops_left(struct gist_routing_state *state, const struct gist_reception *reception)
{
    if (!state || reception->message.header.type == GIST_QUERY)
        return reception->message.header.hop_count;
    uint8_t left = count_of_message(state, reception);
    return state->role == GIST_RESPONDING ? lesser(left, state->hop_count) : left;
}

uint8_t gist_hops_of_query(struct gist_node *node, const struct gist_routing_state *state)
{
    uint8_t chosen = state->handshake.hop_count > 0 ? state->handshake.hop_count : GIST_QUERY_HOPS;
    const struct gist_routing_state *before = gist_routing_state_before(node, state);
    return before ? lesser(chosen, before->hop_count) : chosen;
}

/* The two routing state machines; see machine.h. RFC 5971 5.3.3, 6. */
#include "core/gist/machines/machine.h"

void gist_machine_event(const struct gist_transition transitions[], size_t count,
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    for (size_t i = 0; i < count && !state->dead; i++) {
        if (transitions[i].from != state->state || transitions[i].event != event->kind)
            continue;
        state->state = transitions[i].to;
        transitions[i].rule(node, state, event);
        return;
    }
}

void gist_machine_back_off(
    const struct gist_node *node, struct gist_handshake *handshake, uint32_t factor)
{
    uint64_t longer = factor * (uint64_t)handshake->interval_ms;
    uint32_t max_ms = node->config.query_timer_max_ms;
    handshake->interval_ms = longer < max_ms ? (uint32_t)longer : max_ms;
}

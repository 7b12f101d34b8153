/* Validity times and moments to refresh; see validity.h. RFC 5971 4.4.4, 4.4.5. */
#include "core/gist/state/validity.h"

#include "core/spec/spec.h"

uint32_t gist_validity_ms(const struct gist_node *node)
{
    uint64_t validity_ms = node->config.routing_state_validity_ms;
    if (node->config.datagrams_per_second > 0) {
        uint64_t fair_ms =
            2000 * (uint64_t)node->routing_states.count / node->config.datagrams_per_second;
        if (fair_ms > validity_ms) {
            SPEC_DO("RFC5971-4.4.4-4", 1) {
                validity_ms = fair_ms;
            }
        }
    }
    return validity_ms < UINT32_MAX ? (uint32_t)validity_ms : UINT32_MAX;
}

uint64_t gist_moment_after(const struct gist_node *node, uint64_t milliseconds)
{
    return milliseconds < GIST_NO_DEADLINE - node->now_ms ? node->now_ms + milliseconds
                                                          : GIST_NO_DEADLINE;
}

uint64_t gist_refresh_moment(struct gist_node *node, uint64_t validity_ms)
{
    uint64_t random = 0;
    /* Without randomness the earliest moment is still a right one. */
    if (!node->crypto.random(node->crypto.context, (uint8_t *)&random, sizeof(random)))
        random = 0;
    uint64_t quarter = validity_ms / 4;
    uint64_t spread = SPEC_VALUE("RFC5971-4.4.4-8", 1, random % (quarter + 1), 0);
    /* The quarter that is left is for what gets lost on the way. */
    return node->now_ms + SPEC_VALUE("RFC5971-4.4.4-7", 1, validity_ms / 2, validity_ms / 4 * 3) +
           spread;
}

/*
 * Where a flow comes in and where it leaves; see crossing.h. RFC 5973 3.7.1.
 *
 * A host could otherwise open its neighbours to the world: signalling that turns back at the
 * firewall asks for a rule that is in the way of other flows than its own. A source prefix of 0 is
 * exempt from GIST's ingress check (ruling A79), not from this.
 */
#include "core/natfw/roles/crossing.h"

/* A NAT has one reason more: both ends are behind it (2.6, ruling A71). This node is none yet. */
static bool may_turn_back(const struct natfw_node *node, uint32_t interface)
{
    return node->seams.policy.may_turn_back(node->seams.policy.context, interface);
}

bool natfw_flow_crosses(
    const struct natfw_node *node, const struct gist_mri *flow, uint32_t interface)
{
    struct gist_route exit;
    /* Without a route no packet leaves, nor does the request: that is answered elsewhere. */
    if (!node->transport.route(node->transport.context, &flow->destination, &exit))
        return true;
    return exit.interface != interface || may_turn_back(node, interface);
}

/* Choosing an association; see association_choice.h. RFC 5971 4.4.3, 5.7.1. */
#include "core/gist/machines/association_choice.h"

#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/authorisation.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

/* A secure one is better than any that is not. */
static bool may_reuse_plain(const struct gist_node *node, const struct gist_message *query)
{
    return SPEC_HOLDS("RFC5971-5.7.1-12", 1,
               gist_stack_proposes(&query->stack_proposal, GIST_STACK_TCP)) &&
           SPEC_HOLDS("RFC5971-5.7.1-11", 1, gist_accepts_stack(node, GIST_STACK_TCP));
}

struct gist_association *gist_reusable_association(
    struct gist_node *node, const struct gist_message *query)
{
    const struct gist_stack_proposal *proposal = &query->stack_proposal;
    struct gist_peer *peer = gist_peer_find(node, &query->nli);
    if (!gist_message_has(query, GIST_OBJECT_STACK_PROPOSAL))
        return NULL;
    if (may_reuse_plain(node, query))
        return gist_association_of_peer(peer, true, GIST_STACK_TCP);
    if (gist_stack_proposes(proposal, GIST_STACK_TCP) ||
        gist_stack_proposes(proposal, GIST_STACK_TLS_TCP))
        return gist_association_of_peer(peer, true, GIST_STACK_TLS_TCP);
    return NULL;
}

static enum gist_stack least_wanted(const struct gist_routing_state *state)
{
    return state->handshake.proposed_secure ? GIST_STACK_TLS_TCP : GIST_STACK_TCP;
}

/* The best stack that the Response offers and that we may open. Returns false without any. */
static bool best_common(const struct gist_node *node, const struct gist_routing_state *state,
    const struct gist_message *response, enum gist_stack *stack, uint16_t *port)
{
    const struct gist_stack_proposal *proposal = &response->stack_proposal;
    const struct gist_stack_configuration *configuration = &response->stack_configuration;
    *stack = GIST_STACK_TLS_TCP;
    if (node->config.opens_secure && gist_stack_find(proposal, configuration, *stack, port))
        return true;
    *stack = GIST_STACK_TCP;
    return node->config.opens_plain && least_wanted(state) == GIST_STACK_TCP &&
           gist_stack_find(proposal, configuration, *stack, port);
}

/* One with the peer that is no worse, or a new one. */
static struct gist_association *find_or_open(struct gist_node *node,
    const struct gist_routing_state *state, const struct gist_message *response)
{
    enum gist_stack stack;
    uint16_t port;
    bool can_open = best_common(node, state, response, &stack, &port);
    struct gist_association *association = SPEC_VALUE("RFC5971-4.4.5-8b", 1,
        gist_association_of_peer(state->peer, false, can_open ? stack : least_wanted(state)), NULL);
    if (!association && can_open) {
        SPEC_DO("RFC5971-4.4.1-6", 1) {
            association = gist_association_open(
                node, state->peer, stack, port, response->stack_configuration.hold_time_ms);
        }
    }
    return association;
}

bool gist_choose_association(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_reception *response)
{
    struct gist_association *association = response->association;
    if (!association && gist_message_has(&response->message, GIST_OBJECT_STACK_PROPOSAL)) {
        association = find_or_open(node, state, &response->message);
    } else if (!association) {
        gist_routing_state_use_association(node, state, NULL);
        return true;
    }
    if (association && association->stack < least_wanted(state)) /* it answers what was not asked */
        association = NULL;
    gist_routing_state_use_association(node, state, association);
    if (!association || association->state == GIST_AWAITING_CONNECTION)
        return association != NULL;
    bool authorised = gist_is_authorised(node, association, &state->peer->address, &state->mri);
    SPEC_ENSURE("RFC5971-4.4.3-5", 2, authorised) {
        gist_refuse_peer(node, association);
        return false;
    }
    return true;
}

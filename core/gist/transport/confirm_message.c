/* Confirm messages on their way out; see confirm_message.h. RFC 5971 5.1, 5.7.1. */
#include "core/gist/transport/confirm_message.h"

#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

/* The first Confirm over an association says how long we hold it, 4.4.5. */
static void add_hold_time(
    struct gist_node *node, struct gist_association *association, struct gist_message *confirm)
{
    confirm->stack_configuration =
        (struct gist_stack_configuration){.hold_time_ms = node->config.association_hold_ms};
    gist_message_add(confirm, GIST_OBJECT_STACK_CONFIGURATION);
    association->configured = true;
}

/* Repeats the Response's proposal, so that nobody can have bid it down. */
static void add_stack(struct gist_node *node, struct gist_association *association,
    const struct gist_message *response, struct gist_message *confirm)
{
    confirm->stack_proposal = response->stack_proposal;
    gist_message_add(confirm, GIST_OBJECT_STACK_PROPOSAL);
    if (!association->configured) {
        SPEC_DO("RFC5971-5.1-16", 1) {
            add_hold_time(node, association, confirm);
        }
    }
}

static void add_cookie(const struct gist_message *response, struct gist_message *confirm)
{
    if (gist_message_has(response, GIST_OBJECT_RESPONDER_COOKIE)) {
        SPEC_DO("RFC5971-5.1-14", 1) {
            confirm->responder_cookie = response->responder_cookie;
            gist_message_add(confirm, GIST_OBJECT_RESPONDER_COOKIE);
        }
    }
}

static bool send_as_datagram(struct gist_node *node, const struct gist_routing_state *state,
    const struct gist_message *confirm)
{
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    SPEC_DO("RFC5971-5.1-13", 1) {
        return gist_datagram_send(node, &peer, confirm);
    }
    return false;
}

bool gist_send_confirm(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_message *response)
{
    struct gist_message confirm =
        gist_own_message(node, GIST_CONFIRM, &state->mri, &state->session_id);
    gist_add_own_nli(node, &confirm, &state->own_address);
    add_cookie(response, &confirm);
    if (!state->association)
        return send_as_datagram(node, state, &confirm);
    if (gist_message_has(&confirm, GIST_OBJECT_RESPONDER_COOKIE) &&
        gist_message_has(response, GIST_OBJECT_STACK_PROPOSAL)) {
        SPEC_DO("RFC5971-5.1-15", 1) {
            add_stack(node, state->association, response, &confirm);
        }
    }
    return gist_association_send(node, state->association, &confirm, 0, NULL);
}

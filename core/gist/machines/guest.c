/*
 * Guests of a routing state; see guest.h. Whoever knows a flow and its session id can carry out a
 * handshake for it. If that alone made him the peer, the true one's messages would be delivered
 * incorrectly from then on, and a session would starve. So the application is asked, and who may
 * not take the place is heard and answered, no more. RFC 5971 4.4.4, 8.
 */
#include "core/gist/machines/guest.h"

#include "core/gist/state/association.h"
#include "core/gist/state/upcall.h"

static bool may_take_place(struct gist_node *node, const struct gist_event *confirm)
{
    const struct gist_application *application = &node->application;
    const struct gist_association *association = confirm->reception->association;
    const struct gist_message *message = &confirm->reception->message;
    struct gist_received received = {
        .nslp_id = message->header.nslp_id,
        .session_id = message->session_id,
        .mri = message->mri,
        .peer = message->nli.interface_address,
        .peer_identity = message->nli.peer_identity.octets,
        .peer_identity_length = (uint8_t)message->nli.peer_identity.length,
        .interface = confirm->cookie->interface,
        .attributes = gist_attributes_of(association),
        .association = association ? association->id : 0,
    };
    return !application->may_take_place ||
           application->may_take_place(application->context, node->now_ms, &received);
}

bool gist_guest_admit(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_event *confirm)
{
    const struct gist_association *association = confirm->reception->association;
    if (!state->peer || gist_peer_is(state->peer, &confirm->reception->message.nli) ||
        may_take_place(node, confirm))
        return false;
    state->guest = association ? association->id : 0;
    return true;
}

bool gist_guest_sent(
    const struct gist_routing_state *state, const struct gist_association *association)
{
    return association && association->peer && state->guest == association->id;
}

void gist_guest_deliver(struct gist_node *node, struct gist_routing_state *state,
    const struct gist_reception *reception)
{
    struct gist_association *own = state->association;
    struct gist_peer *peer = state->peer;
    gist_routing_state_use_association(node, state, reception->association);
    state->peer = reception->association->peer;
    gist_deliver(node, reception, state, false);
    state->peer = peer;
    gist_routing_state_use_association(node, state, state->dead ? NULL : own);
}

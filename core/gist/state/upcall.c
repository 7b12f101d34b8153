/* RecvMessage and NetworkNotification; see upcall.h. RFC 5971 4.3.2, B.2, B.4. */
#include "core/gist/state/upcall.h"

#include "core/gist/state/association.h"
#include "core/gist/state/hop_count.h"
#include "core/gist/state/routing_state.h"

static void notify(struct gist_node *node, const struct gist_mri *mri,
    const struct gist_session_id *session_id, enum gist_notification notification)
{
    if (node->application.network_notification)
        node->application.network_notification(
            node->application.context, node->now_ms, mri, session_id, notification);
}

void gist_notify(struct gist_node *node, const struct gist_routing_state *state,
    enum gist_notification notification)
{
    notify(node, &state->mri, &state->session_id, notification);
}

void gist_notify_of_message(
    struct gist_node *node, const struct gist_message *message, enum gist_notification notification)
{
    notify(node, &message->mri, &message->session_id, notification);
}

static struct gist_peer *peer_of(
    const struct gist_reception *reception, const struct gist_routing_state *state)
{
    if (state && state->peer)
        return state->peer;
    return reception->association ? reception->association->peer : NULL;
}

/* What only an NLI says, nothing vouches for: no more than where an answer goes. */
static void name_peer(struct gist_received *received, const struct gist_peer *peer,
    const struct gist_message *message)
{
    if (peer) {
        received->peer = peer->address;
        received->peer_identity = peer->identity_length > 0 ? peer->identity : NULL;
        received->peer_identity_length = peer->identity_length;
    } else if (gist_message_has(message, GIST_OBJECT_NLI)) {
        received->peer = message->nli.interface_address;
    }
}

enum gist_peering gist_deliver(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state, bool routing_state_check)
{
    const struct gist_message *message = &reception->message;
    /* Nothing shows yet who sent a Query, whatever state there is (8.5). */
    bool vouched_for = state && message->header.type != GIST_QUERY;
    const struct gist_peer *peer =
        message->header.type == GIST_QUERY ? NULL : peer_of(reception, state);
    bool data = gist_message_has(message, GIST_OBJECT_NSLP_DATA);
    struct gist_received received = {
        .data = data ? message->nslp_data.octets : NULL,
        .length = data ? message->nslp_data.length : 0,
        .nslp_id = message->header.nslp_id,
        .session_id = message->session_id,
        .mri = message->mri,
        .sii_handle = peer ? peer->sii_handle : 0,
        .attributes = gist_attributes_of(reception->association),
        .association = reception->association ? reception->association->id : 0,
        .peer_was_queried = vouched_for && state->role == GIST_QUERYING,
        .routing_state_check = routing_state_check,
        .routing_state_validated = vouched_for,
        .explicitly_routed = message->header.explicitly_routed,
        .hop_count = gist_hops_left(state, reception),
        .ip_distance = state ? state->ip_distance : 0,
    };
    name_peer(&received, peer, message);
    if (reception->arrival) {
        received.interface = reception->arrival->interface;
        received.ip_ttl = reception->arrival->ip_ttl;
    } else if (reception->association) {
        received.interface = reception->association->interface;
    }
    if (received.interface == 0 && state)
        received.interface = state->interface;
    return node->application.receive(node->application.context, node->now_ms, &received);
}

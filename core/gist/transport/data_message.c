/* Data messages on their way out; see data_message.h. RFC 5971 4.3.3, 5.1, 7.1.5. */
#include "core/gist/transport/data_message.h"

#include "core/gist/message/message_build.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

static enum gist_delivery over_association(struct gist_node *node,
    const struct gist_routing_state *state, struct gist_message *data,
    const struct gist_outgoing *message)
{
    SPEC_NEVER("RFC5971-5.1-17b", 1) {
        gist_add_own_nli(node, data, &state->own_address);
    }
    return gist_association_send(node, state->association, data, message->handle, &message->holder)
               ? GIST_DELIVERED
               : GIST_NOT_DELIVERED;
}

static enum gist_delivery as_datagram(
    struct gist_node *node, const struct gist_routing_state *state, struct gist_message *data)
{
    SPEC_DO("RFC5971-5.1-17a", 1) {
        gist_add_own_nli(node, data, &state->own_address);
    }
    if (state->mri.upstream)
        data->nli.ip_ttl = SPEC_VALUE("RFC5971-5.2.2-6", 2, state->ip_distance, 0);
    size_t length = gist_message_build(data, node->scratch, GIST_D_MODE_LENGTH_MAX);
    SPEC_ENSURE("RFC5971-4.3.3-3", 1, length > 0) {
        return GIST_NEEDS_ASSOCIATION;
    }
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    return gist_datagram_send(node, &peer, data) ? GIST_DELIVERED : GIST_NOT_DELIVERED;
}

enum gist_delivery gist_send_data(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_outgoing *message)
{
    struct gist_message data = gist_own_message(node, GIST_DATA, &state->mri, &state->session_id);
    data.header.hop_count = message->hop_count > 0 ? message->hop_count : GIST_QUERY_HOPS;
    gist_add_nslp_data(&data, message->data, message->length);
    const struct gist_association *association = state->association;
    if (association && (!message->secure || association->stack == GIST_STACK_TLS_TCP))
        return over_association(node, state, &data, message);
    return message->reliable || message->secure ? GIST_NEEDS_ASSOCIATION
                                                : as_datagram(node, state, &data);
}

bool gist_send_explicit_data(struct gist_node *node, struct gist_association *association,
    const struct gist_send_request *request)
{
    struct gist_message data =
        gist_own_message(node, SPEC_VALUE("RFC5971-7.1.4-4", 1, GIST_DATA, GIST_CONFIRM),
            &request->mri, &request->session_id);
    data.header.hop_count = request->has_hop_count ? request->hop_count : GIST_QUERY_HOPS;
    data.header.explicitly_routed = SPEC_VALUE("RFC5971-7.1.4-3b", 1, true, false);
    gist_add_nslp_data(&data, request->data, request->length);
    return gist_association_send(node, association, &data, request->handle, NULL);
}

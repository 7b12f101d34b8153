/* The service interface towards the signalling application. RFC 5971 4.3.3, Appendix B. */
#include "core/gist/service.h"

#include "core/gist/machines/querying_machine.h"
#include "core/gist/machines/responding_machine.h"
#include "core/gist/node/turn.h"
#include "core/gist/state/association.h"
#include "core/gist/state/hop_count.h"
#include "core/gist/state/node_share.h"
#include "core/gist/state/validity.h"
#include "core/gist/transport/data_message.h"
#include "core/spec/spec.h"

static bool is_sound(const struct gist_node *node, const struct gist_send_request *request)
{
    size_t address = gist_address_length(request->mri.source.version);
    return request->data && request->length > 0 && request->length % 4 == 0 && address > 0 &&
           request->mri.source.version == request->mri.destination.version &&
           (!request->attributes.secure || node->config.opens_secure ||
               node->config.secure_association_port != 0) &&
           (request->sii_handle != 0 || !gist_session_id_is_zero(&request->session_id));
}

/* 5.8: where this node can send a Query. It makes no upstream ones, which 5.8.1.3 leaves open. */
static bool has_q_mode(const struct gist_mri *mri)
{
    return !mri->upstream;
}

static enum gist_send_result send_explicitly(
    struct gist_node *node, const struct gist_send_request *request)
{
    struct gist_association *association =
        gist_association_of_peer(gist_peer_of_handle(node, request->sii_handle), true,
            request->attributes.secure ? GIST_STACK_TLS_TCP : GIST_STACK_TCP);
    if (!association)
        return GIST_SEND_NO_ROUTE;
    return gist_send_explicit_data(node, association, request) ? GIST_SENT : GIST_SEND_NO_MEMORY;
}

/* Rule 5 of Node-SM. */
static enum gist_send_result begin_handshake(
    struct gist_node *node, const struct gist_send_request *request, struct gist_event *event)
{
    if (!has_q_mode(&request->mri))
        return GIST_SEND_NO_ROUTE;
    SPEC_ENSURE("RFC5971-4.3.3-1a", 1,
        !node->transport.is_local(node->transport.context, &request->mri.destination)) {
        return SPEC_VALUE("RFC5971-4.3.3-1b", 1, GIST_SEND_TO_SELF, GIST_SENT);
    }
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_QUERYING, &request->mri, &request->session_id);
    if (!state)
        return GIST_SEND_NO_MEMORY;
    state->wants_association = request->attributes.reliable || request->attributes.secure ||
                               request->length > GIST_D_MODE_LENGTH_MAX / 2;
    state->handshake.hop_count = event->outgoing->hop_count;
    if (gist_hops_of_query(node, state) > 0)
        gist_querying_event(node, state, event);
    else
        event->result = GIST_SEND_HOP_LIMIT;
    if (event->result == GIST_SENT && !gist_querying_start(node, state))
        event->result = GIST_SEND_NO_ROUTE;
    if (event->result != GIST_SENT) {
        gist_queue_clear(&node->queued, &state->queue);
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    }
    return event->result;
}

static enum gist_send_result send_by_state(
    struct gist_node *node, const struct gist_send_request *request)
{
    if (!is_sound(node, request))
        return GIST_SEND_INVALID;
    if (request->length > GIST_OBJECT_VALUE_MAX)
        return GIST_SEND_TOO_LARGE;
    SPEC_ENSURE("RFC5971-4.3.3-2", 1, !request->has_hop_count || request->hop_count > 0) {
        return GIST_SEND_HOP_LIMIT;
    }
    if (request->sii_handle != 0) {
        SPEC_DO("RFC5971-7.1.4-3a", 1) {
            return send_explicitly(node, request);
        }
    }
    struct gist_outgoing outgoing = {.data = request->data,
        .length = request->length,
        .handle = request->handle,
        .reliable = request->attributes.reliable,
        .secure = request->attributes.secure,
        .hop_count = request->has_hop_count ? request->hop_count : 0};
    struct gist_event event = {.kind = GIST_TG_NSLP_DATA,
        .outgoing = &outgoing,
        .give_up_ms = request->timeout_ms > 0 ? node->now_ms + request->timeout_ms : 0,
        .result = GIST_SEND_INVALID};
    if (request->on_behalf_of.version != 0)
        outgoing.holder =
            gist_node_holder(node, &request->on_behalf_of, request->on_behalf_of_interface);
    struct gist_routing_state *state =
        gist_routing_state_find(node, &request->mri, &request->session_id);
    if (!state)
        return begin_handshake(node, request, &event);
    if (state->role == GIST_RESPONDING) {
        gist_responding_event(node, state, &event);
        return event.result;
    }
    if (request->has_hop_count)
        state->handshake.hop_count = request->hop_count;
    gist_querying_event(node, state, &event);
    return event.result;
}

enum gist_send_result gist_send_message(
    struct gist_node *node, uint64_t now_ms, const struct gist_send_request *request)
{
    gist_node_enter(node, now_ms);
    enum gist_send_result result = send_by_state(node, request);
    gist_node_leave(node);
    return result;
}

void gist_set_state_lifetime(struct gist_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, uint64_t lifetime_ms)
{
    gist_node_enter(node, now_ms);
    struct gist_routing_state *state = gist_routing_state_find(node, mri, session_id);
    if (state && state->role == GIST_QUERYING) {
        state->inactive_ms = lifetime_ms;
        SPEC_DO("RFC5971-6.2-6", 1) {
            gist_routing_state_start_timer(
                node, state, &state->inactive, gist_moment_after(node, lifetime_ms));
        }
    }
    gist_node_leave(node);
}

/* 7.1.3: Awaiting Response, as after er_NoRSM, or Awaiting Refresh; a handshake begins with both.
 */
static enum gist_event_kind repair_of(enum gist_routing_status status)
{
    if (status == GIST_ROUTING_TENTATIVE)
        return GIST_TO_REFRESH_QNODE;
    return SPEC_VALUE("RFC5971-7.1.3-5", 1, GIST_ER_NO_RSM, GIST_TO_REFRESH_QNODE);
}

void gist_invalidate_routing_state(struct gist_node *node, uint64_t now_ms,
    const struct gist_mri *mri, const struct gist_session_id *session_id,
    enum gist_routing_status status)
{
    gist_node_enter(node, now_ms);
    struct gist_routing_state *state = gist_routing_state_find(node, mri, session_id);
    if (state && state->role == GIST_QUERYING) {
        struct gist_event event = {.kind = repair_of(status)};
        gist_querying_event(node, state, &event);
    }
    gist_node_leave(node);
}

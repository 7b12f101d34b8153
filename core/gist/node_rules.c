/* The rules of Node-SM. RFC 5971 6.1, with 4.3.2, 4.4.1, 4.4.6, 5.7.1, 5.8.1 and 8.5. */
#include "core/gist/association.h"
#include "core/gist/datagram.h"
#include "core/gist/inbound.h"
#include "core/gist/machine.h"
#include "core/gist/outbound.h"
#include "core/spec/spec.h"

#include <string.h>

enum { UPSTREAM_TTL_MIN = 254 };

/* The state for a message that came from the peer: its MRI points the other way. */
static struct gist_routing_state *find_state(
    struct gist_node *node, const struct gist_message *message)
{
    struct gist_mri towards_peer = gist_mri_reversed(&message->mri);
    return gist_routing_state_find(node, &towards_peer, &message->session_id);
}

/* 4.1.3, ruling A89: the session identifier zero never makes routing state. */
static bool check_session(struct gist_node *node, const struct gist_reception *reception)
{
    if (!gist_session_id_is_zero(&reception->message.session_id))
        return true;
    gist_reject_object(
        node, reception, GIST_OBJECT_VALUE_ERROR, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_SESSION_ID);
    return false;
}

static bool is_reached_by(
    const struct gist_node *node, const struct gist_address *address, uint32_t interface)
{
    struct gist_address own;
    uint32_t towards;
    return node->transport.route(node->transport.context, address, &own, &towards) &&
           towards == interface;
}

/* 5.8.1.2: packets come from where packets to their sources would go. From anywhere, a flow may
 * come in anywhere. */
static bool passes_ingress_filter(
    const struct gist_node *node, const struct gist_mri *mri, uint32_t interface)
{
    if (!node->config.ingress_filter || mri->source_prefix == 0)
        return true;
    struct gist_address last = gist_address_last(&mri->source, mri->source_prefix);
    return is_reached_by(node, &mri->source, interface) &&
           (gist_address_equal(&mri->source, &last) || is_reached_by(node, &last, interface));
}

/* 5.8.1.2, 5.8.1.3, 7.2.1: is this a Query that can have come by the flow's path? */
static bool check_query_path(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *message = &reception->message;
    const struct gist_arrival *arrival = reception->arrival;
    if (message->header.source_is_peer &&
        !SPEC_HOLDS("RFC5971-7.2.1-1", 1,
            gist_address_equal(&message->nli.interface_address, &arrival->source.address))) {
        gist_reject_object(node, reception, GIST_OBJECT_TYPE_ERROR, GIST_UNTRANSLATED_OBJECT,
            SPEC_VALUE("RFC5971-7.2.1-2", 1, GIST_OBJECT_MRI, GIST_OBJECT_NLI));
        return false;
    }
    if (message->mri.mrm != GIST_MRM_PATH_COUPLED)
        return true;
    if (!SPEC_HOLDS(
            "RFC5971-7.4-2", 1, message->mri.source.version == arrival->source.address.version)) {
        gist_reject_object(node, reception, GIST_MRI_VALIDATION_FAILURE, GIST_IP_VERSION_MISMATCH,
            GIST_OBJECT_MRI);
        return false;
    }
    if (!message->mri.upstream &&
        !SPEC_HOLDS("RFC5971-5.8.1.2-6", 1,
            passes_ingress_filter(node, &message->mri, arrival->interface))) {
        gist_reject_object(node, reception, GIST_MRI_VALIDATION_FAILURE,
            GIST_INGRESS_FILTER_FAILURE, GIST_OBJECT_MRI);
        return false;
    }
    if (message->mri.upstream &&
        !SPEC_HOLDS("RFC5971-5.8.1.3-10", 1, arrival->ip_ttl >= UPSTREAM_TTL_MIN)) {
        gist_reject(node, reception, GIST_INVALID_IP_LAYER_TTL, 0);
        return false;
    }
    return true;
}

static void forward_query(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *message = &reception->message;
    if (message->header.hop_count == 0) {
        gist_reject(node, reception, GIST_HOP_LIMIT_EXCEEDED, 0);
        return;
    }
    if (message->mri.mrm == GIST_MRM_PATH_COUPLED && message->mri.destination_prefix == 0) {
        gist_reject_object(
            node, reception, GIST_MRI_VALIDATION_FAILURE, GIST_MRI_TOO_WILD, GIST_OBJECT_MRI);
        return;
    }
    if (SPEC_ACT("RFC5971-4.3.2-4", 1) &&
        gist_datagram_forward(node, reception, message->header.hop_count))
        node->counters.queries_forwarded++;
}

/* The association over which the Response may go, 4.4.3, 5.7.1: one with the very peer of the NLI,
 * of a kind that the Query asks for. */
static struct gist_association *reusable(struct gist_node *node, const struct gist_message *query)
{
    if (!gist_message_has(query, GIST_OBJECT_STACK_PROPOSAL) ||
        !gist_stack_proposes_tcp(&query->stack_proposal))
        return NULL;
    return gist_association_of_peer(gist_peer_find(node, &query->nli), true);
}

/* Rule 1. */
void gist_node_query(struct gist_node *node, const struct gist_reception *reception)
{
    if (!check_session(node, reception) || !check_query_path(node, reception))
        return;
    if (reception->message.mri.upstream && !SPEC_ACT("RFC5971-5.8.1.3-1b", 1))
        return;
    struct gist_routing_state *state = find_state(node, &reception->message);
    if (state) {
        struct gist_event event = {.kind = GIST_RX_QUERY, .reception = reception};
        if (state->role == GIST_RESPONDING)
            gist_responding_event(node, state, &event);
        return;
    }
    bool final = node->transport.is_local(
                     node->transport.context, &reception->arrival->destination.address) &&
                 SPEC_ACT("RFC5971-4.3.2-1", 1);
    enum gist_peering peering = gist_deliver(node, reception, NULL, true);
    if (peering == GIST_FORWARD && !final) {
        forward_query(node, reception);
        return;
    }
    if (SPEC_ACT("RFC5971-4.4.1-2", 1))
        gist_send_response(node, reception, reusable(node, &reception->message), NULL);
}

static bool is_own_cookie(
    const struct gist_routing_state *state, const struct gist_message *response)
{
    if (response->query_cookie.length != GIST_QUERY_COOKIE_LENGTH)
        return false;
    size_t count = state->handshake.attempts < GIST_QUERY_ATTEMPTS_MAX ? state->handshake.attempts
                                                                       : GIST_QUERY_ATTEMPTS_MAX;
    size_t first = count > 0 ? SPEC_VALUE("RFC5971-5.3.3-8", 1, 0, count - 1) : 0;
    for (size_t i = first; i < count; i++)
        if (gist_cookie_equal(state->handshake.cookies[i], response->query_cookie.octets,
                GIST_QUERY_COOKIE_LENGTH))
            return true;
    return false;
}

static void reject_cookie(
    struct gist_node *node, const struct gist_reception *reception, enum gist_object_type cookie)
{
    node->counters.messages_rejected++;
    if (SPEC_HOLDS("RFC5971-8.5-4", 1, node->config.answer_invalid_cookie))
        gist_reject_object(node, reception, GIST_OBJECT_VALUE_ERROR, GIST_INVALID_COOKIE, cookie);
}

/* A Response over an association is from the peer at its other end. */
static bool comes_from_its_peer(const struct gist_reception *response)
{
    if (response->association)
        return response->association->peer &&
               gist_peer_is(response->association->peer, &response->message.nli);
    return gist_address_equal(
        &response->message.nli.interface_address, &response->arrival->source.address);
}

/* Rule 2, and what precedes rx_Response of Querying-SM: an error never answers it, 4.4.6. */
void gist_node_response(struct gist_node *node, const struct gist_reception *reception)
{
    struct gist_routing_state *state = find_state(node, &reception->message);
    if (!state && gist_message_has(&reception->message, GIST_OBJECT_NAT_TRAVERSAL) &&
        reception->message.nat_traversal.mri_understood)
        state = gist_routing_state_find(
            node, &reception->message.nat_traversal.mri, &reception->message.session_id);
    if (!state || state->role != GIST_QUERYING) {
        node->counters.messages_rejected++;
        if (SPEC_NEVER("RFC5971-4.4.6-1a", 1))
            gist_reject(node, reception, GIST_NO_ROUTING_STATE, 0);
        return;
    }
    if (!SPEC_HOLDS("RFC5971-4.4.1-11", 1, is_own_cookie(state, &reception->message))) {
        reject_cookie(node, reception, GIST_OBJECT_QUERY_COOKIE);
        return;
    }
    if (!SPEC_HOLDS("RFC5971-7.2.1-6a", 1, comes_from_its_peer(reception))) {
        node->counters.messages_rejected++;
        /* A NAT that knows nothing of GIST, 7.2.1. */
        if (!state->peer && SPEC_ACT("RFC5971-7.2.1-6b", 1))
            gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        return;
    }
    struct gist_event event = {.kind = GIST_RX_RESPONSE, .reception = reception};
    gist_querying_event(node, state, &event);
}

static bool is_own_proposal(const struct gist_message *confirm)
{
    struct gist_stack_proposal own = gist_own_proposal();
    const struct gist_stack_proposal *echo = &confirm->stack_proposal;
    return echo->profile_count == own.profile_count &&
           echo->profiles.length == own.profiles.length &&
           memcmp(echo->profiles.octets, own.profiles.octets, own.profiles.length) == 0;
}

/* 5.7.1: a Confirm that fails its checks undoes the state, and an association that it began. */
static void refuse_confirm(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state)
{
    struct gist_association *association = reception->association;
    if (state && state->role == GIST_RESPONDING &&
        state->state == GIST_RESPONDING_AWAITING_REFRESH && SPEC_ACT("RFC5971-5.7.1-14b", 1))
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    if (association && !association->dead && !association->peer && SPEC_ACT("RFC5971-5.7.1-15", 1))
        gist_association_destroy(node, association);
}

/* What a Confirm has to have because its Response offered a stack. */
static bool check_confirm_stack(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state)
{
    const struct gist_message *confirm = &reception->message;
    if (!reception->association) {
        gist_reject(node, reception, GIST_INCORRECT_ENCAPSULATION, 0);
        return false;
    }
    if (!gist_message_has(confirm, GIST_OBJECT_STACK_PROPOSAL)) {
        gist_reject_object(node, reception, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT,
            GIST_OBJECT_STACK_PROPOSAL);
        refuse_confirm(node, reception, state);
        return false;
    }
    if (!SPEC_HOLDS("RFC5971-5.7.1-13", 1, is_own_proposal(confirm))) {
        node->counters.messages_rejected++;
        refuse_confirm(node, reception, state);
        return false;
    }
    if (!reception->association->peer &&
        !SPEC_HOLDS(
            "RFC5971-4.4.5-7", 1, gist_message_has(confirm, GIST_OBJECT_STACK_CONFIGURATION))) {
        gist_reject_object(node, reception, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT,
            GIST_OBJECT_STACK_CONFIGURATION);
        return false;
    }
    return true;
}

static bool check_confirm(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state, struct gist_cookie_content *content)
{
    const struct gist_message *confirm = &reception->message;
    struct gist_cookie_binding binding = {
        &confirm->nli, &confirm->mri, &confirm->session_id, node->config.nslp_id};
    if (!gist_message_has(confirm, GIST_OBJECT_RESPONDER_COOKIE)) {
        gist_reject(node, reception, GIST_NO_ROUTING_STATE, 0);
        return false;
    }
    /* A secret that has had its time must not verify merely because nobody asked since. */
    gist_cookie_rollover(
        &node->secrets, &node->crypto, node->now_ms, node->config.cookie_rollover_ms);
    if (!SPEC_HOLDS("RFC5971-5.7.1-13", 2,
            gist_responder_cookie_verify(
                &node->secrets, &node->crypto, &binding, confirm->responder_cookie, content))) {
        reject_cookie(node, reception, GIST_OBJECT_RESPONDER_COOKIE);
        refuse_confirm(node, reception, state);
        return false;
    }
    return !content->stack_offered || check_confirm_stack(node, reception, state);
}

/* The first Confirm gives a new association its peer and hold time, 4.4.5. */
static bool bind_association(struct gist_node *node, const struct gist_reception *reception)
{
    struct gist_association *association = reception->association;
    if (!association || association->peer)
        return true;
    uint32_t hold_ms = gist_message_has(&reception->message, GIST_OBJECT_STACK_CONFIGURATION)
                           ? reception->message.stack_configuration.hold_time_ms
                           : node->config.association_hold_ms;
    return gist_association_bind(node, association, &reception->message.nli, hold_ms);
}

/* Rule 3: nothing was kept for the Query; the cookie brings it all back. */
void gist_node_confirm(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *confirm = &reception->message;
    struct gist_cookie_content content;
    struct gist_routing_state *state = find_state(node, confirm);
    if (!check_session(node, reception))
        return;
    if (state && state->role != GIST_RESPONDING) {
        if (SPEC_NEVER("RFC5971-6.2-7", 1))
            gist_reject(node, reception, GIST_NO_ROUTING_STATE, 0);
        return;
    }
    if (state && state->state == GIST_RESPONDING_ESTABLISHED) { /* 6.3, rule 10 */
        if (SPEC_NEVER("RFC5971-6.3-2", 1))
            gist_reject(node, reception, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0);
        return;
    }
    if (!check_confirm(node, reception, state, &content) || !bind_association(node, reception))
        return;
    if (!state) {
        struct gist_mri towards_peer = gist_mri_reversed(&confirm->mri);
        state =
            gist_routing_state_create(node, GIST_RESPONDING, &towards_peer, &confirm->session_id);
        if (!state)
            return;
        gist_responding_start(state);
    }
    struct gist_event event = {.kind = GIST_RX_CONFIRM, .reception = reception, .cookie = &content};
    gist_responding_event(node, state, &event);
}

/* In D-mode only the addresses tell a peer from somebody who knows the session. */
static bool comes_from_peer_of(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state)
{
    if (reception->association || !state->peer)
        return true;
    return gist_peer_find(node, &reception->message.nli) == state->peer &&
           gist_address_equal(&reception->arrival->source.address, &state->peer->address);
}

/* 4.3.2: the validation checks, in their sequence. */
void gist_node_data(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *message = &reception->message;
    if (message->header.explicitly_routed) {
        if (reception->association && reception->association->peer)
            gist_deliver(node, reception, NULL, false);
        return;
    }
    struct gist_routing_state *state = find_state(node, message);
    if (!state) {
        if (SPEC_ACT("RFC5971-4.3.2-12", 1))
            gist_reject(node, reception,
                SPEC_VALUE("RFC5971-4.4.6-3", 1, GIST_NO_ROUTING_STATE,
                    GIST_INCORRECTLY_DELIVERED_MESSAGE),
                0);
        return;
    }
    if (!SPEC_HOLDS("RFC5971-4.3.2-11", 1,
            !reception->association || state->association == reception->association)) {
        gist_reject(node, reception, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0);
        return;
    }
    if (!comes_from_peer_of(node, reception, state)) {
        node->counters.messages_rejected++;
        return;
    }
    struct gist_event event = {.kind = GIST_RX_DATA, .reception = reception};
    if (state->role == GIST_QUERYING)
        gist_querying_event(node, state, &event);
    else
        gist_responding_event(node, state, &event);
}

/* An Error about a message to the peer comes from the peer, the way that the message went. Who else
 * is on the path answers Queries only. */
static struct gist_routing_state *find_state_at_fault(
    struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_error_data *error = &reception->message.error;
    if (!error->has_session_id || !error->has_mri || !error->mri_understood)
        return NULL;
    struct gist_routing_state *state =
        gist_routing_state_find(node, &error->mri, &error->session_id);
    if (!state || error->original.type == GIST_QUERY)
        return state;
    if (state->association != reception->association)
        return NULL;
    bool strange = !reception->association && state->peer &&
                   !gist_address_equal(&reception->arrival->source.address, &state->peer->address);
    return strange ? NULL : state;
}

/* 4.4.6: an Error that belongs to nothing is not answered. */
static void answer_nothing(struct gist_node *node, const struct gist_reception *error)
{
    bool lost = error->message.error.code == GIST_NO_ROUTING_STATE;
    if (lost ? !SPEC_NEVER("RFC5971-4.4.6-4b", 1) : !SPEC_NEVER("RFC5971-4.4.6-2a", 1))
        return;
    struct gist_reception as_data = *error;
    as_data.message.header.type = GIST_DATA;
    gist_reject(node, &as_data, GIST_NO_ROUTING_STATE, 0);
}

/* Rule 4, er_NoRSM; the other errors only tell, but for Endpoint Found: no peer will answer. */
void gist_node_error(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_error_data *error = &reception->message.error;
    struct gist_routing_state *state = find_state_at_fault(node, reception);
    node->counters.errors_received++;
    if (!state) {
        answer_nothing(node, reception);
        return;
    }
    struct gist_event event = {.kind = GIST_ER_NO_RSM, .reception = reception};
    if (error->code == GIST_NO_ROUTING_STATE && state->role == GIST_QUERYING)
        gist_querying_event(node, state, &event);
    else if (error->code == GIST_NO_ROUTING_STATE)
        gist_responding_event(node, state, &event);
    else if (error->code == GIST_ENDPOINT_FOUND && error->original.type == GIST_QUERY &&
             state->role == GIST_QUERYING && state->state == GIST_QUERYING_AWAITING_RESPONSE)
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
}

/* The rules of Node-SM; see node_rules.h. RFC 5971 6.1, with 4.3.2, 4.4.1, 4.4.6 and 7.2.1. */
#include "core/gist/machines/node_rules.h"

#include "core/gist/machines/association_choice.h"
#include "core/gist/machines/confirm_check.h"
#include "core/gist/machines/guest.h"
#include "core/gist/machines/mutants.h"
#include "core/gist/machines/query_check.h"
#include "core/gist/machines/querying_machine.h"
#include "core/gist/machines/responding_machine.h"
#include "core/gist/state/association.h"
#include "core/gist/state/ip_distance.h"
#include "core/gist/state/node_share.h"
#include "core/gist/state/upcall.h"
#include "core/gist/state/validity.h"
#include "core/gist/transport/authorisation.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/error_message.h"
#include "core/gist/transport/response_message.h"
#include "core/spec/spec.h"

static void pass_event(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    if (state->role == GIST_QUERYING)
        gist_querying_event(node, state, event);
    else
        gist_responding_event(node, state, event);
}

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
    SPEC_DO("RFC5971-4.3.2-4", 1) {
        node->counters.queries_forwarded +=
            gist_datagram_forward(node, reception, message->header.hop_count);
    }
}

/* Rule 1, without state: does the application want to be a peer of the sender? The flow's last node
 * has nobody to send the Query on to, so it answers whatever the application wants. */
static void answer_or_forward(struct gist_node *node, const struct gist_reception *query)
{
    bool ends_here =
        node->transport.is_local(node->transport.context, &query->arrival->destination.address);
    bool final = SPEC_VALUE("RFC5971-4.3.2-1", 1, ends_here, false);
    enum gist_peering peering = gist_deliver(node, query, NULL, true);
    if (peering == GIST_FORWARD && !final) {
        forward_query(node, query);
        return;
    }
    SPEC_DO("RFC5971-4.4.1-2", 1) {
        gist_send_response(node, query, gist_reusable_association(node, &query->message), NULL);
    }
}

/* One Query for established state now and then counts for nobody: their number is that of the
 * states, of which peers refresh each half a validity time after the last, at the earliest. */
static bool refreshes(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_nli *nli)
{
    if (!state || !state->peer || !gist_peer_is(state->peer, nli) ||
        node->now_ms < state->free_query_ms)
        return false;
    state->free_query_ms = node->now_ms + gist_validity_ms(node) / 4;
    return true;
}

/* Another makes work before anything shows who sent it. */
static bool has_query_share(struct gist_node *node, const struct gist_reception *query)
{
    const struct gist_nli *nli = &query->message.nli;
    struct gist_share_holder holder =
        gist_node_holder(node, &nli->interface_address, query->arrival->interface);
    if (refreshes(node, find_state(node, &query->message), nli))
        return true;
    if (gist_node_share_take(node, &holder, GIST_SHARE_OF_QUERIES, 1) == GIST_SHARE_TAKEN)
        return true;
    node->counters.queries_refused++;
    return false;
}

/* Rule 1. */
void gist_node_query(struct gist_node *node, const struct gist_reception *reception)
{
    if (!has_query_share(node, reception))
        return;
    if (!check_session(node, reception) || !gist_check_query_path(node, reception))
        return;
    if (reception->message.mri.upstream) { /* legal, though this node itself never sends one */
        SPEC_NEVER("RFC5971-5.8.1.3-1b", 1) {
            return;
        }
    }
    struct gist_routing_state *state = find_state(node, &reception->message);
    struct gist_event event = {.kind = GIST_RX_QUERY, .reception = reception};
    if (!state)
        answer_or_forward(node, reception);
    else if (state->role == GIST_RESPONDING) /* else our own handshake with it goes on */
        gist_responding_event(node, state, &event);
}

/* Any of the cookies of our Queries will do: the Response may be to one before the last. */
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

/* A Response over an association is from the peer at its other end. */
static bool comes_from_its_peer(const struct gist_reception *response)
{
    if (response->association)
        return response->association->peer &&
               gist_peer_is(response->association->peer, &response->message.nli);
    return gist_address_equal(
        &response->message.nli.interface_address, &response->arrival->source.address);
}

/* The state that our Query made. Behind a NAT the peer saw, and gives, another MRI than we sent;
 * the NAT-Traversal object that the NAT put into the Query brings ours back, 7.2.1. */
static struct gist_routing_state *find_querying_state(
    struct gist_node *node, const struct gist_message *response)
{
    struct gist_routing_state *state = find_state(node, response);
    if (!state && gist_message_has(response, GIST_OBJECT_NAT_TRAVERSAL) &&
        response->nat_traversal.mri_understood)
        state = gist_routing_state_find(node, &response->nat_traversal.mri, &response->session_id);
    return state && state->role == GIST_QUERYING ? state : NULL;
}

/* Rule 2, and what precedes rx_Response of Querying-SM: an error never answers it, 4.4.6. */
void gist_node_response(struct gist_node *node, const struct gist_reception *reception)
{
    struct gist_routing_state *state = find_querying_state(node, &reception->message);
    if (!state) {
        node->counters.messages_rejected++;
        SPEC_NEVER("RFC5971-4.4.6-1a", 1) {
            gist_reject(node, reception, GIST_NO_ROUTING_STATE, 0);
        }
        return;
    }
    SPEC_ENSURE("RFC5971-4.4.1-11", 1, is_own_cookie(state, &reception->message)) {
        gist_reject_cookie(node, reception, GIST_OBJECT_QUERY_COOKIE);
        return;
    }
    SPEC_ENSURE("RFC5971-7.2.1-6a", 1, comes_from_its_peer(reception)) {
        node->counters.messages_rejected++;
        SPEC_DO("RFC5971-7.2.1-6b", 1) { /* a NAT that knows nothing of GIST */
            gist_querying_end_handshake(node, state);
        }
        return;
    }
    struct gist_event event = {.kind = GIST_RX_RESPONSE, .reception = reception};
    gist_querying_event(node, state, &event);
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

/* Whoever comes over a secure association, for this flow as for those before. */
static bool is_authorised(struct gist_node *node, const struct gist_reception *confirm)
{
    struct gist_association *association = confirm->association;
    const struct gist_message *message = &confirm->message;
    if (!association || association->stack != GIST_STACK_TLS_TCP)
        return true;
    bool authorised =
        gist_is_authorised(node, association, &message->nli.interface_address, &message->mri);
    if (association->peer) {
        SPEC_ENSURE("RFC5971-4.4.3-5", 1, authorised) {
            gist_refuse_peer(node, association);
            return false;
        }
        return true;
    }
    SPEC_ENSURE("RFC5971-4.4.1-7a", 1, authorised) {
        gist_refuse_peer(node, association);
        return false;
    }
    return true;
}

/* Whether a Confirm has nothing to say to the state that is there. */
static bool comes_too_late(struct gist_node *node, const struct gist_reception *confirm,
    const struct gist_routing_state *state)
{
    if (state->role != GIST_RESPONDING) {
        SPEC_NEVER("RFC5971-6.2-7", 1) {
            gist_reject(node, confirm, GIST_NO_ROUTING_STATE, 0);
        }
        return true;
    }
    if (state->state == GIST_RESPONDING_ESTABLISHED) { /* 6.3, rule 10 */
        SPEC_NEVER("RFC5971-6.3-2", 1) {
            gist_reject(node, confirm, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0);
        }
        return true;
    }
    return false;
}

/* The cookie has come back from the address in the NLI: it is that host's. */
static struct gist_routing_state *create_responding_state(
    struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *confirm = &reception->message;
    struct gist_mri towards_peer = gist_mri_reversed(&confirm->mri);
    struct gist_share_holder holder = gist_node_holder(node, &confirm->nli.interface_address,
        reception->association ? reception->association->interface : reception->arrival->interface);
    if (gist_node_share_take(node, &holder, GIST_SHARE_OF_ROUTING_STATES, 1) != GIST_SHARE_TAKEN) {
        node->counters.routing_states_refused++;
        return NULL;
    }
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_RESPONDING, &towards_peer, &confirm->session_id);
    if (!state) {
        gist_node_share_give_back(node, &holder, GIST_SHARE_OF_ROUTING_STATES, 1);
        return NULL;
    }
    state->holder = holder;
    state->is_charged = true;
    gist_responding_start(state);
    return state;
}

/* What comes as a datagram and is for the application: routing state, or a cookie, has shown that
 * it is from this address. What associations bring has been counted. */
static bool has_message_share(
    struct gist_node *node, const struct gist_reception *reception, enum gist_share_of what)
{
    if (reception->association)
        return true;
    struct gist_share_holder holder = gist_node_holder(
        node, &reception->message.nli.interface_address, reception->arrival->interface);
    if (gist_node_share_take(node, &holder, what, 1) == GIST_SHARE_TAKEN)
        return true;
    node->counters.messages_refused++;
    return false;
}

/* Whoever says much of one session uses up what it has, not what its network has. */
static bool has_session_share(struct gist_node *node, struct gist_routing_state *state)
{
    uint32_t rate = node->config.session_messages_per_second;
    if (state->datagrams.rate != rate) /* the first one, or another limit since */
        state->datagrams = base_token_bucket_full(rate, 2 * rate, node->now_ms);
    if (base_token_bucket_take(&state->datagrams, node->now_ms))
        return true;
    node->counters.messages_refused++;
    return false;
}

static bool has_data_share(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state)
{
    if (state->role == GIST_QUERYING)
        return has_message_share(node, reception, GIST_SHARE_OF_ANSWERS);
    return (reception->association || has_session_share(node, state)) &&
           has_message_share(node, reception, GIST_SHARE_OF_MESSAGES);
}

/* Rule 3: nothing was kept for the Query; the cookie brings it all back. */
void gist_node_confirm(struct gist_node *node, const struct gist_reception *reception)
{
    struct gist_cookie_content content;
    struct gist_routing_state *state = find_state(node, &reception->message);
    if (!check_session(node, reception) || (state && comes_too_late(node, reception, state)) ||
        !gist_check_confirm(node, reception, state, &content) || !is_authorised(node, reception) ||
        !has_message_share(node, reception, GIST_SHARE_OF_MESSAGES) ||
        !bind_association(node, reception))
        return;
    if (!state)
        state = create_responding_state(node, reception);
    if (!state)
        return;
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

/* What an association carries without being for it. */
static bool is_delivered_incorrectly(
    const struct gist_reception *reception, const struct gist_routing_state *state)
{
    bool comes_first = SPEC_VALUE("RFC5971-4.3.2-10", 1, true, state != NULL);
    return reception->association && comes_first &&
           (!state || (state->association != reception->association &&
                          !gist_guest_sent(state, reception->association)));
}

/* 4.3.2: the validation checks, in their sequence (ruling A106). */
void gist_node_data(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_message *message = &reception->message;
    /* No routing state vouches for the sender, so the association has to: in D-mode anybody could
     * send this. */
    if (message->header.explicitly_routed) {
        SPEC_DO("RFC5971-7.1.4-5", 1) {
            if (reception->association && reception->association->peer)
                gist_deliver(node, reception, NULL, false);
            return;
        }
    }
    struct gist_routing_state *state = find_state(node, message);
    SPEC_ENSURE("RFC5971-4.3.2-11", 1, !is_delivered_incorrectly(reception, state)) {
        gist_reject(node, reception, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0);
        return;
    }
    if (!state) {
        SPEC_DO("RFC5971-4.3.2-12", 1) {
            gist_reject(node, reception,
                SPEC_VALUE("RFC5971-4.4.6-3", 1, GIST_NO_ROUTING_STATE,
                    GIST_INCORRECTLY_DELIVERED_MESSAGE),
                0);
        }
        return;
    }
    if (!comes_from_peer_of(node, reception, state)) {
        node->counters.messages_rejected++;
        return;
    }
    if (!has_data_share(node, reception, state))
        return;
    state->ip_distance = gist_ip_distance(reception, state->ip_distance);
    struct gist_event event = {.kind = GIST_RX_DATA, .reception = reception};
    pass_event(node, state, &event);
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
static void ignore_error(struct gist_node *node, const struct gist_reception *error)
{
    if (error->message.error.code == GIST_NO_ROUTING_STATE) {
        SPEC_NEVER("RFC5971-4.4.6-4b", 1) {
            gist_mutant_answer_error(node, error);
        }
    } else {
        SPEC_NEVER("RFC5971-4.4.6-2a", 1) {
            gist_mutant_answer_error(node, error);
        }
    }
}

/* Whoever reports this of a Query has it from the end of its way: no peer will answer. */
static bool ends_the_handshake(const struct gist_error_data *error)
{
    return error->original.type == GIST_QUERY &&
           (error->code == GIST_ENDPOINT_FOUND || error->code == GIST_HOP_LIMIT_EXCEEDED);
}

/* Rule 4, er_NoRSM; the other errors only tell, but for those that end a first handshake. */
void gist_node_error(struct gist_node *node, const struct gist_reception *reception)
{
    const struct gist_error_data *error = &reception->message.error;
    struct gist_routing_state *state = find_state_at_fault(node, reception);
    node->counters.errors_received++;
    if (!state) {
        ignore_error(node, reception);
        return;
    }
    struct gist_event event = {.kind = GIST_ER_NO_RSM, .reception = reception};
    if (error->code == GIST_NO_ROUTING_STATE)
        pass_event(node, state, &event);
    else if (ends_the_handshake(error) && state->role == GIST_QUERYING &&
             state->state == GIST_QUERYING_AWAITING_RESPONSE)
        gist_querying_end_handshake(node, state);
}

/* Querying-SM: routing state at the node that queries. RFC 5971 6.2, Figure 7, row for row. */
#include "core/gist/machines/querying_machine.h"

#include "core/gist/machines/association_choice.h"
#include "core/gist/machines/mutants.h"
#include "core/gist/state/association.h"
#include "core/gist/state/ip_distance.h"
#include "core/gist/state/message_status.h"
#include "core/gist/state/upcall.h"
#include "core/gist/state/validity.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/confirm_message.h"
#include "core/gist/transport/data_message.h"
#include "core/gist/transport/query_message.h"
#include "core/spec/spec.h"

enum { REFRESH_INTERVAL_MIN_MS = 1000, VALIDITY_MIN_MS = 2 * REFRESH_INTERVAL_MIN_MS };

static void restart_inactive(struct gist_node *node, struct gist_routing_state *state)
{
    gist_routing_state_start_timer(
        node, state, &state->inactive, gist_moment_after(node, state->inactive_ms));
}

/* 4.2.1: what is not refreshed by then is purged. */
static uint64_t expiry_ms(const struct gist_routing_state *state)
{
    return SPEC_VALUE("RFC5971-4.2.1-1", 2, state->valid_until_ms, GIST_NO_DEADLINE);
}

static void delete_state(struct gist_node *node, struct gist_routing_state *state)
{
    bool known = state->peer != NULL;
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    if (known)
        gist_notify(node, state, GIST_NOTIFY_ROUTE_DELETED);
}

/* 5.3.3: binary exponential backoff from T1 to T2, ended early by the application's patience; and
 * by the end of the state that a refresh is for, 4.2.1. */
static void start_no_response(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_handshake *handshake = &state->handshake;
    uint64_t deadline_ms = node->now_ms + handshake->interval_ms;
    if (handshake->give_up_ms != 0 && deadline_ms > handshake->give_up_ms) {
        SPEC_DO("RFC5971-5.3.3-5", 1) {
            deadline_ms = handshake->give_up_ms;
        }
    }
    if (state->state == GIST_QUERYING_AWAITING_REFRESH && deadline_ms > expiry_ms(state))
        deadline_ms = expiry_ms(state);
    gist_routing_state_start_timer(node, state, &handshake->timer, deadline_ms);
    gist_machine_back_off(node, handshake, SPEC_VALUE("RFC5971-5.3.3-1b", 1, 2, 1));
}

static void start_handshake(struct gist_node *node, struct gist_routing_state *state)
{
    state->handshake.attempts = 0;
    state->handshake.proposed = state->wants_association;
    state->handshake.proposed_secure = state->wants_security;
    state->handshake.interval_ms = node->config.query_timer_ms;
    gist_send_query(node, state);
    start_no_response(node, state);
}

/* Who we are towards the flow's end, as routing has it now. Returns false without a route. */
static bool look_up_route(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_route route;
    if (!node->transport.route(node->transport.context, &state->mri.destination, &route))
        return false;
    state->own_address = route.local;
    state->interface = route.interface;
    SPEC_NEVER("RFC5971-5.2.2-3", 1) {
        gist_mutant_take_other_address(node, state);
    }
    return true;
}

/* Without a route the Queries fail one by one, until there is a route or patience ends. */
static void restart_handshake(struct gist_node *node, struct gist_routing_state *state)
{
    look_up_route(node, state);
    start_handshake(node, state);
}

/* Begins a refresh now, with a Stack-Proposal. */
static void ask_for_association(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_event refresh = {.kind = GIST_TO_REFRESH_QNODE};
    state->wants_association = true;
    gist_querying_event(node, state, &refresh);
}

/* Whether the handshake that is over asked for what this message needs. */
static bool was_asked_for(
    const struct gist_routing_state *state, const struct gist_outgoing *message)
{
    return state->handshake.proposed && (state->handshake.proposed_secure || !message->secure);
}

/* What is stored goes out in order. A message that needs an association for which this handshake
 * did not ask waits for one that does; where the peer offered none, it fails. */
static void send_stored(struct gist_node *node, struct gist_routing_state *state)
{
    for (struct gist_queued_message *queued;
         !state->dead && (queued = gist_queue_take(&state->queue));) {
        if (state->queue.first) {
            SPEC_NEVER("RFC5971-4.1.2-2", 1) {
                queued = gist_mutant_take_later(&node->queued, &state->queue, queued);
            }
        }
        gist_queue_discount(&node->queued, queued);
        enum gist_delivery delivery = gist_send_data(node, state, &queued->message);
        if (delivery == GIST_NEEDS_ASSOCIATION && !was_asked_for(state, &queued->message)) {
            gist_queue_put_back(&node->queued, &state->queue, queued);
            ask_for_association(node, state);
            return;
        }
        gist_message_handle handle = queued->message.handle;
        gist_queue_release(&node->queued, queued);
        if (delivery != GIST_DELIVERED)
            gist_report_status(node, handle, GIST_STATUS_CONNECT_FAILED);
    }
    state->handshake.give_up_ms = 0;
}

/* B.1: what waits for an answer waits no longer than the most impatient of the messages may. */
static void shorten_patience(
    struct gist_node *node, struct gist_routing_state *state, uint64_t give_up_ms)
{
    struct gist_handshake *handshake = &state->handshake;
    if (give_up_ms == 0 || (handshake->give_up_ms != 0 && give_up_ms >= handshake->give_up_ms))
        return;
    handshake->give_up_ms = give_up_ms;
    if (handshake->timer.running && handshake->timer.deadline_ms > give_up_ms)
        gist_routing_state_start_timer(node, state, &handshake->timer, give_up_ms);
}

/* Rule 1. */
static void store_message(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    state->wants_association |= event->outgoing->reliable;
    state->wants_security |= event->outgoing->secure;
    event->result = GIST_SENT;
    SPEC_DO("RFC5971-6.2-1b", 1) {
        if (!gist_queue_put(&node->queued, &state->queue, event->outgoing))
            event->result = GIST_SEND_NO_MEMORY;
    }
    if (event->result == GIST_SENT)
        shorten_patience(node, state, event->give_up_ms);
}

static bool query_is_max(const struct gist_node *node, const struct gist_routing_state *state)
{
    const struct gist_handshake *handshake = &state->handshake;
    if (state->state == GIST_QUERYING_AWAITING_REFRESH && node->now_ms >= expiry_ms(state))
        return true;
    return handshake->attempts >= node->config.query_attempts_max ||
           (handshake->give_up_ms != 0 && node->now_ms >= handshake->give_up_ms);
}

/* Rule 2. */
static void query_again(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    if (query_is_max(node, state)) {
        delete_state(node, state);
        return;
    }
    gist_send_query(node, state);
    start_no_response(node, state);
}

/* Rule 3. */
static void begin_anew(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    base_timer_stop(&node->timers, &state->validity);
    SPEC_DO("RFC5971-4.4.6-5", 1) {
        restart_handshake(node, state);
    }
}

static void start_refresh(
    struct gist_node *node, struct gist_routing_state *state, uint32_t told_ms)
{
    uint64_t validity_ms = SPEC_VALUE("RFC5971-6.2-4", 1, told_ms, 2 * (uint64_t)told_ms);
    uint64_t moment = gist_refresh_moment(node, validity_ms);
    state->valid_until_ms =
        node->now_ms + (validity_ms > VALIDITY_MIN_MS ? validity_ms : VALIDITY_MIN_MS);
    if (moment < node->now_ms + REFRESH_INTERVAL_MIN_MS)
        moment = node->now_ms + REFRESH_INTERVAL_MIN_MS;
    SPEC_DO("RFC5971-7.1.2-1", 1) {
        gist_routing_state_start_timer(node, state, &state->validity, moment);
    }
}

/* What the Response tells of the peer. Returns false without memory. */
static bool adopt_peer(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_reception *response)
{
    const struct gist_message *message = &response->message;
    if (!gist_routing_state_set_peer(node, state, &message->nli))
        return false;
    if (response->arrival) {
        state->peer_port = response->arrival->source.port;
        state->interface = response->arrival->interface;
    }
    state->ip_distance = gist_ip_distance(response, state->ip_distance);
    return true;
}

/* Rule 7. */
static void deliver_data(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    restart_inactive(node, state);
    gist_deliver(node, event->reception, state, false);
}

/* 7.1.3: the peer is found, or another one than before. */
static void report_peer(
    struct gist_node *node, const struct gist_routing_state *state, bool first, bool changed)
{
    if (first)
        gist_notify(node, state, GIST_NOTIFY_ROUTING_STATUS_GOOD);
    else if (changed)
        gist_notify(node, state, GIST_NOTIFY_ROUTE_CHANGED);
}

/* Rule 4. Without a stack in common the Confirm is a datagram, 5.1, and no message can follow it:
 * the peer, having offered one, refuses this Confirm. */
static void accept_response(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    const struct gist_message *response = &event->reception->message;
    bool first = state->peer == NULL;
    bool changed = !first && !gist_peer_is(state->peer, &response->nli);
    if (!state->handshake.timer.running) {
        SPEC_NEVER("RFC5971-6.2-3", 1) {
            return;
        }
    }
    base_timer_stop(&node->timers, &state->handshake.timer);
    if (!adopt_peer(node, state, event->reception)) {
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        return;
    }
    start_refresh(node, state, response->nli.validity_ms);
    if (!state->inactive.running)
        restart_inactive(node, state);
    bool has_stack = gist_choose_association(node, state, event->reception);
    if (state->dead)
        return;
    if (response->header.reply_requested) {
        SPEC_DO("RFC5971-5.1-11b", 1) {
            gist_send_confirm(node, state, response);
        }
    }
    if (!has_stack) {
        gist_queue_fail(node, &state->queue, GIST_STATUS_CONNECT_FAILED);
        return;
    }
    if (!state->dead)
        report_peer(node, state, first, changed);
    send_stored(node, state);
    if (gist_message_has(response, GIST_OBJECT_NSLP_DATA) && !state->dead)
        deliver_data(node, state, event);
}

/* Rule 5. Without the association that it needs, the message waits for a handshake to make one. */
static void send_or_store(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    restart_inactive(node, state);
    enum gist_delivery delivery = gist_send_data(node, state, event->outgoing);
    event->result = delivery == GIST_DELIVERED ? GIST_SENT : GIST_SEND_NO_MEMORY;
    if (delivery != GIST_NEEDS_ASSOCIATION)
        return;
    store_message(node, state, event);
    state->wants_association = true;
    if (event->result == GIST_SENT && state->state == GIST_QUERYING_ESTABLISHED)
        ask_for_association(node, state);
}

/* Rule 6. */
static void end_inactive(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    gist_notify(node, state, GIST_NOTIFY_ROUTE_DELETED);
}

/* 4.4.4: where the session began elsewhere, it is over when the state towards there is. */
static bool session_goes_on(struct gist_node *node, struct gist_routing_state *state)
{
    bool before = gist_routing_state_before(node, state) != NULL;
    state->follows_another |= before;
    return before || !state->follows_another;
}

/* Back to where no handshake goes on, with the time that is left. */
static void wait_for_expiry(struct gist_node *node, struct gist_routing_state *state)
{
    state->state = GIST_QUERYING_ESTABLISHED;
    base_timer_stop(&node->timers, &state->handshake.timer);
    gist_routing_state_start_timer(node, state, &state->validity, state->valid_until_ms);
}

/* Rule 8. */
static void begin_refresh(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    base_timer_stop(&node->timers, &state->validity);
    if (node->now_ms >= expiry_ms(state)) {
        delete_state(node, state);
        return;
    }
    SPEC_ENSURE("RFC5971-4.4.4-6", 1, session_goes_on(node, state)) {
        wait_for_expiry(node, state);
        return;
    }
    restart_handshake(node, state);
}

static const struct gist_transition transitions[] = {
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TG_NSLP_DATA, store_message,
        GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TO_NO_RESPONSE, query_again,
        GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_ER_NO_RSM, begin_anew, GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_RX_RESPONSE, accept_response, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TO_INACTIVE_QNODE, end_inactive,
        GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_ESTABLISHED, GIST_ER_NO_RSM, begin_anew, GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_ESTABLISHED, GIST_RX_RESPONSE, accept_response, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_ESTABLISHED, GIST_TG_NSLP_DATA, send_or_store, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_ESTABLISHED, GIST_TO_INACTIVE_QNODE, end_inactive, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_ESTABLISHED, GIST_RX_DATA, deliver_data, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_ESTABLISHED, GIST_TO_REFRESH_QNODE, begin_refresh,
        GIST_QUERYING_AWAITING_REFRESH},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TO_NO_RESPONSE, query_again,
        GIST_QUERYING_AWAITING_REFRESH},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_ER_NO_RSM, begin_anew, GIST_QUERYING_AWAITING_RESPONSE},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_RX_RESPONSE, accept_response, GIST_QUERYING_ESTABLISHED},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TG_NSLP_DATA, send_or_store,
        GIST_QUERYING_AWAITING_REFRESH},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TO_INACTIVE_QNODE, end_inactive,
        GIST_QUERYING_AWAITING_REFRESH},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_RX_DATA, deliver_data, GIST_QUERYING_AWAITING_REFRESH},
};

void gist_querying_event(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    gist_machine_event(
        transitions, sizeof(transitions) / sizeof(transitions[0]), node, state, event);
}

static void expire_timer(void *node, void *state, enum gist_event_kind kind)
{
    struct gist_event event = {.kind = kind};
    gist_querying_event(node, state, &event);
}

static void expire_no_response(void *node, void *owner)
{
    expire_timer(node, owner, GIST_TO_NO_RESPONSE);
}

static void expire_refresh(void *node, void *owner)
{
    expire_timer(node, owner, GIST_TO_REFRESH_QNODE);
}

static void expire_inactive(void *node, void *owner)
{
    expire_timer(node, owner, GIST_TO_INACTIVE_QNODE);
}

void gist_querying_end_handshake(struct gist_node *node, struct gist_routing_state *state)
{
    if (state->state == GIST_QUERYING_AWAITING_RESPONSE)
        delete_state(node, state);
    else if (state->state == GIST_QUERYING_AWAITING_REFRESH)
        wait_for_expiry(node, state);
}

bool gist_querying_start(struct gist_node *node, struct gist_routing_state *state)
{
    state->handshake.timer.expire = expire_no_response;
    state->validity.expire = expire_refresh;
    state->inactive.expire = expire_inactive;
    state->handshake.timer.owner = state->validity.owner = state->inactive.owner = state;
    if (!look_up_route(node, state))
        return false;
    state->state = GIST_QUERYING_AWAITING_RESPONSE;
    state->follows_another = gist_routing_state_before(node, state) != NULL;
    start_handshake(node, state);
    return true;
}

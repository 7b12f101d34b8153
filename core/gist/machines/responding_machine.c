/*
 * Responding-SM: routing state at the node that answers. RFC 5971 6.3, Figure 8, row for row.
 *
 * This node's policy is case 3: a Confirm is always required, and nothing is kept before it. The
 * rows of Figure 8 for a Query that needs no Confirm are therefore left out, and Awaiting Confirm
 * has its rows though a machine here is born by a Confirm.
 */
#include "core/gist/machines/responding_machine.h"

#include "core/gist/machines/association_choice.h"
#include "core/gist/machines/guest.h"
#include "core/gist/state/association.h"
#include "core/gist/state/ip_distance.h"
#include "core/gist/state/message_status.h"
#include "core/gist/state/upcall.h"
#include "core/gist/state/validity.h"
#include "core/gist/transport/data_message.h"
#include "core/gist/transport/error_message.h"
#include "core/gist/transport/own_message.h"
#include "core/gist/transport/response_message.h"
#include "core/spec/spec.h"

static void start_no_confirm(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_handshake *handshake = &state->handshake;
    gist_routing_state_start_timer(
        node, state, &handshake->timer, node->now_ms + handshake->interval_ms);
    gist_machine_back_off(node, handshake, SPEC_VALUE("RFC5971-5.3.3-10b", 1, 2, 1));
}

static void start_expire(struct gist_node *node, struct gist_routing_state *state)
{
    gist_routing_state_start_timer(
        node, state, &state->validity, node->now_ms + gist_validity_ms(node));
}

/* Takes what the Confirm says of the peer: it may be another one than before. */
static bool adopt_peer(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_event *event)
{
    const struct gist_reception *confirm = event->reception;
    struct gist_address own;
    if (!gist_own_address(node, &confirm->message.nli.interface_address, &own) ||
        !gist_routing_state_set_peer(node, state, &confirm->message.nli))
        return false;
    state->own_address = own;
    state->interface = event->cookie->interface;
    state->ip_distance = gist_ip_distance(confirm, event->cookie->ip_distance);
    state->hop_count = event->cookie->hop_count;
    if (confirm->arrival)
        state->peer_port = confirm->arrival->source.port;
    gist_routing_state_use_association(node, state, confirm->association);
    return true;
}

static void deliver_nslp_data(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_event *event)
{
    const struct gist_reception *reception = event->reception;
    if (!gist_message_has(&reception->message, GIST_OBJECT_NSLP_DATA) || state->dead)
        return;
    if (gist_guest_sent(state, reception->association))
        gist_guest_deliver(node, state, reception);
    else
        gist_deliver(node, reception, state, false);
}

/* Whoever knows a flow and its session id can send Queries. Where they are not the peer's, they are
 * answered as without state, case 3: the Response is kept nowhere and not repeated, so that the
 * peer's state does not end by rule 9 for want of another's Confirm. */
static bool is_the_peers(
    const struct gist_routing_state *state, const struct gist_reception *reception)
{
    return !state->peer || gist_peer_is(state->peer, &reception->message.nli);
}

/* Rule 1. */
static void answer_query(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    const struct gist_reception *query = event->reception;
    bool is_refresh = is_the_peers(state, query);
    struct gist_association *association = gist_reusable_association(node, &query->message);
    SPEC_DO("RFC5971-6.3-3", 1) {
        gist_send_response(node, query, association, is_refresh ? state : NULL);
    }
    if (is_refresh) {
        state->handshake.attempts = 1;
        state->handshake.interval_ms = node->config.query_timer_ms;
        start_no_confirm(node, state);
    }
    deliver_nslp_data(node, state, event);
}

/* Rule 2. */
static void accept_first_confirm(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    if (!adopt_peer(node, state, event)) {
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        return;
    }
    start_expire(node, state);
    gist_notify(node, state, GIST_NOTIFY_ROUTING_STATUS_GOOD);
    deliver_nslp_data(node, state, event);
}

/* Rule 3. */
static void send_data(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    switch (gist_send_data(node, state, event->outgoing)) {
    case GIST_DELIVERED:
        event->result = GIST_SENT;
        break;
    case GIST_NEEDS_ASSOCIATION: /* opening one is up to the querying node, 5.7.2 */
        event->result = GIST_SEND_NO_ROUTE;
        break;
    case GIST_NOT_DELIVERED:
        event->result = GIST_SEND_NO_MEMORY;
        break;
    }
}

/* Rule 4. */
static void deliver_data(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    deliver_nslp_data(node, state, event);
}

/* Rule 6. */
static void reject_data(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)state;
    struct gist_fault fault = gist_fault_of(GIST_NO_ROUTING_STATE, 0);
    gist_send_error(node, event->reception, &fault);
}

/* Rule 7. */
static void store_message(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    event->result = gist_queue_put(&node->queued, &state->queue, event->outgoing)
                        ? GIST_SENT
                        : GIST_SEND_NO_MEMORY;
}

/* Rule 8. */
static void accept_confirm(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    base_timer_stop(&node->timers, &state->handshake.timer);
    if (gist_guest_admit(node, state, event)) {
        deliver_nslp_data(node, state, event);
        return;
    }
    bool changed = state->peer && !gist_peer_is(state->peer, &event->reception->message.nli);
    if (!adopt_peer(node, state, event)) {
        gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        return;
    }
    start_expire(node, state);
    if (changed)
        gist_notify(node, state, GIST_NOTIFY_ROUTE_CHANGED);
    for (struct gist_queued_message *queued;
         !state->dead && (queued = gist_queue_take(&state->queue));) {
        gist_message_handle handle = queued->message.handle;
        gist_queue_discount(&node->queued, queued);
        enum gist_delivery delivery = gist_send_data(node, state, &queued->message);
        gist_queue_release(&node->queued, queued);
        if (delivery != GIST_DELIVERED)
            gist_report_status(node, handle, GIST_STATUS_CONNECT_FAILED);
    }
    deliver_nslp_data(node, state, event);
}

static void delete_state(struct gist_node *node, struct gist_routing_state *state)
{
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    gist_notify(node, state, GIST_NOTIFY_ROUTE_DELETED);
}

/* Rule 9. */
static void respond_again(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    if (state->handshake.attempts >= node->config.query_attempts_max) {
        delete_state(node, state);
        return;
    }
    state->handshake.attempts++;
    gist_send_response_again(node, state);
    start_no_confirm(node, state);
}

/* Rule 10: a Response that came twice makes a second Confirm. */
static void ignore_confirm(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)node;
    (void)state;
    (void)event;
}

/* Rule 11, where the peer has no state any more. */
static void give_up_state(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    SPEC_DO("RFC5971-4.4.6-6a", 1) {
        delete_state(node, state);
    }
}

/* Rule 11, where time is over. */
static void expire_state(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    (void)event;
    SPEC_DO("RFC5971-4.2.1-1", 1) {
        delete_state(node, state);
    }
}

static const struct gist_transition transitions[] = {
    {GIST_RESPONDING_BIRTH, GIST_RX_QUERY, answer_query, GIST_RESPONDING_AWAITING_CONFIRM},
    {GIST_RESPONDING_BIRTH, GIST_RX_CONFIRM, accept_first_confirm, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_TG_NSLP_DATA, store_message,
        GIST_RESPONDING_AWAITING_CONFIRM},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_QUERY, answer_query,
        GIST_RESPONDING_AWAITING_CONFIRM},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_DATA, reject_data, GIST_RESPONDING_AWAITING_CONFIRM},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_CONFIRM, accept_confirm,
        GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_TO_NO_CONFIRM, respond_again,
        GIST_RESPONDING_AWAITING_CONFIRM},
    {GIST_RESPONDING_ESTABLISHED, GIST_RX_CONFIRM, ignore_confirm, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_ESTABLISHED, GIST_RX_DATA, deliver_data, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_ESTABLISHED, GIST_TG_NSLP_DATA, send_data, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_ESTABLISHED, GIST_RX_QUERY, answer_query, GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_ESTABLISHED, GIST_ER_NO_RSM, give_up_state, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_ESTABLISHED, GIST_TO_EXPIRE_RNODE, expire_state, GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TG_NSLP_DATA, send_data,
        GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_QUERY, answer_query,
        GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_DATA, deliver_data,
        GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_CONFIRM, accept_confirm,
        GIST_RESPONDING_ESTABLISHED},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TO_NO_CONFIRM, respond_again,
        GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_ER_NO_RSM, give_up_state,
        GIST_RESPONDING_AWAITING_REFRESH},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TO_EXPIRE_RNODE, expire_state,
        GIST_RESPONDING_AWAITING_REFRESH},
};

void gist_responding_event(
    struct gist_node *node, struct gist_routing_state *state, struct gist_event *event)
{
    gist_machine_event(
        transitions, sizeof(transitions) / sizeof(transitions[0]), node, state, event);
}

static void expire_no_confirm(void *node, void *owner)
{
    struct gist_event event = {.kind = GIST_TO_NO_CONFIRM};
    gist_responding_event(node, owner, &event);
}

static void expire_validity(void *node, void *owner)
{
    struct gist_event event = {.kind = GIST_TO_EXPIRE_RNODE};
    gist_responding_event(node, owner, &event);
}

void gist_responding_start(struct gist_routing_state *state)
{
    state->handshake.timer.expire = expire_no_confirm;
    state->validity.expire = expire_validity;
    state->handshake.timer.owner = state->validity.owner = state;
    state->state = GIST_RESPONDING_BIRTH;
}

/* core/gist: a node that carries out a handshake for somebody else's routing state, and may not
 * take the peer's place. RFC 5971 4.4.4, 8. */
#include "core/gist/machines/guest.h"
#include "core/gist/machines/node_rules.h"
#include "core/gist/machines/responding_machine.h"
#include "core/gist/node/turn.h"
#include "core/gist/state/association.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;
static struct gist_routing_state *state;
static struct gist_association *own;   /* with the peer */
static struct gist_association *other; /* with the node that wants its place */
static struct gist_nli stranger;

static struct {
    size_t times;
    bool answer;
    struct gist_received received;
    uint8_t identity[8];
} asked;

static bool may_take_place(void *context, uint64_t now_ms, const struct gist_received *message)
{
    (void)context, (void)now_ms;
    asked.times++;
    asked.received = *message;
    memcpy(asked.identity, message->peer_identity, message->peer_identity_length);
    return asked.answer;
}

/* Node 1 has routing state towards node 0, and one more association. */
static void start(void)
{
    fixture_start();
    fixture_send("hello", true);
    network_run_for(row->network, 100);
    node = row->nodes[1].gist;
    node->application.may_take_place = may_take_place;
    struct gist_mri towards_peer = gist_mri_reversed(&mri);
    state = gist_routing_state_find(node, &towards_peer, &session);
    cr_assert(state && state->association);
    own = state->association;
    stranger = row_message(row, GIST_CONFIRM).nli;
    stranger.interface_address = gist_address_v4(0xc6336463);
    stranger.peer_identity = (struct gist_octets){(const uint8_t *)"stranger", 8};
    other = gist_association_create(node, GIST_STACK_TCP);
    cr_assert(other && gist_association_bind(node, other, &stranger, 30000));
    other->state = GIST_CONNECTED;
    memset(&asked, 0, sizeof(asked));
}

TestSuite(guest, .init = start, .fini = fixture_stop);

static void happen(enum gist_event_kind kind, enum gist_message_type type,
    const struct gist_nli *nli, struct gist_association *association)
{
    struct gist_arrival arrival = {.source = {nli->interface_address, GIST_PORT},
        .destination = {row->nodes[1].address, GIST_PORT},
        .interface = 4,
        .ip_ttl = 63};
    struct gist_reception reception = {.message = row_message(row, type),
        .arrival = association ? NULL : &arrival,
        .association = association};
    struct gist_cookie_content cookie = {.interface = 4};
    struct gist_event event = {.kind = kind, .reception = &reception, .cookie = &cookie};
    reception.message.nli = *nli;
    gist_node_enter(node, network_now_ms(row->network));
    gist_responding_event(node, state, &event);
    gist_node_leave(node);
}

static void shake_hands(struct gist_association *association)
{
    happen(GIST_RX_QUERY, GIST_QUERY, &stranger, NULL);
    happen(GIST_RX_CONFIRM, GIST_CONFIRM, &stranger, association);
}

static bool is_with_the_peer(void)
{
    return state->association == own && state->peer == own->peer &&
           state->state == GIST_RESPONDING_ESTABLISHED;
}

static void receive_data(struct gist_association *association)
{
    struct gist_reception reception = {
        .message = row_message(row, GIST_DATA), .association = association};
    gist_node_enter(node, network_now_ms(row->network));
    gist_node_data(node, &reception);
    gist_node_leave(node);
}

Test(guest, takes_the_place_where_the_application_lets_it)
{
    asked.answer = true;
    shake_hands(other);
    cr_assert_eq(asked.times, 1);
    cr_assert(state->association == other && state->peer == other->peer);
}

Test(guest, leaves_the_place_where_the_application_says_no)
{
    uint64_t valid_until_ms = state->validity.deadline_ms;
    network_run_for(row->network, 50);
    shake_hands(other);
    cr_assert(is_with_the_peer());
    cr_assert_eq(state->validity.deadline_ms, valid_until_ms, "nor does it keep the state valid");
    cr_assert_not(state->handshake.timer.running);
}

Test(guest, is_named_to_the_application_as_it_has_shown_itself)
{
    shake_hands(other);
    cr_assert(gist_address_equal(&asked.received.peer, &stranger.interface_address));
    cr_assert_eq(asked.received.peer_identity_length, 8);
    cr_assert_arr_eq(asked.identity, "stranger", 8);
    cr_assert_eq(asked.received.interface, 4);
    cr_assert_eq(asked.received.association, other->id);
    cr_assert(gist_session_id_equal(&asked.received.session_id, &session));
    cr_assert(gist_mri_equal(&asked.received.mri, &mri));
}

Test(guest, is_heard_and_answered_and_the_peer_has_everything_else)
{
    gist_sii_handle handle = other->peer->sii_handle;
    shake_hands(other);
    row->nodes[1].heard_count = 0;
    row->nodes[1].replies = true;
    receive_data(other); /* whose answer the network has nowhere to write to: it ends */
    cr_assert_eq(row->nodes[1].heard_count, 1);
    const struct gist_received *received = &row->nodes[1].heard[0].received;
    cr_assert_eq(received->sii_handle, handle);
    cr_assert(received->routing_state_validated);
    cr_assert(is_with_the_peer());
    receive_data(own);
    cr_assert_eq(row->nodes[1].heard_count, 2);
    cr_assert_eq(row->nodes[1].heard[1].received.sii_handle, own->peer->sii_handle);
    row->nodes[1].replies = false;
    row->nodes[0].heard_count = 0;
    network_run_for(row->network, 100);
    cr_assert_eq(row->nodes[0].heard_count, 1, "of two answers one was the guest's");
}

Test(guest, is_not_who_the_peer_is_already)
{
    struct gist_nli peer = stranger;
    peer.interface_address = own->peer->address;
    peer.peer_identity = (struct gist_octets){own->peer->identity, own->peer->identity_length};
    happen(GIST_RX_QUERY, GIST_QUERY, &peer, NULL);
    happen(GIST_RX_CONFIRM, GIST_CONFIRM, &peer, own);
    cr_assert_eq(asked.times, 0);
    cr_assert(is_with_the_peer());
}

Test(guest, of_no_association_is_not_heard)
{
    shake_hands(NULL);
    cr_assert_eq(asked.times, 1);
    cr_assert(is_with_the_peer());
    cr_assert_eq(state->guest, 0);
}

Test(guest, that_had_no_handshake_is_not_heard)
{
    row->nodes[1].heard_count = 0;
    receive_data(other);
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

Test(guest, does_not_follow_the_state_of_another_flow)
{
    shake_hands(other);
    struct gist_reception reception = {
        .message = row_message(row, GIST_DATA), .association = other};
    reception.message.mri.destination_port++;
    row->nodes[1].heard_count = 0;
    gist_node_enter(node, network_now_ms(row->network));
    gist_node_data(node, &reception);
    gist_node_leave(node);
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

Test(guest, outlives_the_peers_association)
{
    shake_hands(other);
    gist_node_association_closed(node, network_now_ms(row->network), own->id);
    cr_assert_null(state->association);
    row->nodes[1].heard_count = 0;
    receive_data(other);
    cr_assert_eq(row->nodes[1].heard_count, 1);
    cr_assert_null(state->association);
}

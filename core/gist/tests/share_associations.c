/* core/gist: how many associations one may have, and how much of them, and who makes room. RFC
 * 5971 8.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/sharing.h"
#include "core/gist/transport/association_machine.h"

#include <criterion/criterion.h>
#include <string.h>

enum { PATIENCE_MS = 10000, MESSAGE_MAX = SHARING_MESSAGE_MAX };

static struct gist_node *node;
static const struct gist_address host = {.version = 4, .octets = {198, 51, 100, 1}};
static const struct gist_address neighbour = {.version = 4, .octets = {198, 51, 100, 200}};
static const struct gist_address other = {.version = 4, .octets = {203, 0, 113, 1}};

static void start(void)
{
    sharing_start();
    node = sharing_node();
}

TestSuite(share_associations, .init = start, .fini = fixture_stop);

static struct gist_counters counters(void)
{
    return gist_node_counters(node);
}

/* Associations. */

static gist_association_id connect_from(const struct gist_address *address, uint32_t interface)
{
    struct gist_endpoint peer = {*address, 40000}, local = {row->nodes[1].address, 4000};
    return gist_node_association_accepted(
        node, network_now_ms(row->network), GIST_STACK_TCP, &peer, &local, interface);
}

static bool is_there(gist_association_id id)
{
    return id != 0 && gist_association_find(node, id);
}

Test(share_associations, a_host_has_so_many_associations)
{
    gist_association_id first = connect_from(&host, 1);
    for (unsigned i = 1; i < 4; i++)
        cr_assert(is_there(connect_from(&host, 1)));
    cr_assert_not(is_there(connect_from(&host, 1)));
    cr_assert_eq(counters().associations_refused, 1);
    cr_assert(is_there(first) && is_there(connect_from(&other, 1)));
    gist_node_association_closed(node, network_now_ms(row->network), first);
    cr_assert(is_there(connect_from(&host, 1)));
}

Test(share_associations, in_a_crowd_the_oldest_stranger_makes_room)
{
    gist_association_id elsewhere = connect_from(&other, 2);
    gist_association_id first = connect_from(&host, 1), second = connect_from(&host, 1);
    for (unsigned i = 0; i < 8; i++) {
        struct gist_address address = far_host(i);
        cr_assert(is_there(connect_from(&address, 1)));
    }
    cr_assert(is_there(first));
    gist_association_id newest = connect_from(&other, 1);
    cr_assert(is_there(newest) && !is_there(first) && is_there(second) && is_there(elsewhere));
    cr_assert_eq(counters().associations_displaced, 1);
}

static void confirm(gist_association_id id, const struct gist_address *address)
{
    struct gist_nli nli = {
        .peer_identity = {(const uint8_t *)"peer", 4}, .interface_address = *address};
    cr_assert(gist_association_bind(node, gist_association_find(node, id), &nli, 30000));
}

Test(share_associations, in_a_crowd_that_has_confirmed_who_is_idle_makes_room_and_who_is_not_stays)
{
    gist_association_id ids[10], late = 0;
    for (unsigned i = 0; i < 10; i++) {
        struct gist_address address = far_host(i);
        ids[i] = connect_from(&address, 1);
        confirm(ids[i], &address);
    }
    struct gist_session_id number = row_session(9);
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_RESPONDING, &mri, &number);
    gist_routing_state_use_association(node, state, gist_association_find(node, ids[0]));
    late = connect_from(&other, 1);
    cr_assert(is_there(late) && is_there(ids[0]) && !is_there(ids[1]) && is_there(ids[2]));
    cr_assert(is_there(connect_from(&neighbour, 1)));
    cr_assert(!is_there(late) && is_there(ids[2]), "who has confirmed nothing goes first");
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
}

Test(share_associations, a_known_peer_gets_in_and_stays)
{
    row->nodes[1].known = other;
    gist_association_id known = connect_from(&other, 1);
    for (unsigned i = 0; i < 400; i++) {
        struct gist_address address = far_host(i);
        connect_from(&address, 1 + i % 5);
    }
    cr_assert(is_there(known) && is_there(connect_from(&other, 1)));
    cr_assert_leq(counters().associations, 22);
}

Test(share_associations, an_association_of_our_own_displaces_a_stranger)
{
    node->config.associations_max = 1;
    gist_association_id stranger = connect_from(&host, 1);
    struct gist_nli nli = {
        .peer_identity = {(const uint8_t *)"peer", 4}, .interface_address = row->nodes[0].address};
    struct gist_peer *peer = gist_peer_acquire(node, &nli);
    cr_assert(is_there(stranger) && gist_association_open(node, peer, GIST_STACK_TCP, 4000, 30000));
    cr_assert_not(is_there(stranger));
    gist_peer_release(node, peer);
}

static void hello(gist_association_id id)
{
    uint8_t octets[64];
    struct gist_message message = {.header = {.version = 1, .hop_count = 1, .type = GIST_MA_HELLO}};
    gist_message_add(&message, GIST_OBJECT_HELLO_ID);
    size_t length = gist_message_build(&message, octets, sizeof(octets));
    gist_node_association_received(node, network_now_ms(row->network), id, octets, length);
}

Test(share_associations, what_confirms_nothing_ends_whatever_it_says)
{
    gist_association_id id = connect_from(&host, 1);
    for (unsigned passed_ms = 0; passed_ms < PATIENCE_MS - 1000; passed_ms += 500) {
        cr_assert(is_there(id));
        hello(id);
        network_run_for(row->network, 500);
    }
    network_run_for(row->network, 2000);
    cr_assert_not(is_there(id));
    cr_assert_eq(counters().associations_unconfirmed, 1);
}

Test(share_associations, what_has_confirmed_stays)
{
    fixture_send("hello", true);
    network_run_for(row->network, 2 * PATIENCE_MS);
    cr_assert(counters().associations == 1 && counters().associations_unconfirmed == 0);
    cr_assert_not(node->inbound->unconfirmed.running);
}

/* Streams. */

static void announce(gist_association_id id, size_t octets)
{
    static uint8_t message[MESSAGE_MAX];
    struct wire_writer writer = wire_writer_over(message, sizeof(message));
    struct gist_common_header header = {
        .version = 1, .hop_count = 1, .type = GIST_DATA, .nslp_id = 33, .length = UINT16_MAX};
    gist_common_header_write(&writer, &header);
    gist_node_association_received(node, network_now_ms(row->network), id, message, octets);
}

Test(share_associations, messages_that_never_end_keep_no_more_than_a_share)
{
    gist_association_id first = connect_from(&host, 1), second = connect_from(&host, 1);
    announce(first, MESSAGE_MAX);
    cr_assert(is_there(first));
    announce(second, MESSAGE_MAX);
    announce(second, MESSAGE_MAX);
    cr_assert(is_there(first) && !is_there(second));
    cr_assert_eq(counters().streams_refused, 1);
    gist_association_id third = connect_from(&other, 1);
    announce(third, MESSAGE_MAX);
    cr_assert(is_there(third));
}

Test(share_associations, all_strangers_streams_are_bounded_and_a_known_peers_has_room)
{
    size_t before = network_memory(row->network)->octets;
    row->nodes[1].known = other;
    for (unsigned i = 0; i < 30; i++) {
        struct gist_address address = far_host(i);
        gist_association_id id = connect_from(&address, 1 + i % 4);
        announce(id, MESSAGE_MAX);
    }
    cr_assert_lt(network_memory(row->network)->octets - before, 9 * MESSAGE_MAX + 65536);
    gist_association_id known = connect_from(&other, 1);
    announce(known, MESSAGE_MAX);
    cr_assert(is_there(known));
    network_run_for(row->network, 2 * PATIENCE_MS);
    cr_assert_eq(counters().associations, 0);
    struct gist_share_holder holder = gist_node_holder(node, &other, 1);
    cr_assert_eq(gist_node_share_take(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 2 * MESSAGE_MAX),
        GIST_SHARE_TAKEN, "all of it came back");
}

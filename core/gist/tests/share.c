/* core/gist: what one may have, and who comes before whom when there is not enough for all. RFC
 * 5971 8.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/tests/sharing.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MESSAGE_MAX = SHARING_MESSAGE_MAX };

static struct gist_node *node;
static const struct gist_address host = {.version = 4, .octets = {198, 51, 100, 1}};
static const struct gist_address neighbour = {.version = 4, .octets = {198, 51, 100, 200}};
static const struct gist_address other = {.version = 4, .octets = {203, 0, 113, 1}};

static void start(void)
{
    sharing_start();
    node = sharing_node();
}

TestSuite(share, .init = start, .fini = fixture_stop);

static struct gist_counters counters(void)
{
    return gist_node_counters(node);
}

Test(share, a_host_has_its_share_and_its_network_four)
{
    enum gist_share_answer refusal;
    unsigned count = take_all(&host, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal);
    cr_assert(count == 10 && refusal == GIST_SHARE_USED_UP);
    for (uint8_t i = 2; i < 10; i++) {
        struct gist_address next = host;
        next.octets[3] = i;
        count += take_all(&next, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal);
        cr_assert_eq(refusal, GIST_SHARE_USED_UP);
    }
    cr_assert_eq(count, 40, "%u for one network", count);
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
}

Test(share, an_ipv6_host_is_its_64_bits)
{
    enum gist_share_answer refusal;
    struct gist_address first = {.version = 6, .octets = {0x20, 1, 0xd, 0xb8}};
    struct gist_address last = first, next = first;
    last.octets[15] = 1;
    next.octets[7] = 1;
    cr_assert_eq(take_all(&first, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
    cr_assert_eq(take_all(&last, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 0);
    cr_assert_eq(take_all(&next, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
}

/* A network has what four of its hosts have. */
Test(share, an_ipv6_network_is_its_48_bits)
{
    enum gist_share_answer refusal;
    unsigned count = 0;
    for (uint8_t i = 0; i < 8; i++) {
        struct gist_address address = {.version = 6, .octets = {0x20, 1, 0xd, 0xb8, 0, 1, i, i}};
        count += take_all(&address, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal);
    }
    cr_assert(count == 40 && refusal == GIST_SHARE_USED_UP, "%u for one network", count);
    struct gist_address next = {.version = 6, .octets = {0x20, 1, 0xd, 0xb8, 0, 2}};
    cr_assert_eq(take_all(&next, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
}

/* So many octets of so many that a count of all kinds together would be used up. */
Test(share, what_others_have_of_one_kind_is_nobodys_share_of_another)
{
    enum gist_share_answer refusal;
    for (unsigned i = 0; i < 2000; i++) {
        struct gist_address address = far_host(i);
        struct gist_share_holder holder = gist_node_holder(node, &address, 1 + i % 2);
        cr_assert_eq(
            gist_node_share_take(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 16), GIST_SHARE_TAKEN);
    }
    for (unsigned i = 0; i < 10; i++) {
        struct gist_address address = far_host(3000 + i);
        cr_assert_eq(take_all(&address, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
    }
}

/* A share is no larger for having begun before one was known. */
Test(share, what_a_known_host_took_as_a_stranger_counts)
{
    enum gist_share_answer refusal;
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
    row->nodes[1].known = other;
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 50);
    cr_assert_eq(refusal, GIST_SHARE_USED_UP);
}

Test(share, what_a_host_took_while_it_was_known_counts)
{
    enum gist_share_answer refusal;
    row->nodes[1].known = other;
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 60);
    row->nodes[1].known = neighbour;
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 0);
}

Test(share, what_is_given_back_while_there_is_no_limit_is_given_back)
{
    enum gist_share_answer refusal;
    struct gist_share_holder holder = gist_node_holder(node, &host, 1);
    cr_assert_eq(take_all(&host, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
    size_t limit = node->config.routing_states_max;
    node->config.routing_states_max = 0;
    gist_node_share_give_back(node, &holder, GIST_SHARE_OF_ROUTING_STATES, 10);
    cr_assert_eq(
        gist_node_share_take(node, &holder, GIST_SHARE_OF_ROUTING_STATES, 4), GIST_SHARE_TAKEN);
    node->config.routing_states_max = limit;
    cr_assert_eq(take_all(&host, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 6);
}

Test(share, strangers_have_a_quarter_by_one_interface_and_half_by_all)
{
    enum gist_share_answer refusal;
    unsigned by_interface[4] = {0};
    for (uint32_t interface = 1; interface <= 3; interface++)
        for (unsigned i = 0; i < 40; i++) {
            struct gist_address address = far_host(100 * interface + i);
            by_interface[interface] +=
                take_all(&address, interface, GIST_SHARE_OF_ROUTING_STATES, &refusal);
        }
    cr_assert_eq(refusal, GIST_SHARE_CROWDED);
    cr_assert(by_interface[1] == 100 && by_interface[2] == 100 && by_interface[3] == 0);
    row->nodes[1].known = other;
    cr_assert_eq(take_all(&other, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 60);
    cr_assert_eq(refusal, GIST_SHARE_USED_UP);
}

Test(share, what_is_given_back_can_be_taken_again)
{
    struct gist_share_holder holder = gist_node_holder(node, &host, 1);
    for (unsigned round = 0; round < 100; round++) {
        cr_assert_eq(
            gist_node_share_take(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 2 * MESSAGE_MAX),
            GIST_SHARE_TAKEN);
        cr_assert_eq(gist_node_share_take(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 1),
            GIST_SHARE_USED_UP);
        gist_node_share_give_back(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 2 * MESSAGE_MAX);
    }
}

/* Queries. */

static void query(const struct gist_address *from, uint32_t interface, uint8_t number)
{
    uint8_t payload[1024] = {0x4e, 0x04, 0xbd, 0xa5};
    struct gist_message message = row_message(row, GIST_QUERY);
    message.session_id = row_session(number);
    message.nli.interface_address = *from;
    size_t length = gist_message_build(
        &message, payload + GIST_MAGIC_LENGTH, sizeof(payload) - GIST_MAGIC_LENGTH);
    struct gist_arrival arrival = {.source = {*from, GIST_PORT},
        .destination = {row->nodes[1].address, GIST_PORT},
        .interface = interface,
        .ip_ttl = 63,
        .q_mode = true};
    cr_assert_gt(length, 0);
    network_inject(row->nodes[1].place, &arrival, payload, GIST_MAGIC_LENGTH + length);
}

/* How many of so many Queries at once come as far as the application. */
static size_t heeded(const struct gist_address *from, uint32_t interface, unsigned count)
{
    size_t before = row->nodes[1].asked;
    for (unsigned i = 0; i < count; i++)
        query(from, interface, (uint8_t)(2 + i % 200));
    return row->nodes[1].asked - before;
}

Test(share, a_host_that_floods_leaves_others_their_queries)
{
    cr_assert_eq(heeded(&host, 1, 100), 5);
    cr_assert_eq(counters().queries_refused, 95);
    cr_assert_eq(heeded(&other, 1, 5), 5);
    network_run_for(row->network, 400);
    cr_assert_eq(heeded(&host, 1, 100), 2, "a second's share comes back within a second");
    network_run_for(row->network, 86400000);
    cr_assert_eq(heeded(&host, 1, 100), 5, "and no more than that gathers");
}

Test(share, a_flood_in_many_names_is_that_of_its_interface)
{
    size_t count = 0;
    for (unsigned i = 0; i < 2000; i++) {
        struct gist_address address = far_host(i);
        count += heeded(&address, 1, 1);
    }
    cr_assert_eq(count, 40);
    cr_assert_eq(heeded(&other, 2, 5), 5);
    row->nodes[1].known = neighbour;
    cr_assert_eq(heeded(&neighbour, 1, 60), 50, "a known peer is served before strangers");
}

Test(share, answers_to_strangers_leave_known_peers_some_of_what_may_be_sent)
{
    size_t count = 0;
    node->config.datagrams_per_second = 80;
    node->bucket = base_token_bucket_full(80, 80, network_now_ms(row->network));
    row->nodes[1].known = neighbour;
    for (unsigned i = 0; i < 200; i++) {
        struct gist_address address = far_host(i);
        count += heeded(&address, 1 + i % 2, 1);
    }
    cr_assert_eq(count, 20, "an eighth for each of two interfaces");
    node->config.known_queries_per_second = 0;
    cr_assert_eq(heeded(&neighbour, 1, 60), 60);
    cr_assert_eq(counters().datagrams_dropped, 0);
}

Test(share, a_query_that_refreshes_state_is_served_in_a_flood)
{
    fixture_send("hello", false);
    network_run_for(row->network, 1000);
    cr_assert_eq(counters().routing_states, 1);
    for (unsigned i = 0; i < 100; i++) {
        struct gist_address address = far_host(i);
        heeded(&address, 1, 1);
    }
    cr_assert_eq(heeded(&host, 1, 1), 0);
    size_t responses = row_seen_count(row, GIST_RESPONSE);
    uint64_t refused = counters().queries_refused;
    row_inject(row, 1, &row_seen(row, GIST_QUERY, 0)->message, row->nodes[0].address, true);
    network_run_for(row->network, 100);
    cr_assert(row_seen_count(row, GIST_RESPONSE) > responses);
    cr_assert_eq(counters().queries_refused, refused);
}

Test(share, a_query_of_another_peer_for_the_same_state_refreshes_nothing)
{
    static const uint8_t another[] = "another";
    fixture_send("hello", false);
    network_run_for(row->network, 1000);
    struct gist_message query = row_seen(row, GIST_QUERY, 0)->message;
    struct gist_message foreign = query;
    foreign.nli.peer_identity = (struct gist_octets){another, sizeof(another)};
    foreign.nli.interface_address = host;
    heeded(&host, 1, 5); /* all that it has */
    uint64_t refused = counters().queries_refused;
    row_inject(row, 1, &foreign, host, true);
    cr_assert_eq(counters().queries_refused, refused + 1);
    row_inject(row, 1, &query, row->nodes[0].address, true);
    cr_assert_eq(counters().queries_refused, refused + 1);
}

Test(share, errors_to_who_sends_nonsense_have_a_share_too)
{
    static const uint8_t nonsense[] = {1, 5, 0, 1, 0, 33, 0x80, 0xc0, 0xff, 0xff, 0xff, 0xff};
    for (unsigned i = 0; i < 20; i++)
        row_inject_octets(row, 1, nonsense, sizeof(nonsense), host, true);
    uint64_t refused = counters().errors_refused;
    cr_assert_eq(counters().messages_rejected, 20);
    cr_assert(refused > 0 && counters().errors_sent + refused == 20 && counters().errors_sent <= 5);
    cr_assert_eq(heeded(&host, 1, 5), 5, "Queries have their own");
}

Test(share, queries_for_other_applications_have_a_share_too)
{
    struct gist_message message = row_message(row, GIST_QUERY);
    message.header.nslp_id = 99;
    for (unsigned i = 0; i < 20; i++)
        row_inject(row, 1, &message, host, true);
    cr_assert_eq(counters().queries_refused, 15);
}

/* Routing states. */

static void handshakes(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct gist_session_id number = row_session((uint8_t)(1 + i));
        row_send(row, 0, &mri, &number, "data", false);
        network_run_for(row->network, 1000);
    }
}

Test(share, a_stranger_makes_so_many_routing_states_and_a_known_peer_more)
{
    handshakes(12);
    cr_assert_eq(counters().routing_states, 10);
    cr_assert_gt(counters().routing_states_refused, 0);
    row->nodes[1].known = row->nodes[0].address;
    handshakes(20);
    cr_assert_gt(counters().routing_states, 15);
}

Test(share, routing_states_that_end_give_their_share_back)
{
    enum gist_share_answer refusal;
    handshakes(12);
    cr_assert_eq(take_all(&row->nodes[0].address, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 0);
    network_run_for(row->network, 1000000);
    cr_assert_eq(counters().routing_states, 0);
    cr_assert_eq(take_all(&row->nodes[0].address, 1, GIST_SHARE_OF_ROUTING_STATES, &refusal), 10);
}

/* A quarter of them, in all. */
static unsigned left_for_strangers_of(uint32_t interface)
{
    enum gist_share_answer refusal;
    unsigned count = 0;
    for (unsigned i = 0; i < 40; i++) {
        struct gist_address address = far_host(i);
        count += take_all(&address, interface, GIST_SHARE_OF_ROUTING_STATES, &refusal);
    }
    return count;
}

Test(share, routing_states_count_for_the_interface_that_they_came_by)
{
    handshakes(7);
    cr_assert_eq(counters().routing_states, 7);
    cr_assert_eq(left_for_strangers_of(1), 93);
    cr_assert_eq(left_for_strangers_of(2), 100);
}

/* Messages that wait for a peer that does not answer. */

static enum gist_send_result send_on(
    const struct gist_address *from, uint8_t number, const uint8_t *data)
{
    struct gist_send_request request = {.data = data,
        .length = MESSAGE_MAX,
        .session_id = row_session(number),
        .mri = mri,
        .attributes = {.reliable = true},
        .on_behalf_of = *from,
        .on_behalf_of_interface = 1};
    request.mri.destination = gist_address_v4(0xc6336499); /* nobody's */
    return gist_send_message(node, network_now_ms(row->network), &request);
}

Test(share, who_has_much_sent_on_leaves_others_room)
{
    static const uint8_t data[MESSAGE_MAX];
    cr_assert(send_on(&host, 1, data) == GIST_SENT && send_on(&host, 2, data) == GIST_SENT);
    cr_assert_eq(send_on(&host, 3, data), GIST_SEND_NO_MEMORY);
    cr_assert_eq(send_on(&other, 4, data), GIST_SENT);
    struct gist_address ours = {0};
    cr_assert_eq(send_on(&ours, 5, data), GIST_SENT);
    network_run_for(row->network, 200000);
    cr_assert_eq(node->queued.octets, 0);
    cr_assert(send_on(&host, 6, data) == GIST_SENT && send_on(&host, 7, data) == GIST_SENT);
    cr_assert_eq(send_on(&host, 8, data), GIST_SEND_NO_MEMORY);
}

static bool never_connects(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    (void)context, (void)id, (void)stack, (void)peer;
    return true;
}

/* They go from one queue into another, and fail together. */
Test(share, messages_on_behalf_of_others_have_their_share_while_an_association_connects)
{
    static uint8_t data[MESSAGE_MAX];
    struct gist_node *sender = row->nodes[0].gist;
    unsigned taken = 0;
    sender->transport.association_open = never_connects;
    for (unsigned i = 0; i < 20; i++) {
        struct gist_send_request request = {.data = data,
            .length = MESSAGE_MAX,
            .session_id = row_session(1),
            .mri = mri,
            .attributes = {.reliable = true},
            .handle = 1 + i,
            .on_behalf_of = host,
            .on_behalf_of_interface = 1};
        taken +=
            gist_send_message(sender, network_now_ms(row->network), &request) == GIST_SENT ? 1 : 0;
        network_run_for(row->network, 20);
    }
    cr_assert_eq(taken - row->nodes[0].told_count, 1, "%u taken, %zu failed", taken,
        row->nodes[0].told_count);
}

Test(share, another_limit_of_what_is_sent_on_holds_at_once)
{
    static const uint8_t data[MESSAGE_MAX];
    struct gist_node_config config = node->config;
    cr_assert_eq(send_on(&host, 1, data), GIST_SENT);
    config.queued_octets_per_peer_max = MESSAGE_MAX;
    gist_node_configure(node, network_now_ms(row->network), &config);
    cr_assert_eq(send_on(&host, 2, data), GIST_SEND_NO_MEMORY);
    config.queued_octets_per_peer_max = 3 * MESSAGE_MAX;
    gist_node_configure(node, network_now_ms(row->network), &config);
    cr_assert(send_on(&host, 3, data) == GIST_SENT && send_on(&host, 4, data) == GIST_SENT);
    cr_assert_eq(send_on(&host, 5, data), GIST_SEND_NO_MEMORY);
}

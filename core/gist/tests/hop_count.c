/* core/gist: loop control. RFC 5971 4.3.1, 4.3.3, A.4.4.2. */
#include "core/gist/message/message_build.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { CHOSEN = 32, HOP_COUNT_OFFSET = 1 };

static void start(void)
{
    fixture_start();
    row->nodes[1].relays = false;
}

TestSuite(hop_count, .init = start, .fini = fixture_stop);

static enum gist_send_result send_with(size_t from, const struct gist_mri *towards, bool reliable,
    bool has_hop_count, uint8_t hop_count)
{
    struct gist_send_request request = {
        .data = (const uint8_t *)"data",
        .length = 4,
        .session_id = session,
        .mri = *towards,
        .attributes = {.reliable = reliable},
        .handle = 7,
        .has_hop_count = has_hop_count,
        .hop_count = hop_count,
    };
    return gist_send_message(row->nodes[from].gist, network_now_ms(row->network), &request);
}

static uint8_t hops_on_the_wire(enum gist_message_type type)
{
    size_t count = row_seen_count(row, type);
    cr_assert_gt(count, 0);
    return row_seen(row, type, count - 1)->octets[HOP_COUNT_OFFSET];
}

/* What a node sends ---------------------------------------------------------------------------- */

Test(hop_count, none_left_is_refused_and_nothing_leaves)
{
    VERIFIES("RFC5971-4.3.3-2");
    for (int reliable = 0; reliable <= 1; reliable++) {
        session = row_session((uint8_t)reliable);
        REQUIRE("RFC5971-4.3.3-2", send_with(0, &mri, reliable, true, 0) == GIST_SEND_HOP_LIMIT);
        cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, (uint64_t)reliable);
        cr_assert_eq(send_with(0, &mri, reliable, true, 1), GIST_SENT);
        network_run_for(row->network, 200);
        size_t seen = row->seen_count;
        REQUIRE("RFC5971-4.3.3-2", send_with(0, &mri, reliable, true, 0) == GIST_SEND_HOP_LIMIT);
        network_run_for(row->network, 200);
        cr_assert_eq(row->seen_count, seen);
    }
}

Test(hop_count, the_applications_is_used_and_ours_where_it_gives_none)
{
    static const struct {
        bool has_hop_count;
        uint8_t hop_count, sent;
    } rows[] = {
        {true, 1, 1}, {true, 2, 2}, {true, 255, 255}, {false, 0, CHOSEN}, {false, 9, CHOSEN}};
    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = i / 2;
        session = row_session((uint8_t)i);
        cr_assert_eq(
            send_with(0, &mri, i % 2, rows[n].has_hop_count, rows[n].hop_count), GIST_SENT);
        network_run_for(row->network, 200);
        cr_assert_eq(hops_on_the_wire(GIST_QUERY), rows[n].sent, "row %zu", i);
        cr_assert_eq(hops_on_the_wire(GIST_DATA), rows[n].sent, "row %zu", i);
    }
}

Test(hop_count, a_later_message_tells_the_next_queries)
{
    cr_assert_eq(send_with(0, &mri, true, true, 9), GIST_SENT);
    network_run_for(row->network, 200);
    cr_assert_eq(send_with(0, &mri, true, true, 5), GIST_SENT);
    cr_assert_eq(send_with(0, &mri, true, false, 0), GIST_SENT);
    network_run_for(row->network, 30000);
    cr_assert_gt(row_seen_count(row, GIST_QUERY), 1);
    cr_assert_eq(hops_on_the_wire(GIST_QUERY), 5);
}

/* What a node is told ---------------------------------------------------------------------------
 */

static uint8_t hops_to_write;

static bool write_hops_of_data(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    if (seen->from == 0 && seen->message.header.type == GIST_DATA)
        octets[HOP_COUNT_OFFSET] = hops_to_write;
    return false;
}

/* What a node is told of a message that says so many hops, the first of a session whose Query had
 * so many. */
static uint8_t left_of(uint8_t hops_of_query, uint8_t hops_of_data, bool reliable)
{
    static uint8_t number;
    session = row_session(number++);
    hops_to_write = hops_of_data;
    row->spoil = write_hops_of_data;
    size_t heard = row->nodes[1].heard_count;
    cr_assert_eq(send_with(0, &mri, reliable, true, hops_of_query), GIST_SENT);
    network_run_for(row->network, 200);
    cr_assert_eq(row->nodes[1].heard_count, heard + 1);
    return row->nodes[1].heard[heard].received.hop_count;
}

/* 1 is what those say who count no hops. */
Test(hop_count, what_is_left_is_the_messages_within_what_its_query_had)
{
    static const struct {
        uint8_t query, data, left;
    } rows[] = {{1, 1, 0}, {1, 2, 0}, {1, 255, 0}, {2, 1, 1}, {2, 2, 1}, {2, 255, 1}, {10, 1, 9},
        {10, 2, 1}, {10, 10, 9}, {10, 255, 9}, {255, 1, 32}, {255, 2, 1}, {255, 255, 254}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(left_of(rows[i].query, rows[i].data, false), rows[i].left, "row %zu", i);
        cr_assert_eq(left_of(rows[i].query, rows[i].data, true), rows[i].left, "row %zu", i);
    }
}

Test(hop_count, who_has_counted_once_is_at_the_end_with_one)
{
    for (int reliable = 0; reliable <= 1; reliable++) {
        cr_assert_eq(left_of(10, 3, reliable), 2);
        hops_to_write = 1;
        cr_assert_eq(send_with(0, &mri, reliable, true, 10), GIST_SENT);
        network_run_for(row->network, 200);
        const struct row_node *hearer = &row->nodes[1];
        cr_assert_eq(hearer->heard[hearer->heard_count - 1].received.hop_count, 0);
    }
}

Test(hop_count, an_answer_that_counts_no_hops_may_go_on)
{
    row->nodes[1].replies = true;
    fixture_send("question", true);
    network_run_for(row->network, 200);
    cr_assert_eq(row->nodes[0].heard[0].received.hop_count, CHOSEN - 1);
    row->nodes[1].replies = false;
    struct gist_mri back = gist_mri_reversed(&mri);
    session = row_session(2);
    fixture_send("question", true);
    network_run_for(row->network, 200);
    static const struct {
        uint8_t said, left;
    } rows[] = {{1, CHOSEN}, {255, 254}, {2, 1}, {1, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(send_with(1, &back, true, true, rows[i].said), GIST_SENT);
        network_run_for(row->network, 200);
        const struct row_node *hearer = &row->nodes[0];
        cr_assert_eq(hearer->heard[hearer->heard_count - 1].received.hop_count, rows[i].left);
    }
}

Test(hop_count, a_message_with_none_is_refused_and_not_delivered)
{
    for (int reliable = 0; reliable <= 1; reliable++) {
        size_t heard = row->nodes[1].heard_count;
        hops_to_write = 0;
        row->spoil = write_hops_of_data;
        session = row_session((uint8_t)(40 + reliable));
        cr_assert_eq(send_with(0, &mri, reliable, true, 9), GIST_SENT);
        network_run_for(row->network, 200);
        cr_assert_eq(row->nodes[1].heard_count, heard);
        cr_assert(row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    }
}

/* What goes on ----------------------------------------------------------------------------------
 */

Test(hop_count, the_query_before_bounds_the_query_onward)
{
    static const struct {
        uint8_t before, asked, onward;
    } rows[] = {{255, 255, 254}, {255, 3, 3}, {10, 255, 9}, {3, 2, 2}, {2, 255, 1}};
    struct gist_node_config config = row_config();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        fixture_restart(3, &config);
        cr_assert_eq(send_with(0, &mri, true, true, rows[i].before), GIST_SENT);
        network_run_for(row->network, 200);
        cr_assert_eq(send_with(1, &mri, true, true, rows[i].asked), GIST_SENT);
        network_run_for(row->network, 200);
        cr_assert_eq(row_seen(row, GIST_QUERY, 1)->from, 1);
        cr_assert_eq(hops_on_the_wire(GIST_QUERY), rows[i].onward, "row %zu", i);
    }
}

Test(hop_count, where_the_query_before_was_spent_none_goes_on)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    cr_assert_eq(send_with(0, &mri, true, true, 1), GIST_SENT);
    network_run_for(row->network, 200);
    cr_assert_eq(row->nodes[1].heard[0].received.hop_count, 0);
    for (int chosen = 0; chosen <= 1; chosen++)
        cr_assert_eq(send_with(1, &mri, true, chosen, 255), GIST_SEND_HOP_LIMIT);
    network_run_for(row->network, 200);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 1);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 1);
}

/* The count of a refresh counts: also when it falls to none, where the state onward ends. */
Test(hop_count, a_refresh_brings_a_count_of_its_own)
{
    VERIFIES("RFC5971-4.3.1-i3");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    row->nodes[1].relays = true;
    cr_assert_eq(send_with(0, &mri, true, true, 9), GIST_SENT);
    network_run_for(row->network, 200);
    cr_assert_eq(hops_on_the_wire(GIST_QUERY), 8);
    struct gist_mri back = gist_mri_reversed(&mri);
    struct gist_routing_state *upstream =
        gist_routing_state_find(row->nodes[1].gist, &back, &session);
    cr_assert_eq(upstream->hop_count, 8);
    cr_assert_eq(send_with(0, &mri, true, true, 1), GIST_SENT);
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 200);
    cr_assert_eq(upstream->hop_count, 0);
    size_t queries = row_seen_count(row, GIST_QUERY);
    gist_invalidate_routing_state(
        row->nodes[1].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 14000);
    REQUIRE("RFC5971-4.3.1-i3", row_seen_count(row, GIST_QUERY) == queries);
    network_run_for(row->network, 60000);
    cr_assert_null(gist_routing_state_find(row->nodes[1].gist, &mri, &session));
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 1);
}

static void expect_hop_limit(size_t at, uint8_t hop_count, bool refused)
{
    size_t errors = row_seen_count(row, GIST_ERROR);
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri.destination = gist_address_v4(0xcb007109);
    query.header.hop_count = hop_count;
    struct gist_arrival arrival = {
        .source = {row->nodes[0].address, GIST_PORT},
        .destination = {query.mri.destination, GIST_PORT},
        .interface = 1,
        .ip_ttl = 63,
        .q_mode = true,
    };
    uint8_t payload[1024] = {0x4e, 0x04, 0xbd, 0xa5};
    size_t length = gist_message_write(
        &query, payload + GIST_MAGIC_LENGTH, sizeof(payload) - GIST_MAGIC_LENGTH);
    network_inject(row->nodes[at].place, &arrival, payload, GIST_MAGIC_LENGTH + length);
    cr_assert_eq(row_seen_count(row, GIST_ERROR) - errors, refused, "%u hops", hop_count);
    if (refused)
        cr_assert(row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    cr_assert_eq(gist_node_counters(row->nodes[at].gist).queries_forwarded, !refused);
}

Test(hop_count, a_spent_query_does_not_pass_by)
{
    static const uint8_t hop_counts[] = {0, 1, 2, 255};
    struct gist_node_config config = row_config();
    for (size_t i = 0; i < sizeof(hop_counts); i++) {
        fixture_restart(2, &config);
        row->nodes[1].peering = GIST_FORWARD;
        expect_hop_limit(1, hop_counts[i], hop_counts[i] <= 1);
    }
}

static bool refuse_queries(struct row *of, struct seen *seen, uint8_t *octets)
{
    if (seen->message.header.type != GIST_QUERY)
        return false;
    (void)of;
    octets[HOP_COUNT_OFFSET] = 0;
    return false;
}

Test(hop_count, hop_limit_exceeded_ends_the_handshake_and_is_told)
{
    row->spoil = refuse_queries;
    fixture_send("hello", true);
    network_run_for(row->network, 50);
    cr_assert(row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

Test(hop_count, hop_limit_exceeded_leaves_state_that_is_there)
{
    fixture_send("hello", true);
    network_run_for(row->network, 200);
    row->spoil = refuse_queries;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 50);
    cr_assert(row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
}

/* Loops -----------------------------------------------------------------------------------------
 */

/* Nodes 1 and 2 each take the other for the way to the flow's end. The check of where a flow comes
 * in, which sees most loops, is off. */
static void face_each_other(void)
{
    struct gist_node_config config = row_config();
    config.ingress_filter = false;
    fixture_restart(3, &config);
    mri.destination = gist_address_v4(0xcb007109);
    network_give_route(
        row->nodes[1].place, mri.destination, 32, row->nodes[2].place, 2, row->nodes[1].address);
    row->nodes[1].relays = row->nodes[2].relays = true;
}

static size_t rounds(void)
{
    return row->nodes[1].heard_count + row->nodes[2].heard_count;
}

static void expect_an_end(uint8_t hop_count, size_t rounds_max)
{
    network_run_for(row->network, 10000);
    cr_assert_geq(rounds(), 2);
    cr_assert_leq(rounds(), rounds_max, "%u hops: %zu", hop_count, rounds());
    size_t rest = rounds();
    network_run_for(row->network, 10000);
    cr_assert_eq(rounds(), rest);
}

Test(hop_count, a_message_in_a_routing_loop_comes_to_an_end)
{
    static const uint8_t hop_counts[] = {2, 3, CHOSEN, 100};
    for (size_t i = 0; i < 2 * sizeof(hop_counts); i++) {
        face_each_other();
        cr_assert_eq(send_with(0, &mri, i % 2, true, hop_counts[i / 2]), GIST_SENT);
        expect_an_end(hop_counts[i / 2], hop_counts[i / 2]);
    }
}

Test(hop_count, so_does_one_from_who_counts_no_hops)
{
    for (int reliable = 0; reliable <= 1; reliable++) {
        face_each_other();
        hops_to_write = 1;
        row->spoil = write_hops_of_data;
        cr_assert_eq(send_with(0, &mri, reliable, false, 0), GIST_SENT);
        expect_an_end(1, CHOSEN);
    }
}

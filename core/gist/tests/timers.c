/* core/gist: what happens as time passes, and when messages get lost. RFC 5971 4.4.4 to 4.4.6,
 * 5.3.3, 6.2 to 6.4. */
#include "core/gist/tests/fixture.h"

#include <string.h>

TestSuite(timers, .init = fixture_start, .fini = fixture_stop);

static bool drop_all(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    (void)seen;
    (void)octets;
    return true;
}

static bool drop_responses(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    (void)octets;
    return seen->message.header.type == GIST_RESPONSE;
}

static bool drop_first_confirm(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)octets;
    return seen->message.header.type == GIST_CONFIRM && of->spoiled++ == 0;
}

Test(timers, queries_back_off_and_give_up)
{
    VERIFIES("RFC5971-5.3.3-1b", "RFC5971-5.3.3-6");
    row->spoil = drop_all;
    fixture_send("hello", true);
    network_run_for(row->network, 100000);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 6);
    for (size_t i = 1; i < 6; i++) {
        const struct seen *last = row_seen(row, GIST_QUERY, i - 1);
        const struct seen *next = row_seen(row, GIST_QUERY, i);
        REQUIRE("RFC5971-5.3.3-1b", next->time_ms - last->time_ms == 500u << (i - 1));
        REQUIRE("RFC5971-5.3.3-6",
            memcmp(next->message.query_cookie.octets, last->message.query_cookie.octets, 16) != 0);
    }
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].handle, 7);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

/* A transport's timer is spent once it has fired, also when it fired too early. */
Test(timers, a_tick_that_comes_early_asks_for_the_same_deadline_again)
{
    struct network_place *place = row->nodes[0].place;
    fixture_send("hello", false);
    uint64_t deadline_ms = place->deadline_ms;
    cr_assert_neq(deadline_ms, GIST_NO_DEADLINE);
    place->deadline_ms = GIST_NO_DEADLINE;
    gist_node_tick(row->nodes[0].gist, network_now_ms(row->network));
    cr_assert_eq(place->deadline_ms, deadline_ms);
}

Test(timers, the_applications_patience_ends_it_earlier)
{
    VERIFIES("RFC5971-5.3.3-5");
    row->spoil = drop_all;
    struct gist_send_request request = {.data = (const uint8_t *)"text",
        .length = 4,
        .session_id = session,
        .mri = mri,
        .handle = 3,
        .timeout_ms = 1200};
    gist_send_message(row->nodes[0].gist, network_now_ms(row->network), &request);
    network_run_for(row->network, 1200);
    REQUIRE("RFC5971-5.3.3-5", row->nodes[0].told_count == 1);
}

Test(timers, a_lost_response_costs_one_retransmission)
{
    row->spoil = drop_responses;
    fixture_send("hello", true);
    network_run_for(row->network, 300);
    row->spoil = NULL;
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[1].heard_count, 1);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 2);
}

Test(timers, a_lost_confirm_is_made_good_after_the_data_that_needs_it)
{
    VERIFIES("RFC5971-4.4.6-5", "RFC5971-4.3.2-12");
    row->spoil = drop_first_confirm;
    fixture_send("lost", false);
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[1].heard_count, 0);
    REQUIRE("RFC5971-4.3.2-12",
        row_error(row) && row_error(row)->message.error.code == GIST_NO_ROUTING_STATE);
    REQUIRE("RFC5971-4.4.6-5", row_seen_count(row, GIST_QUERY) == 2);
    fixture_send("arrives", false);
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

Test(timers, a_responder_without_state_at_its_peer_gives_its_own_up)
{
    VERIFIES("RFC5971-4.4.6-6a");
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    gist_set_state_lifetime(row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 0);
    network_run_for(row->network, 100);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
    struct gist_mri back = gist_mri_reversed(&mri);
    cr_assert_eq(row_send(row, 1, &back, &session, "reply", false), GIST_SENT);
    network_run_for(row->network, 100);
    REQUIRE("RFC5971-4.4.6-6a", gist_node_counters(row->nodes[1].gist).routing_states == 0);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 1);
}

Test(timers, refreshes_come_at_a_random_moment_in_their_window)
{
    VERIFIES("RFC5971-4.4.4-8", "RFC5971-6.3-3");
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 1000000);
    fixture_send("hello", true);
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 1000000);
    network_run_for(row->network, 200000);
    REQUIRE("RFC5971-6.3-3", row_seen_count(row, GIST_RESPONSE) == row_seen_count(row, GIST_QUERY));
    size_t refreshes = row_seen_count(row, GIST_QUERY) - 1;
    cr_assert(refreshes >= 8 && refreshes <= 14);
    bool differ = false;
    uint64_t first =
        row_seen(row, GIST_QUERY, 1)->time_ms - row_seen(row, GIST_RESPONSE, 0)->time_ms;
    for (size_t i = 0; i < refreshes; i++) {
        uint64_t gap =
            row_seen(row, GIST_QUERY, i + 1)->time_ms - row_seen(row, GIST_RESPONSE, i)->time_ms;
        cr_assert(gap >= 15000 && gap <= 22510, "%llu", (unsigned long long)gap);
        differ |= gap != first;
    }
    REQUIRE("RFC5971-4.4.4-8", differ);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 1);
}

static bool drop_confirms(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    (void)octets;
    return seen->message.header.type == GIST_CONFIRM;
}

Test(timers, responses_to_a_refresh_back_off_as_queries_do)
{
    VERIFIES("RFC5971-5.3.3-10b", "RFC5971-6.2-3");
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 1000000);
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 1000000);
    row->spoil = drop_confirms;
    while (row_seen_count(row, GIST_QUERY) < 2)
        network_run_for(row->network, 100);
    network_run_for(row->network, 4000);
    cr_assert_geq(row_seen_count(row, GIST_RESPONSE), 4);
    for (size_t i = 2; i < 4; i++) {
        uint64_t gap =
            row_seen(row, GIST_RESPONSE, i)->time_ms - row_seen(row, GIST_RESPONSE, i - 1)->time_ms;
        REQUIRE("RFC5971-5.3.3-10b", gap == 500u << (i - 2));
    }
    REQUIRE(
        "RFC5971-6.2-3", row_seen_count(row, GIST_CONFIRM) == row_seen_count(row, GIST_RESPONSE));
}

Test(timers, state_without_traffic_ends_on_both_sides)
{
    fixture_send("hello", true);
    network_run_for(row->network, 500000);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 0);
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
    cr_assert_eq(network_streams(row->nodes[1].place), 0);
}

Test(timers, the_lifetime_of_state_is_the_applications)
{
    VERIFIES("RFC5971-6.2-6");
    fixture_send("hello", true);
    network_run_for(row->network, 1000);
    gist_set_state_lifetime(row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 5000);
    network_run_for(row->network, 4900);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
    network_run_for(row->network, 200);
    REQUIRE("RFC5971-6.2-6", gist_node_counters(row->nodes[0].gist).routing_states == 0);
}

Test(timers, hellos_keep_an_association_that_carries_nothing)
{
    fixture_send("hello", true);
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 600000);
    network_run_for(row->network, 500000);
    cr_assert_gt(row_seen_count(row, GIST_MA_HELLO), 10);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 1);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).associations, 1);
}

Test(timers, a_failed_association_is_told_and_made_anew)
{
    VERIFIES("RFC5971-6.4-4");
    fixture_send("one", true);
    network_run_for(row->network, 1000);
    network_break_streams(row->nodes[0].place);
    network_run_for(row->network, 1000);
    REQUIRE("RFC5971-6.4-4", row->nodes[0].notifications[GIST_NOTIFY_COMMUNICATION_FAILURE] == 1);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 0);
    fixture_send("two", true);
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[1].heard_count, 2);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 1);
}

Test(timers, a_refused_connection_is_reported)
{
    row->nodes[1].place->refuses = true;
    fixture_send("one", true);
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_CONNECT_FAILED);
    row->nodes[1].place->refuses = false;
    fixture_send("two", true);
    network_run_for(row->network, 1000);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

Test(timers, three_of_ten_datagrams_may_get_lost)
{
    network_options(row->network)->loss_permille = 300;
    for (uint8_t i = 0; i < 20; i++) {
        session = row_session(i);
        fixture_send("through the storm", true);
    }
    network_run_for(row->network, 60000);
    cr_assert_geq(row->nodes[1].heard_count, 18);
}

Test(timers, the_rate_limit_delays_and_counts)
{
    struct gist_node_config config = row_config();
    config.datagrams_per_second = 10;
    config.datagram_burst = 5;
    config.interface_queries_per_second = 0; /* of the peer, whom all of them reach */
    fixture_restart(2, &config);
    for (uint8_t i = 0; i < 20; i++) {
        session = row_session(i);
        fixture_send("text", false);
    }
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 5);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).datagrams_dropped, 0);
    network_run_for(row->network, 100000);
    cr_assert_eq(row->nodes[1].heard_count, 20);
    cr_assert_gt(gist_node_counters(row->nodes[0].gist).datagrams_dropped, 0);
}

static enum gist_send_result try_within(uint32_t timeout_ms)
{
    struct gist_send_request request = {.data = (const uint8_t *)"text",
        .length = 4,
        .session_id = session,
        .mri = mri,
        .timeout_ms = timeout_ms};
    return gist_send_message(row->nodes[0].gist, network_now_ms(row->network), &request);
}

static void send_within(uint32_t timeout_ms)
{
    cr_assert_eq(try_within(timeout_ms), GIST_SENT);
}

/* A limit of the first message does not end refreshes that come long after it. */
Test(timers, the_applications_patience_is_over_with_its_message)
{
    send_within(1200);
    network_run_for(row->network, 2000);
    cr_assert(fixture_heard(1, 0, "text"));
    row->spoil = drop_responses;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 4000);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 1 + 4, "at 0, 500, 1500 and 3500 ms");
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
}

Test(timers, the_shortest_patience_counts)
{
    row->spoil = drop_all;
    send_within(5000);
    send_within(1200);
    send_within(0);
    send_within(3000);
    network_run_for(row->network, 1199);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
    network_run_for(row->network, 1);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

/* The next Query may be due long after. */
Test(timers, patience_that_begins_between_two_queries_ends_when_it_is_over)
{
    row->spoil = drop_all;
    send_within(0);
    network_run_for(row->network, 8000); /* from 7500 on, it waits for 8000 ms */
    send_within(1000);
    send_within(60000);
    network_run_for(row->network, 999);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
    network_run_for(row->network, 1);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

Test(timers, the_patience_of_a_message_that_is_refused_does_not_count)
{
    struct gist_node_config config = row_config();
    config.queued_octets_max = 4;
    fixture_restart(2, &config);
    row->spoil = drop_all;
    send_within(0);
    cr_assert_eq(try_within(100), GIST_SEND_NO_MEMORY);
    network_run_for(row->network, 2000);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1);
}

/* However short a peer's routing state is valid, it is not asked more often than once a second. */
Test(timers, refreshes_are_a_second_apart_or_more)
{
    struct gist_node_config config = row_config();
    config.routing_state_validity_ms = 100;
    fixture_restart(2, &config);
    fixture_send("hello", false);
    network_run_for(row->network, 10000);
    cr_assert_geq(row_seen_count(row, GIST_QUERY), 9);
    for (size_t i = 1; i < row_seen_count(row, GIST_QUERY); i++)
        cr_assert_eq(row_seen(row, GIST_QUERY, i)->time_ms,
            row_seen(row, GIST_RESPONSE, i - 1)->time_ms + 5 + 1000);
}

/* However short a peer holds an association, it is not told of it more often than this. */
Test(timers, hellos_are_a_quarter_of_a_second_apart_or_more)
{
    struct gist_node_config config = row_config();
    config.association_hold_ms = 100;
    fixture_restart(2, &config);
    fixture_send("hello", true);
    network_run_for(row->network, 5000);
    uint64_t last_ms = 0;
    size_t count = 0;
    for (size_t i = 0; i < row_seen_count(row, GIST_MA_HELLO); i++) {
        const struct seen *hello = row_seen(row, GIST_MA_HELLO, i);
        if (hello->from != 0)
            continue;
        if (count++ > 0)
            cr_assert_eq(hello->time_ms - last_ms, 250);
        last_ms = hello->time_ms;
    }
    cr_assert_geq(count, 19);
}

/* What the peer sends keeps the state as what goes to it does. */
Test(timers, data_in_either_direction_keep_the_state)
{
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    gist_set_state_lifetime(row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 5000);
    struct gist_mri back = gist_mri_reversed(&mri);
    for (size_t i = 0; i < 4; i++) {
        network_run_for(row->network, 4900);
        cr_assert_eq(
            row_send(row, i % 2, i % 2 ? &back : &mri, &session, "text", false), GIST_SENT);
        network_run_for(row->network, 50);
        cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 1, "%zu", i);
    }
    network_run_for(row->network, 5000);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

/* A refresh begins the time of the peer's state anew. */
Test(timers, a_peer_that_is_asked_again_in_time_keeps_its_state)
{
    fixture_send("hello", false);
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, 1000000);
    network_run_for(row->network, 300000);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTING_STATUS_GOOD], 1);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 0);
}

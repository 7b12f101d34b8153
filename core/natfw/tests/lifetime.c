/* Lifetimes along the path. RFC 5973 3.4, figure 13. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

static void start(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.lifetime_min_s = 10;
    config.lifetime_max_s = 20;
    bench_start(&config);
}

TestSuite(lifetime, .init = start, .fini = bench_stop);

static void grant(uint32_t lifetime_s, uint32_t sequence_number)
{
    struct natfw_message success = bench_success(lifetime_s, sequence_number);
    bench_receive(1, true, &success);
}

Test(lifetime, a_forwarder_lowers_it_as_figure_13_shows)
{
    VERIFIES("RFC5973-3.4-7", "RFC5973-3.4-10", "RFC5973-3.4-11");
    bench_request(60, 1);
    REQUIRE("RFC5973-3.4-7", bench_last(false)->message.lifetime_s == 20);
    REQUIRE("RFC5973-3.4-10", bench_last(false)->message.lifetime_s <= 60);
    grant(15, 1);
    REQUIRE("RFC5973-3.4-11", bench_state(1, NATFW_ESTABLISHED));
    REQUIRE("RFC5973-3.4-11", bench_answered(true, 2, 0x01, 0));
    cr_assert_eq(bench_last(true)->message.lifetime_s, 15);
}

Test(lifetime, an_acceptable_one_is_forwarded_unchanged)
{
    VERIFIES("RFC5973-3.4-10", "RFC5973-3.4-i8");
    bench_request(15, 1);
    REQUIRE("RFC5973-3.4-i8", bench_last(false)->message.lifetime_s == 15);
    REQUIRE("RFC5973-3.4-10", bench_last(false)->message.lifetime_s <= 15);
}

Test(lifetime, a_responder_grants_no_more_than_was_asked_for)
{
    VERIFIES("RFC5973-3.4-10");
    bench.flow_ends_here = true;
    bench_request(15, 1);
    REQUIRE("RFC5973-3.4-10", bench_last(true)->message.lifetime_s == 15);
    bench_request(60, 2);
    REQUIRE("RFC5973-3.4-10", bench_last(true)->message.lifetime_s == 20);
}

Test(lifetime, one_too_small_is_refused_with_7_10)
{
    VERIFIES("RFC5973-3.4-9b");
    bench_request(9, 1);
    REQUIRE("RFC5973-3.4-9b", bench_answered(true, 7, 0x10, NATFW_LT));
    REQUIRE("RFC5973-3.4-9b", bench_count(false) == 0);
    cr_assert_not(bench_knows(1));
}

Test(lifetime, one_too_small_is_refused_by_the_responder_too)
{
    VERIFIES("RFC5973-3.4-9b");
    bench.flow_ends_here = true;
    bench_request(9, 1);
    REQUIRE("RFC5973-3.4-9b", bench_answered(true, 7, 0x10, NATFW_LT));
}

Test(lifetime, one_too_big_is_refused_with_7_02_where_policy_says_so)
{
    VERIFIES("RFC5973-3.4-8b");
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.lifetime_max_s = 20;
    config.refuse_long_lifetime = true;
    bench_restart(&config);
    bench_request(21, 1);
    REQUIRE("RFC5973-3.4-8b", bench_answered(true, 7, 0x02, NATFW_LT));
    REQUIRE("RFC5973-3.4-8b", bench_count(false) == 0);
}

Test(lifetime, one_raised_by_the_responder_ends_the_session_with_7_11)
{
    VERIFIES("RFC5973-3.4-12", "RFC5973-3.4-14", "RFC5973-4.3.4-1");
    bench_request(60, 1);
    bench_forget_sent();
    grant(21, 1);
    REQUIRE("RFC5973-3.4-12", bench_answered(true, 7, 0x11, NATFW_LT));
    REQUIRE("RFC5973-3.4-12", bench_last(true)->message.lifetime_s == 20);
    REQUIRE("RFC5973-3.4-14", bench_answered(false, 1, 0x05, 0));
    REQUIRE("RFC5973-4.3.4-1", bench_last(false)->request.mri.mrm == GIST_MRM_PATH_COUPLED);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(lifetime, one_lowered_too_far_by_the_responder_ends_the_session_with_7_12)
{
    VERIFIES("RFC5973-3.4-13", "RFC5973-3.4-14");
    bench_request(15, 1);
    bench_forget_sent();
    grant(9, 1);
    REQUIRE("RFC5973-3.4-13", bench_answered(true, 7, 0x12, NATFW_LT));
    REQUIRE("RFC5973-3.4-13", bench_last(true)->message.lifetime_s == 10);
    REQUIRE("RFC5973-3.4-14", bench_answered(false, 1, 0x05, 0));
    cr_assert_not(bench_knows(1));
}

Test(lifetime, its_end_removes_session_and_rule_without_a_word)
{
    VERIFIES("RFC5973-3.4-1a");
    bench_request(15, 1);
    grant(15, 1);
    cr_assert(bench_rule_acts(1));
    bench_forget_sent();
    bench_advance(14999);
    cr_assert(bench_rule_acts(1));
    bench_advance(1);
    REQUIRE("RFC5973-3.4-1a", !bench_knows(1));
    REQUIRE("RFC5973-3.4-1a", bench_rules() == 0);
    REQUIRE("RFC5973-3.4-1a", bench.sent_count == 0);
    cr_assert(bench_happened(NATFW_EVENT_EXPIRED));
}

Test(lifetime, its_end_frees_what_was_set_aside)
{
    VERIFIES("RFC5973-3.4-1b", "RFC5973-3.2.8-2");
    bench_request(15, 1);
    cr_assert_eq(bench_rules(), 1);
    bench_advance(15000);
    REQUIRE("RFC5973-3.4-1b", bench_rules() == 0);
    REQUIRE("RFC5973-3.2.8-2", !bench_knows(1));
}

Test(lifetime, its_end_removes_the_session_at_the_responder)
{
    bench.flow_ends_here = true;
    bench_request(15, 1);
    cr_assert(bench_knows(1));
    bench_advance(15000);
    cr_assert_not(bench_knows(1));
}

Test(lifetime, forwarder_and_responder_never_refresh_by_themselves)
{
    VERIFIES("RFC5973-3.4-2");
    bench_request(15, 1);
    grant(15, 1);
    bench_forget_sent();
    bench_advance(14000);
    REQUIRE("RFC5973-3.4-2", bench.sent_count == 0);
    cr_assert(bench_knows(1));
}

Test(lifetime, the_initiator_chooses_one_for_every_request)
{
    VERIFIES("RFC5973-3.4-3");
    struct natfw_open open = {
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}, .lifetime_s = 15, .refresh = true};
    struct gist_session_id id;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    REQUIRE("RFC5973-3.4-3", natfw_message_has(&bench_last(false)->message, NATFW_LT));
    REQUIRE("RFC5973-3.4-3", bench_last(false)->message.lifetime_s == 15);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    REQUIRE("RFC5973-3.4-3", bench_last(false)->message.lifetime_s == 15);
}

Test(lifetime, a_refresh_extends_on_the_request_and_counts_from_the_response)
{
    VERIFIES("RFC5973-3.7.3-i6");
    bench_request(20, 1);
    grant(20, 1);
    bench_advance(15000);
    bench_request(20, 2);
    bench_advance(10000);
    REQUIRE("RFC5973-3.7.3-i6", bench_rule_acts(1));
    grant(10, 2);
    bench_advance(9999);
    cr_assert(bench_rule_acts(1));
    bench_advance(1);
    cr_assert_not(bench_rule_acts(1));
    cr_assert_not(bench_knows(1));
}

/* Ruling A92: a session of no lifetime would end as it begins. */
Test(lifetime, none_at_all_is_too_little_where_no_minimum_is_set)
{
    VERIFIES("RFC5973-3.4-13");
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.lifetime_min_s = 0;
    bench_restart(&config);
    bench_request(15, 1);
    grant(0, 1);
    REQUIRE("RFC5973-3.4-13", bench_answered(true, 7, 0x12, NATFW_LT));
    REQUIRE("RFC5973-3.4-13", bench_last(true)->message.lifetime_s == 1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
    bench_request(15, 2);
    grant(1, 2);
    cr_assert(bench_answered(true, 2, 0x01, 0), "one second is enough");
}

/* The last message of a session may have to wait for an association to open. */
Test(lifetime, its_end_leaves_routing_state_ten_seconds_for_the_last_message)
{
    bench_request(15, 1);
    grant(15, 1);
    cr_assert_eq(bench.given_up[false], 0);
    cr_assert_eq(bench.given_up[true], 0);
    bench_advance(15000);
    cr_assert_eq(bench.given_up[false], 1);
    cr_assert_eq(bench.given_up[true], 1);
    cr_assert_eq(bench.given_up_after_ms, 10000);
}

Test(lifetime, very_many_sessions_expire_some_at_a_time)
{
    enum { MANY = 200 };
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = config.sessions_per_stranger_max = config.sessions_per_peer_max = 0;
    config.sessions_max = 4 * MANY;
    bench_restart(&config);
    struct natfw_open open = {
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}, .lifetime_s = 10};
    struct gist_session_id id;
    for (unsigned i = 0; i < MANY; i++) {
        cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
        bench_forget_sent();
        bench.event_count = 0;
    }
    bench.now_ms = bench.deadline_ms + 60000;
    for (unsigned turns = 0; bench.deadline_ms <= bench.now_ms; turns++) {
        bench.event_count = 0;
        bench_forget_sent();
        natfw_node_tick(bench.node, bench.now_ms);
        cr_assert_leq(bench.event_count, 64);
        cr_assert_lt(turns, MANY);
    }
    cr_assert_not(natfw_node_session(bench.node, &id, &(struct natfw_session_view){0}));
}

/* In milliseconds a year does not fit into 32 bits. */
enum { YEAR_S = 31536000 };

static const uint64_t year_ms = UINT64_C(31536000000);

static void allow_years(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.lifetime_max_s = YEAR_S;
    config.transitory_hold_s = YEAR_S;
    bench_restart(&config);
}

static uint64_t session_ends_after_ms(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, id, &view));
    return view.expires_ms - bench.now_ms;
}

Test(lifetime, of_a_year_is_a_year_at_a_forwarder)
{
    struct gist_session_id id = bench_session(1);
    allow_years();
    bench_request(YEAR_S, 1);
    cr_assert_eq(session_ends_after_ms(&id), year_ms, "while it is pending");
    cr_assert_eq(bench.deadline_ms, bench.now_ms + year_ms);
    grant(YEAR_S, 1);
    cr_assert_eq(session_ends_after_ms(&id), year_ms);
    cr_assert_eq(bench.rules[0].expires_ms, bench.now_ms + year_ms);
    bench.now_ms += 1000;
    bench_request(YEAR_S, 2);
    cr_assert_eq(session_ends_after_ms(&id), year_ms, "provisionally");
    cr_assert_eq(bench.rules[0].expires_ms, bench.now_ms + year_ms);
    grant(YEAR_S, 2);
    bench.now_ms += 1000;
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    bench_receive(1, true, &notify);
    cr_assert_eq(session_ends_after_ms(&id), year_ms - 1000, "the hold is as long");
}

Test(lifetime, of_a_year_is_a_year_at_a_responder)
{
    struct gist_session_id id = bench_session(1);
    allow_years();
    bench.flow_ends_here = true;
    bench_request(YEAR_S, 1);
    cr_assert_eq(session_ends_after_ms(&id), year_ms);
    cr_assert_eq(bench.deadline_ms, bench.now_ms + year_ms);
}

Test(lifetime, of_a_year_is_a_year_at_an_initiator)
{
    struct gist_session_id id;
    uint8_t octets[64];
    struct natfw_open open = {.rule = {.action = NATFW_ALLOW, .flow = bench_flow()},
        .lifetime_s = YEAR_S,
        .refresh = true};
    allow_years();
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    cr_assert_eq(session_ends_after_ms(&id), year_ms);
    struct natfw_message success =
        bench_success(YEAR_S, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    cr_assert_eq(session_ends_after_ms(&id), year_ms);
    uint64_t refresh_in_ms = bench.deadline_ms - bench.now_ms;
    cr_assert_geq(refresh_in_ms, year_ms * 2 / 21, "half a refresh period at least");
    cr_assert_leq(refresh_in_ms, year_ms * 6 / 21, "and one and a half at most");
}

/* How an initiator keeps its sessions alive, or lets them end. RFC 5973 3.4, 3.7.3. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(keeping, .init = bench_start_default, .fini = bench_stop);

static struct natfw_open wanted(bool refresh)
{
    return (struct natfw_open){.lifetime_s = 60,
        .refresh = refresh,
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
}

static struct gist_session_id opened(bool refresh)
{
    struct gist_session_id id;
    struct natfw_open open = wanted(refresh);
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    return id;
}

static struct gist_received received_for(
    const struct gist_session_id *id, const struct natfw_message *message, uint8_t octets[64])
{
    size_t length = natfw_message_build(message, octets, 64);
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = *id;
    return received;
}

static void grant(const struct gist_session_id *id)
{
    uint8_t octets[64];
    struct natfw_message success = bench_success(60, bench_last(false)->message.sequence_number);
    struct gist_received received = received_for(id, &success, octets);
    bench_receive_as(&received);
}

static bool knows(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    return natfw_node_session(bench.node, id, &view);
}

Test(keeping, a_session_that_nobody_answers_ends_with_the_lifetime_that_it_asked_for)
{
    struct gist_session_id id = opened(true);
    cr_assert_eq(bench.deadline_ms, bench.now_ms + 60000);
    bench_advance(59999);
    cr_assert(knows(&id));
    cr_assert_eq(bench_count(false), 1, "nothing is refreshed that was not granted");
    bench_advance(1);
    cr_assert_not(knows(&id));
    cr_assert(bench_told(NATFW_EVENT_EXPIRED, &id, NULL));
}

Test(keeping, a_change_before_the_grant_is_not_refreshed_either)
{
    struct gist_session_id id = opened(true);
    struct natfw_open open = wanted(true);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    cr_assert_eq(bench.deadline_ms, bench.now_ms + 60000);
}

Test(keeping, a_change_can_end_the_refreshing)
{
    struct gist_session_id id = opened(true);
    grant(&id);
    struct natfw_open open = wanted(false);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    cr_assert_eq(bench.deadline_ms, bench.now_ms + 60000, "also while it is not answered");
    grant(&id);
    bench_forget_sent();
    bench_advance(60000);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_not(knows(&id));
}

Test(keeping, the_moment_of_a_refresh_is_drawn)
{
    struct gist_session_id id = opened(true);
    bench.random_octet = 0;
    grant(&id);
    uint64_t early_ms = bench.deadline_ms;
    struct natfw_open open = wanted(true);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    bench.random_octet = 0xfe;
    grant(&id);
    cr_assert_gt(bench.deadline_ms, early_ms + 5000);
}

Test(keeping, a_response_counts_once)
{
    struct gist_session_id id = opened(true);
    grant(&id);
    bench_advance(1000);
    grant(&id);
    cr_assert_eq(bench_times(NATFW_EVENT_REFRESHED), 0);
    cr_assert(bench_told(NATFW_EVENT_DISCARDED, &id, "a RESPONSE to no current request"));
}

Test(keeping, the_node_that_answered_may_end_the_session_from_outside_its_routing_state)
{
    struct gist_session_id id = opened(true);
    grant(&id);
    uint8_t octets[64];
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    struct gist_received received = received_for(&id, &notify, octets);
    received.routing_state_validated = false;
    received.explicitly_routed = true;
    bench_receive_as(&received);
    cr_assert_not(knows(&id));
}

Test(keeping, a_create_for_a_session_that_was_begun_here_is_told)
{
    struct gist_session_id id = opened(true);
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, 1);
    struct gist_received received = received_for(&id, &create, octets);
    received.mri.upstream = false;
    bench_receive_as(&received);
    cr_assert(
        bench_told(NATFW_EVENT_DISCARDED, &id, "a CREATE for a session that this node started"));
}

Test(keeping, without_randomness_there_is_no_session)
{
    struct gist_session_id id;
    struct natfw_open open = wanted(true);
    bench.no_randomness = true;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_NO_RANDOMNESS);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_not(knows(&id));
}

/* Routing state ------------------------------------------------------------------------------- */

static void expect_kept(const struct gist_mri *flow, uint64_t session_ms)
{
    for (int upstream = 0; upstream <= 1; upstream++) {
        cr_assert_geq(bench.kept_ms[upstream], session_ms);
        cr_assert_leq(bench.kept_ms[upstream], session_ms + BENCH_GIVEN_UP_MS);
        cr_assert(gist_mri_same_flow(&bench.kept_flow[upstream], flow));
        cr_assert_eq(bench.kept_flow[upstream].upstream, upstream);
    }
}

Test(keeping, an_initiator_keeps_routing_state_as_long_as_its_session)
{
    struct gist_mri flow = bench_flow();
    struct gist_session_id id = opened(false);
    cr_assert_eq(bench.kept_ms[false], 0, "not before it is granted");
    grant(&id);
    expect_kept(&flow, 60000);
    bench_advance(40000);
    struct natfw_open open = wanted(false);
    open.lifetime_s = 90;
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    grant(&id);
    expect_kept(&flow, 60000);
    cr_assert_eq(bench.given_up[false], 0);
}

Test(keeping, so_does_a_forwarder_from_each_success)
{
    struct gist_mri flow = bench_flow();
    bench_request(60, 1);
    cr_assert_eq(bench.kept_ms[false], 0);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    expect_kept(&flow, 60000);
    bench_request(60, 2);
    bench.kept_ms[false] = bench.kept_ms[true] = 0;
    bench_respond(NATFW_ALL_PROCESSED, 2);
    expect_kept(&flow, 60000);
    bench_request(60, 3);
    bench.kept_ms[false] = bench.kept_ms[true] = 0;
    bench_respond(NATFW_POLICY_CONFLICT, 3);
    cr_assert_eq(bench.kept_ms[false], 0, "a refusal gives no more time");
}

Test(keeping, so_does_a_responder)
{
    struct gist_mri flow = bench_flow();
    bench.flow_ends_here = true;
    bench_request(60, 1);
    expect_kept(&flow, 60000);
}

/* The state of the flow before is not wanted any more, and that of the new one is. */
Test(keeping, an_update_to_another_flow_gives_up_the_state_of_the_old_one)
{
    struct gist_mri flow = bench_flow(), moved = bench_flow();
    struct natfw_open open = wanted(false);
    struct gist_session_id id = opened(false);
    grant(&id);
    moved.destination_port = 5001;
    open.rule.flow = moved;
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    cr_assert_eq(bench.given_up[false], 0, "it is still in force");
    grant(&id);
    cr_assert(bench.given_up[false] == 1 && bench.given_up[true] == 1);
    cr_assert(gist_mri_same_flow(&bench.given_up_flow, &flow));
    expect_kept(&moved, 60000);
}

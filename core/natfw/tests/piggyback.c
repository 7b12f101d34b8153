/* Requests inside a Query. RFC 5973 3.6, ruling A97. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(piggyback, .init = bench_start_default, .fini = bench_stop);

static void receive_in_query(uint8_t session, const struct natfw_message *message)
{
    uint8_t octets[64];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(session, false, octets, length);
    received.routing_state_check = true;
    received.routing_state_validated = false;
    received.association = 0;
    received.attributes.reliable = false;
    bench_receive_as(&received);
}

static void routing_state_is_there(uint8_t session, bool upstream)
{
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_session_id id = bench_session(session);
    struct gist_mri mri = bench_flow();
    mri.upstream = upstream;
    application.network_notification(
        application.context, bench.now_ms, &mri, &id, GIST_NOTIFY_ROUTING_STATUS_GOOD);
}

Test(piggyback, a_request_is_not_processed_and_refused_once_there_is_routing_state)
{
    struct natfw_message create = bench_create(60, 7);
    receive_in_query(1, &create);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench.sent_count, 0, "there is nobody to answer yet");
    routing_state_is_there(1, true);
    cr_assert(bench_answered(true, 5, 0x01, 0));
    cr_assert_eq(bench_last(true)->message.sequence_number, 7);
    cr_assert_eq(bench_count(false), 0);
    cr_assert_eq(bench_rules(), 0);
}

Test(piggyback, a_request_that_came_twice_is_refused_once)
{
    struct natfw_message create = bench_create(60, 7);
    receive_in_query(1, &create);
    receive_in_query(1, &create);
    routing_state_is_there(1, true);
    routing_state_is_there(1, true);
    cr_assert_eq(bench_count(true), 1);
}

Test(piggyback, nothing_is_refused_on_another_session_or_towards_the_responder)
{
    struct natfw_message create = bench_create(60, 7);
    receive_in_query(1, &create);
    routing_state_is_there(2, true);
    routing_state_is_there(1, false);
    cr_assert_eq(bench.sent_count, 0);
}

Test(piggyback, what_is_no_request_is_dropped_for_good)
{
    struct natfw_message success = bench_success(60, 7);
    receive_in_query(1, &success);
    routing_state_is_there(1, true);
    cr_assert_eq(bench.sent_count, 0);
}

Test(piggyback, no_number_of_unfinished_handshakes_keeps_more_than_a_few)
{
    struct natfw_message create = bench_create(60, 7);
    size_t before = bench.allocations;
    for (uint8_t session = 1; session <= 40; session++)
        receive_in_query(session, &create);
    cr_assert_eq(bench.allocations, before);
    routing_state_is_there(1, true);
    cr_assert_eq(bench.sent_count, 0, "the oldest is forgotten");
    routing_state_is_there(40, true);
    cr_assert_eq(bench_count(true), 1);
}

/* The NSIS responder. RFC 5973 3.2.7, 3.4, 3.7.1, 3.7.3, 3.7.4. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

static void start(void)
{
    bench_start_default();
    bench.flow_ends_here = true;
}

TestSuite(responder, .init = start, .fini = bench_stop);

Test(responder, a_create_that_it_accepts_is_answered_2_01)
{
    VERIFIES("RFC5973-3.7.1-5");
    bench_request(60, 1);
    REQUIRE("RFC5973-3.7.1-5", bench_answered(true, 2, 0x01, 0));
    REQUIRE("RFC5973-3.7.1-5", bench_last(true)->message.lifetime_s == 60);
    cr_assert_eq(bench_count(false), 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(responder, a_create_that_it_refuses_is_answered_with_a_fitting_code)
{
    VERIFIES("RFC5973-3.7.1-6");
    bench.permission = NATFW_POLICY_CONFLICT;
    bench_request(60, 1);
    REQUIRE("RFC5973-3.7.1-6", bench_answered(true, 7, 0x04, 0));
    cr_assert_not(bench_knows(1));
}

Test(responder, a_response_is_dropped_without_a_word)
{
    VERIFIES("RFC5973-3.7.1-9");
    bench_request(60, 1);
    bench_forget_sent();
    struct natfw_message response = bench_success(60, 1);
    bench_receive(1, false, &response);
    REQUIRE("RFC5973-3.7.1-9", bench.sent_count == 0);
    REQUIRE("RFC5973-3.7.1-9", bench_state(1, NATFW_ESTABLISHED));
}

Test(responder, a_refresh_is_answered_with_the_granted_lifetime)
{
    bench_request(60, 1);
    bench_request(45, 2);
    cr_assert_eq(bench_count(true), 2);
    cr_assert_eq(bench_last(true)->message.lifetime_s, 45);
    cr_assert(bench_happened(NATFW_EVENT_REFRESHED));
}

Test(responder, a_deletion_ends_the_session_and_is_not_answered)
{
    VERIFIES("RFC5973-3.7.4-i6");
    bench_request(60, 1);
    bench_forget_sent();
    bench_request(0, 2);
    REQUIRE("RFC5973-3.7.4-i6", bench.sent_count == 0);
    cr_assert_not(bench_knows(1));
}

Test(responder, a_deletion_of_an_unknown_session_leaves_no_trace)
{
    bench_request(0, 2);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_not(bench_knows(1));
}

Test(responder, a_terminating_notify_ends_the_session)
{
    bench_request(60, 1);
    bench_forget_sent();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    bench_receive(1, false, &notify);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench.sent_count, 0);
}

Test(responder, a_deletion_is_told_and_one_of_nothing_is_dropped)
{
    struct gist_session_id id = bench_session(1);
    bench_request(0, 1);
    cr_assert(bench_told(NATFW_EVENT_DISCARDED, &id, "a deletion of a session that is not known"));
    bench_request(60, 2);
    bench_forget_sent();
    bench_request(0, 3);
    cr_assert(bench_told(NATFW_EVENT_DELETED, &id, NULL));
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench.sent_count, 0);
}

/* What answers goes as what is answered came, at every request anew. */
Test(responder, a_request_that_came_secured_is_answered_secured)
{
    static const bool secure[] = {false, true, true};
    for (uint32_t i = 0; i < 3; i++) {
        uint8_t octets[128];
        struct natfw_message create = bench_create(60, i + 1);
        size_t length = natfw_message_write(&create, octets, sizeof(octets));
        struct gist_received received = bench_received(1, false, octets, length);
        received.attributes.secure = secure[i];
        bench_receive_as(&received);
        cr_assert(bench_answered(true, 2, 0x01, 0));
        cr_assert_eq(bench_last(true)->request.attributes.secure, secure[i], "row %u", i);
        cr_assert(bench_last(true)->request.attributes.reliable);
    }
}

/* The routing state that is given up at the end is that of the flow in force. */
Test(responder, the_flow_of_the_newest_request_is_in_force)
{
    struct gist_session_id id = bench_session(1);
    struct natfw_session_view view;
    for (uint16_t i = 0; i < 2; i++) {
        uint8_t octets[128];
        struct natfw_message create = bench_create(60, i + 1u);
        size_t length = natfw_message_write(&create, octets, sizeof(octets));
        struct gist_received received = bench_received(1, false, octets, length);
        received.mri.destination_port = (uint16_t)(5000 + i);
        bench_receive_as(&received);
        cr_assert(natfw_node_session(bench.node, &id, &view));
        cr_assert_eq(view.rule.flow.destination_port, 5000 + i);
        cr_assert_not(view.rule_installed);
        cr_assert_eq(view.sequence_number, i + 1u);
    }
}

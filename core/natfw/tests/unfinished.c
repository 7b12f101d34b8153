/* Sessions that end while a request is under way: it is answered by an error RESPONSE, whichever
 * way they end, and no rule stays. RFC 5973 3.7.1, ruling A54. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(unfinished, .init = bench_start_default, .fini = bench_stop);

static bool answered(enum natfw_code code, uint32_t sequence_number)
{
    for (size_t i = 0; i < bench.sent_count; i++) {
        const struct bench_sent *sent = &bench.sent[i];
        if (sent->request.mri.upstream && sent->message.type == NATFW_RESPONSE &&
            sent->message.info.code == code && sent->message.sequence_number == sequence_number)
            return true;
    }
    return false;
}

static size_t responses(void)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.sent_count; i++)
        count += bench.sent[i].message.type == NATFW_RESPONSE;
    return count;
}

static void notify(bool upstream, enum natfw_code code)
{
    struct natfw_message message = bench_notify(code);
    bench_receive(1, upstream, &message);
}

static void expect_answered_and_gone(uint32_t sequence_number)
{
    cr_assert(answered(NATFW_TERMINATED_ASYNCHRONOUSLY, sequence_number));
    cr_assert_eq(responses(), 1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(unfinished, a_pending_session_whose_lifetime_ends_is_answered)
{
    bench_request(60, 1);
    bench_advance(60000);
    expect_answered_and_gone(1);
}

Test(unfinished, a_pending_session_that_a_notify_ends_is_answered)
{
    bench_request(60, 1);
    notify(true, NATFW_SESSION_TERMINATED);
    expect_answered_and_gone(1);
}

Test(unfinished, a_refresh_that_is_under_way_is_answered)
{
    bench_establish(1);
    bench_request(60, 2);
    notify(true, NATFW_SESSION_EXPIRED);
    expect_answered_and_gone(2);
}

Test(unfinished, a_response_that_waits_for_its_rule_becomes_an_error)
{
    bench.middlebox_waits = true;
    bench_request(60, 7);
    bench_respond(NATFW_ALL_PROCESSED, 7);
    notify(true, NATFW_SESSION_TERMINATED);
    expect_answered_and_gone(7);
}

Test(unfinished, a_session_whose_requests_are_answered_ends_without_a_response)
{
    bench_establish(1);
    notify(true, NATFW_SESSION_TERMINATED);
    cr_assert_eq(responses(), 0);
    bench_establish(1);
    bench_advance(60000);
    cr_assert_eq(responses(), 0);
    bench_request(60, 1);
    bench_request(0, 2);
    cr_assert_eq(responses(), 0, "who deletes waits for nothing");
}

Test(unfinished, a_failed_install_is_answered_with_the_number_of_its_own_request)
{
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench_request(60, 2);
    bench_answer_middlebox(NATFW_MIDDLEBOX_FAILED);
    cr_assert(answered(NATFW_INTERNAL_ERROR, 1));
    cr_assert(answered(NATFW_TERMINATED_ASYNCHRONOUSLY, 2), "the newer request is answered, too");
    cr_assert_eq(responses(), 2);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(unfinished, a_failed_install_is_answered_about_the_flow_of_its_own_request)
{
    uint8_t octets[64];
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    struct natfw_message update = bench_create(60, 2);
    size_t length = natfw_message_build(&update, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.destination_port++;
    bench_receive_as(&received);
    bench_forget_sent();
    bench_answer_middlebox(NATFW_MIDDLEBOX_FAILED);
    cr_assert_eq(bench.sent[0].message.sequence_number, 1);
    cr_assert_eq(bench.sent[0].request.mri.destination_port, 5000);
    cr_assert_eq(bench.sent[1].message.sequence_number, 2);
    cr_assert_eq(bench.sent[1].request.mri.destination_port, 5001);
    cr_assert_eq(bench_rules(), 0);
}

/* A NOTIFY made it Transitory before anything was granted: there is nothing to go back to. */
Test(unfinished, an_error_response_ends_a_session_that_was_never_granted)
{
    bench_request(60, 1);
    notify(true, NATFW_ROUTE_CHANGE);
    cr_assert(bench_state(1, NATFW_TRANSITORY));
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(unfinished, an_external_of_lifetime_0_is_not_answered)
{
    struct natfw_message external = bench_create(0, 1);
    external.type = NATFW_EXTERNAL;
    external.dtinfo.has_protocol = true;
    external.dtinfo.protocol = 17;
    natfw_message_add(&external, NATFW_DTINFO);
    bench_receive(1, false, &external);
    cr_assert_eq(bench.sent_count, 0);
    external.lifetime_s = 60;
    bench_receive(1, false, &external);
    cr_assert(bench_answered(true, 5, 0x06, 0));
}

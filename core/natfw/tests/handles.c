/* What GIST and the middlebox report about requests that nobody waits for any more. RFC 5973 3.7.1.
 */
#include "core/natfw/tests/bench.h"

TestSuite(handles, .init = bench_start_default, .fini = bench_stop);

static void middlebox_done(natfw_handle handle, enum natfw_middlebox_result result)
{
    natfw_node_middlebox_done(bench.node, bench.now_ms, handle, result);
}

/* The handle of a rule that the middlebox has been asked to install for session 1. */
static natfw_handle asked_to_install(uint32_t sequence_number)
{
    bench.middlebox_waits = true;
    bench_request(60, sequence_number);
    bench_respond(NATFW_ALL_PROCESSED, sequence_number);
    cr_assert_gt(bench.handle_count, 0);
    return bench.handles[bench.handle_count - 1];
}

Test(handles, the_middlebox_is_heard_once)
{
    natfw_handle handle = asked_to_install(1);
    middlebox_done(handle, NATFW_MIDDLEBOX_OK);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    bench_forget_sent();
    middlebox_done(handle, NATFW_MIDDLEBOX_FAILED);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(handles, only_the_rule_of_the_newest_response_lets_it_go_on)
{
    natfw_handle older = asked_to_install(1);
    natfw_handle newer = asked_to_install(2);
    cr_assert_neq(older, newer);
    bench_forget_sent();
    middlebox_done(older, NATFW_MIDDLEBOX_FAILED);
    cr_assert(bench_knows(1));
    middlebox_done(older, NATFW_MIDDLEBOX_OK);
    cr_assert_eq(bench.sent_count, 0);
    middlebox_done(newer, NATFW_MIDDLEBOX_OK);
    cr_assert_eq(bench_last(true)->message.sequence_number, 2);
}

Test(handles, a_new_request_leaves_the_response_that_waits_to_its_own_rule)
{
    natfw_handle handle = asked_to_install(1);
    bench_request(60, 2);
    bench_forget_sent();
    middlebox_done(handle, NATFW_MIDDLEBOX_OK);
    cr_assert_eq(bench_last(true)->message.sequence_number, 1);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(handles, the_middlebox_may_answer_for_a_session_that_is_gone)
{
    natfw_handle handle = asked_to_install(1);
    bench_request(0, 2);
    cr_assert_not(bench_knows(1));
    bench_forget_sent();
    middlebox_done(handle, NATFW_MIDDLEBOX_OK);
    natfw_handle again = asked_to_install(3);
    cr_assert_neq(again, handle, "a session of the same id is another session");
    bench_forget_sent();
    middlebox_done(handle, NATFW_MIDDLEBOX_FAILED);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_knows(1));
}

Test(handles, a_request_that_is_not_delivered_ends_a_session_that_never_was)
{
    bench_request(60, 1);
    natfw_handle handle = bench_last(false)->request.handle;
    cr_assert_neq(handle, NATFW_NO_HANDLE);
    bench_undelivered(handle);
    cr_assert(bench_answered(true, 5, 0x07, 0));
    cr_assert_eq(bench_last(true)->message.sequence_number, 1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(handles, that_an_older_request_was_not_delivered_says_nothing_of_the_newest)
{
    bench_request(60, 1);
    natfw_handle older = bench_last(false)->request.handle;
    bench_request(60, 2);
    cr_assert_neq(bench_last(false)->request.handle, older);
    bench_forget_sent();
    bench_undelivered(older);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_knows(1));
}

Test(handles, a_request_that_was_answered_was_delivered)
{
    bench_request(60, 1);
    natfw_handle handle = bench_last(false)->request.handle;
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench_forget_sent();
    bench_undelivered(handle);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    bench_request(60, 2);
    handle = bench_last(false)->request.handle;
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    bench_forget_sent();
    bench_undelivered(handle);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(handles, nobody_waits_to_hear_of_a_deletion)
{
    bench_establish(1);
    bench_request(0, 2);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 0);
    cr_assert_eq(bench_last(false)->request.handle, NATFW_NO_HANDLE);
}

Test(handles, a_responder_sends_no_request_that_could_be_lost)
{
    bench.flow_ends_here = true;
    bench_request(60, 1);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    cr_assert_eq(bench_last(true)->request.handle, NATFW_NO_HANDLE);
    bench_undelivered(NATFW_NO_HANDLE);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

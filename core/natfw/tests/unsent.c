/* Messages that GIST does not take: they are told and counted, and leave no trace. RFC 5973 3.5. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(unsent, .init = bench_start_default, .fini = bench_stop);

static struct natfw_open wanted(uint32_t lifetime_s)
{
    return (struct natfw_open){.lifetime_s = lifetime_s,
        .refresh = true,
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
}

static struct gist_session_id opened(void)
{
    struct gist_session_id id;
    uint8_t octets[64];
    struct natfw_open open = wanted(60);
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    struct natfw_message success = bench_success(60, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    return id;
}

static struct natfw_session_view view_of(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, id, &view), "the session is gone");
    return view;
}

static uint64_t counted(void)
{
    return natfw_node_counters(bench.node).messages_unsent;
}

Test(unsent, a_refresh_uses_no_sequence_number_up)
{
    struct gist_session_id id = opened();
    uint32_t number = view_of(&id).sequence_number;
    bench.send_result = GIST_SEND_NO_MEMORY;
    bench_advance(30000);
    cr_assert_gt(counted(), 0);
    cr_assert_eq(view_of(&id).sequence_number, number);
    bench.send_result = GIST_SENT;
    bench_forget_sent();
    bench_advance(20000);
    cr_assert_eq(bench_last(false)->message.sequence_number, number + 1 + bench_count(false) - 1);
    cr_assert_eq(bench.sent[0].message.sequence_number, number + 1);
}

Test(unsent, a_change_leaves_the_session_as_it_was)
{
    struct gist_session_id id = opened();
    struct natfw_session_view before = view_of(&id);
    struct natfw_open other = wanted(90);
    other.rule.flow.destination_port++;
    bench.send_result = GIST_SEND_NO_ROUTE;
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &other), NATFW_NO_ROUTE);
    cr_assert_eq(counted(), 1);
    struct natfw_session_view after = view_of(&id);
    cr_assert_eq(after.sequence_number, before.sequence_number);
    cr_assert(natfw_policy_rule_equal(&after.rule, &before.rule));
    bench.send_result = GIST_SENT;
    bench_forget_sent();
    bench_advance(30000);
    struct gist_mri flow = bench_flow();
    cr_assert(gist_mri_equal(&bench.sent[0].request.mri, &flow), "refreshes ask for the old rule");
    cr_assert_eq(bench.sent[0].message.lifetime_s, 60);
}

/* What was asked for before is still answered. */
Test(unsent, a_request_does_not_take_the_place_of_the_one_before)
{
    struct gist_session_id id = opened();
    struct natfw_open longer = wanted(90), longest = wanted(120);
    uint8_t octets[64];
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &longer), NATFW_OK);
    bench.send_result = GIST_SEND_NO_MEMORY;
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &longest), NATFW_NO_MEMORY);
    bench.send_result = GIST_SENT;
    struct natfw_message success = bench_success(100, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    cr_assert_eq(view_of(&id).lifetime_s, 90, "no more than it asked for");
}

Test(unsent, each_message_is_told_with_its_session_and_a_reason)
{
    static const struct {
        enum gist_send_result result;
        const char *why;
    } rows[] = {{GIST_SEND_TO_SELF, "this node is its destination"},
        {GIST_SEND_NO_ROUTE, "no way to its receiver is known"},
        {GIST_SEND_TOO_LARGE, "it is longer than GIST carries"},
        {GIST_SEND_NO_MEMORY, "there is no memory for it"},
        {GIST_SEND_INVALID, "GIST cannot carry it"}};
    struct gist_session_id id = bench_session(1);
    bench_establish(1);
    struct natfw_message notify = bench_notify(NATFW_REAUTHENTICATION_REQUIRED);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bench.send_result = rows[i].result;
        bench.event_count = 0;
        bench_receive(1, true, &notify);
        cr_assert_eq(counted(), i + 1);
        cr_assert_eq(bench.events[0].kind, NATFW_EVENT_UNSENT);
        cr_assert(gist_session_id_equal(&bench.events[0].session_id, &id));
        cr_assert_eq(bench.events[0].info.code, NATFW_REAUTHENTICATION_REQUIRED);
        cr_assert_str_eq(bench.events[0].why, rows[i].why);
        cr_assert_not(natfw_node_has_answered(bench.node, &bench.events[0]));
    }
}

Test(unsent, a_response_that_waited_for_its_rule_is_told_too)
{
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench.send_result = GIST_SEND_NO_ROUTE;
    bench_answer_middlebox(NATFW_MIDDLEBOX_OK);
    cr_assert_eq(counted(), 1);
    cr_assert(bench_happened(NATFW_EVENT_UNSENT));
}

Test(unsent, nothing_is_counted_of_what_was_sent)
{
    bench_establish(1);
    cr_assert_eq(counted(), 0);
    cr_assert_not(bench_happened(NATFW_EVENT_UNSENT));
}

/* The NSIS initiator is notified. RFC 5973 3.2.8, 3.7.5, 3.9. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(notified, .init = bench_start_default, .fini = bench_stop);

static struct natfw_open request = {.lifetime_s = 60, .refresh = true};

static struct gist_session_id opened(void)
{
    struct gist_session_id id;
    request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &request, &id), NATFW_OK);
    return id;
}

static void receive(const struct gist_session_id *id, const struct natfw_message *message)
{
    uint8_t octets[256];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = *id;
    bench_receive_as(&received);
}

static void answer(const struct gist_session_id *id, enum natfw_code code)
{
    uint32_t number = bench_last(false)->message.sequence_number;
    struct natfw_message message = natfw_class_of(code) == NATFW_SUCCESS
                                       ? bench_success(60, number)
                                       : bench_response(code, number);
    receive(id, &message);
}

static struct natfw_session_view view_of(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, id, &view), "the session is gone");
    return view;
}

static bool knows(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    return natfw_node_session(bench.node, id, &view);
}

Test(notified, a_terminating_notify_ends_the_session)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    bench_forget_sent();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    receive(&id, &notify);
    cr_assert_not(knows(&id));
    cr_assert_eq(bench.sent_count, 0, "an initiator never sends NOTIFY");
}

/* Whoever is on the path may say so before anybody has granted a lifetime. */
Test(notified, a_notify_before_any_answer_has_the_path_asked_once_more)
{
    VERIFIES("RFC5973-3.2.8-i9");
    struct gist_session_id id = opened();
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    receive(&id, &notify);
    bench_advance(0);
    REQUIRE("RFC5973-3.2.8-i9", view_of(&id).state == NATFW_TRANSITORY);
    cr_assert_eq(bench_count(false), 2);
    const struct natfw_event notified = {.kind = NATFW_EVENT_NOTIFIED, .session_id = id};
    cr_assert_not(natfw_node_has_answered(bench.node, &notified));
    answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(view_of(&id).state, NATFW_ESTABLISHED);
    cr_assert_eq(view_of(&id).lifetime_s, 60);
}

Test(notified, a_session_that_only_a_notify_answered_ends_with_the_transitory_time)
{
    struct gist_session_id id = opened();
    struct natfw_message notify = bench_notify(NATFW_GOING_DOWN);
    receive(&id, &notify);
    bench_advance(29999);
    cr_assert(knows(&id));
    bench_advance(1);
    cr_assert_not(knows(&id));
}

Test(notified, a_notify_that_ends_the_session_is_an_answer)
{
    struct gist_session_id id = opened();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    receive(&id, &notify);
    const struct natfw_event notified = {.kind = NATFW_EVENT_NOTIFIED, .session_id = id};
    cr_assert_not(knows(&id));
    cr_assert(natfw_node_has_answered(bench.node, &notified));
}

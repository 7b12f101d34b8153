/* The NSIS initiator is notified. RFC 5973 3.2.8, 3.7.5, 3.9. */
#include "core/natfw/tests/begun.h"

TestSuite(notified, .init = bench_start_default, .fini = bench_stop);

Test(notified, a_terminating_notify_ends_the_session)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    bench_forget_sent();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    begun_receive(&id, &notify);
    cr_assert_not(begun_is_known(&id));
    cr_assert_eq(bench.sent_count, 0, "an initiator never sends NOTIFY");
}

/* Whoever is on the path may say so before anybody has granted a lifetime. */
Test(notified, a_notify_before_any_answer_has_the_path_asked_once_more)
{
    VERIFIES("RFC5973-3.2.8-i9");
    struct gist_session_id id = begun_session();
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    begun_receive(&id, &notify);
    bench_advance(0);
    REQUIRE("RFC5973-3.2.8-i9", begun_view(&id).state == NATFW_TRANSITORY);
    cr_assert_eq(bench_count(false), 2);
    const struct natfw_event notified = {.kind = NATFW_EVENT_NOTIFIED, .session_id = id};
    cr_assert_not(natfw_node_has_answered(bench.node, &notified));
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
    cr_assert_eq(begun_view(&id).lifetime_s, 60);
}

Test(notified, a_session_that_only_a_notify_answered_ends_with_the_transitory_time)
{
    struct gist_session_id id = begun_session();
    struct natfw_message notify = bench_notify(NATFW_GOING_DOWN);
    begun_receive(&id, &notify);
    bench_advance(29999);
    cr_assert(begun_is_known(&id));
    bench_advance(1);
    cr_assert_not(begun_is_known(&id));
}

Test(notified, a_notify_that_ends_the_session_is_an_answer)
{
    struct gist_session_id id = begun_session();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    begun_receive(&id, &notify);
    const struct natfw_event notified = {.kind = NATFW_EVENT_NOTIFIED, .session_id = id};
    cr_assert_not(begun_is_known(&id));
    cr_assert(natfw_node_has_answered(bench.node, &notified));
}

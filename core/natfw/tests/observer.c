/* What the observer is told of the session that an event is about: as it is, or as it was when it
 * ended; and nothing of any other. */
#include "core/natfw/session/observer.h"
#include "core/natfw/tests/bench.h"

TestSuite(observer, .init = bench_start_default, .fini = bench_stop);

static void establish(uint8_t session)
{
    struct natfw_message create = bench_create(60, 1), success = bench_success(60, 1);
    bench_receive(session, false, &create);
    bench_receive(session, true, &success);
    cr_assert(bench_state(session, NATFW_ESTABLISHED));
}

/* Of the last event; NULL where it told of no session. */
static const struct natfw_session_view *seen(enum natfw_event_kind kind)
{
    size_t last = bench.event_count - 1;
    cr_assert(bench.event_count > 0 && bench.events[last].kind == kind);
    return bench.events[last].session ? &bench.sessions_seen[last] : NULL;
}

static bool is_of(const struct natfw_session_view *view, uint8_t session)
{
    struct gist_session_id id = bench_session(session);
    return view && gist_session_id_equal(&view->id, &id);
}

Test(observer, sees_a_session_as_it_is)
{
    establish(1);
    const struct natfw_session_view *view = seen(NATFW_EVENT_ESTABLISHED);
    cr_assert(is_of(view, 1) && view->state == NATFW_ESTABLISHED && view->rule_installed);
}

Test(observer, sees_a_session_that_has_ended_as_it_was)
{
    struct natfw_message deletion = bench_create(0, 2);
    establish(1);
    establish(2);
    bench_receive(1, false, &deletion);
    const struct natfw_session_view *view = seen(NATFW_EVENT_DELETED);
    cr_assert(is_of(view, 1) && view->state == NATFW_DEAD && view->role == NATFW_FORWARDER);
    cr_assert(!view->rule_installed && view->lifetime_s == 60);
    cr_assert(view->rule.flow.destination_port != 0);
    bench_advance(60000);
    cr_assert(is_of(seen(NATFW_EVENT_EXPIRED), 2), "and each its own");
}

Test(observer, sees_what_was_asked_for_of_a_session_that_was_refused_at_once)
{
    struct natfw_message create = bench_create(60, 1), refusal = bench_success(60, 1);
    refusal.info.code = NATFW_AUTHORIZATION_FAILED;
    bench_receive(1, false, &create);
    bench_receive(1, true, &refusal);
    const struct natfw_session_view *view = seen(NATFW_EVENT_REFUSED);
    cr_assert(is_of(view, 1) && view->lifetime_s == 60 && !view->rule_installed);
}

Test(observer, sees_no_session_where_there_is_none)
{
    struct natfw_message deletion = bench_create(0, 2);
    static const struct gist_session_id aggregate;
    struct gist_session_id ended = bench_session(1);
    establish(1);
    bench_receive(1, false, &deletion);
    natfw_tell(bench.node, bench.now_ms, NATFW_EVENT_DISCARDED, &ended);
    cr_assert_null(seen(NATFW_EVENT_DISCARDED), "its end has been told");
    natfw_tell(bench.node, bench.now_ms, NATFW_EVENT_UNSENT, &aggregate);
    cr_assert_null(seen(NATFW_EVENT_UNSENT));
    bench.node->ended.id = ended;
    struct gist_session_id other = bench_session(7);
    natfw_tell(bench.node, bench.now_ms, NATFW_EVENT_DISCARDED, &other);
    cr_assert_null(seen(NATFW_EVENT_DISCARDED));
}

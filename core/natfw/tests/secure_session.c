/* Sessions whose messages go between nodes that have authenticated each other: all of them do.
 * RFC 5971 4.1.2, RFC 5973 6. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/snapshot.h"
#include "core/natfw/tests/bench.h"

TestSuite(secure_session, .init = bench_start_default, .fini = bench_stop);

static void receive(bool upstream, const struct natfw_message *message, bool secure)
{
    uint8_t octets[512];
    size_t length = natfw_message_write(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.attributes.secure = secure;
    bench_receive_as(&received);
}

static void establish(void)
{
    struct natfw_message create = bench_create(60, 1), success = bench_success(60, 1);
    receive(false, &create, true);
    receive(true, &success, true);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(secure_session, has_requests_answers_and_notifications_go_on_as_they_came)
{
    establish();
    cr_assert(bench_last(false)->request.attributes.secure);
    cr_assert(bench_last(true)->request.attributes.secure);
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    receive(true, &notify, true);
    cr_assert_eq(bench_last(true)->message.type, NATFW_NOTIFY);
    cr_assert(bench_last(true)->request.attributes.secure);
}

Test(secure_session, has_a_plain_one_go_on_plainly)
{
    bench_establish(1);
    bench_request(60, 2);
    cr_assert_not(bench_last(false)->request.attributes.secure);
}

Test(secure_session, hears_nothing_that_comes_by_another_way)
{
    struct natfw_message deletion = bench_create(0, 2), refresh = bench_create(60, 3);
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    establish();
    bench_forget_sent();
    receive(false, &deletion, false);
    receive(false, &refresh, false);
    receive(true, &notify, false);
    cr_assert(bench_state(1, NATFW_ESTABLISHED) && bench_rule_acts(1));
    cr_assert(bench_count(true) == 0 && bench_count(false) == 0);
    receive(false, &deletion, true);
    cr_assert_not(bench_knows(1));
}

Test(secure_session, becomes_one_with_a_request_that_is)
{
    struct natfw_message refresh = bench_create(60, 2), deletion = bench_create(0, 3);
    bench_establish(1);
    receive(false, &refresh, true);
    struct natfw_message success = bench_success(60, 2);
    receive(true, &success, true);
    receive(false, &deletion, false);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(secure_session, stays_one_when_its_node_starts_again)
{
    struct natfw_node_config config = natfw_node_config_default();
    struct gist_session_id id = bench_session(1);
    struct natfw_snapshot snapshot;
    struct natfw_message deletion = bench_create(0, 2);
    establish();
    uint64_t now_ms = bench.now_ms;
    cr_assert(natfw_node_snapshot(bench.node, &id, &snapshot));
    bench_restart(&config);
    bench.now_ms = now_ms;
    cr_assert_eq(natfw_node_restore(bench.node, bench.now_ms, &snapshot), NATFW_OK);
    receive(false, &deletion, false);
    cr_assert(bench_knows(1));
}

Test(secure_session, is_opened_as_one)
{
    struct natfw_open open = {.rule = {.action = NATFW_ALLOW, .flow = bench_flow()},
        .lifetime_s = 60,
        .refresh = true,
        .secure = true};
    struct gist_session_id id;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    cr_assert(bench_last(false)->request.attributes.secure);
    open.secure = false;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    cr_assert_not(bench_last(false)->request.attributes.secure);
}

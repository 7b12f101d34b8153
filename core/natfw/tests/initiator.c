/* The NSIS initiator: opens, refreshes and deletes. RFC 5973 3.2.8, 3.4, 3.7.1, 3.7.4, 4.3.1. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

#include <string.h>

TestSuite(initiator, .init = bench_start_default, .fini = bench_stop);

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

Test(initiator, a_create_describes_the_flow_from_sender_to_receiver)
{
    VERIFIES("RFC5973-4.3.1-1", "RFC5973-4.3.1-2", "RFC5973-4.3.1-3");
    opened();
    const struct gist_mri *mri = &bench.sent[0].request.mri;
    struct gist_mri flow = bench_flow();
    REQUIRE("RFC5973-4.3.1-1", gist_address_equal(&mri->source, &flow.source));
    REQUIRE("RFC5973-4.3.1-1", gist_address_equal(&mri->destination, &flow.destination));
    REQUIRE("RFC5973-4.3.1-2", mri->has_destination_port && mri->destination_port == 5000);
    REQUIRE("RFC5973-4.3.1-2", mri->has_protocol && mri->protocol == 17);
    REQUIRE("RFC5973-4.3.1-3", mri->mrm == GIST_MRM_PATH_COUPLED);
    REQUIRE("RFC5973-4.3.1-3", !mri->upstream);
    cr_assert_eq(bench.sent[0].message.type, NATFW_CREATE);
    cr_assert(bench.sent[0].request.attributes.reliable);
}

Test(initiator, a_session_id_is_drawn_at_random)
{
    VERIFIES("RFC5973-3.2.8-1a");
    uint8_t next_drawn = bench.random_octet;
    struct gist_session_id first = opened();
    struct gist_session_id second = opened();
    REQUIRE("RFC5973-3.2.8-1a", memcmp(first.octets, second.octets, 16) != 0);
    REQUIRE("RFC5973-3.2.8-1a", first.octets[0] == next_drawn);
}

Test(initiator, a_success_response_establishes_the_session)
{
    VERIFIES("RFC5973-3.2.8-i5", "RFC5973-3.2.8-i6");
    struct gist_session_id id = opened();
    REQUIRE("RFC5973-3.2.8-i5", view_of(&id).state == NATFW_PENDING);
    answer(&id, NATFW_ALL_PROCESSED);
    REQUIRE("RFC5973-3.2.8-i6", view_of(&id).state == NATFW_ESTABLISHED);
    cr_assert_eq(view_of(&id).lifetime_s, 60);
}

Test(initiator, an_error_response_ends_a_session_that_never_was)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_not(knows(&id));
    cr_assert(bench_happened(NATFW_EVENT_REFUSED));
}

Test(initiator, a_refused_refresh_leaves_the_session_to_its_end)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(20000);
    cr_assert_eq(bench_count(false), 2, "a refresh was due");
    answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_eq(view_of(&id).state, NATFW_ESTABLISHED);
    bench_advance(40000);
    cr_assert_not(knows(&id));
}

Test(initiator, refreshes_come_before_two_of_them_may_be_lost)
{
    VERIFIES("RFC5973-3.4-i4", "RFC5973-3.4-i5");
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    uint64_t period_ms = 60000 * 4 / 21;
    REQUIRE("RFC5973-3.4-i4", bench.deadline_ms - bench.now_ms >= period_ms / 2);
    REQUIRE("RFC5973-3.4-i5", bench.deadline_ms - bench.now_ms <= period_ms * 3 / 2);
    bench_advance(period_ms * 3 / 2);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 60);
    answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(view_of(&id).state, NATFW_ESTABLISHED);
}

Test(initiator, closing_sends_a_lifetime_of_zero)
{
    VERIFIES("RFC5973-3.7.4-i2");
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    REQUIRE("RFC5973-3.7.4-i2", bench_last(false)->message.lifetime_s == 0);
    REQUIRE("RFC5973-3.7.4-i2", bench_last(false)->message.type == NATFW_CREATE);
    cr_assert_not(knows(&id));
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_NO_SESSION);
}

Test(initiator, a_create_for_its_own_session_is_discarded)
{
    VERIFIES("RFC5973-3.7.1-1");
    struct gist_session_id id = opened();
    bench_forget_sent();
    bench.flow_ends_here = true;
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, bench.sent[0].message.sequence_number + 5);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.1-1", bench.sent_count == 0);
    REQUIRE("RFC5973-3.7.1-1", view_of(&id).state == NATFW_PENDING);
}

Test(initiator, a_path_without_nodes_is_reported)
{
    struct gist_session_id id = opened();
    struct gist_application application = natfw_node_application(bench.node);
    application.message_status(
        application.context, bench.now_ms, bench.sent[0].request.handle, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_not(knows(&id));
    cr_assert(bench_happened(NATFW_EVENT_REFUSED));
}

Test(initiator, a_request_that_cannot_be_asked_for_is_refused_at_once)
{
    struct gist_session_id id;
    struct natfw_open open = {
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}, .lifetime_s = 0};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    open.lifetime_s = 60;
    open.rule.sub_ports = 2;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    cr_assert_eq(bench.sent_count, 0);
}

Test(initiator, without_a_route_no_session_stays)
{
    struct gist_session_id id;
    bench.send_result = GIST_SEND_NO_ROUTE;
    request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &request, &id), NATFW_NO_ROUTE);
    cr_assert_not(knows(&id));
}

Test(initiator, a_terminating_notify_ends_the_session)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    bench_forget_sent();
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    receive(&id, &notify);
    cr_assert_not(knows(&id));
    cr_assert_eq(bench.sent_count, 0, "an initiator never sends NOTIFY");
}

Test(initiator, a_modified_lifetime_that_is_refused_ends_the_session)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &request), NATFW_OK);
    answer(&id, NATFW_MODIFIED_LIFETIME_TOO_BIG);
    cr_assert_not(knows(&id));
}

Test(initiator, a_refresh_whose_answer_is_lost_is_sent_again_in_time)
{
    VERIFIES("RFC5973-3.4-i5");
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(59999);
    REQUIRE("RFC5973-3.4-i5", bench_count(false) >= 4);
    cr_assert(knows(&id));
}

Test(initiator, a_refresh_that_is_refused_for_now_is_tried_again)
{
    struct gist_session_id id = opened();
    answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(18000);
    size_t before = bench_count(false);
    answer(&id, NATFW_RESOURCES_UNAVAILABLE);
    bench_advance(41000);
    cr_assert_gt(bench_count(false), before);
}

Test(initiator, an_error_ends_a_session_that_was_changed_before_it_ever_was)
{
    struct gist_session_id id = opened();
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &request), NATFW_OK);
    answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_not(knows(&id));
}

Test(initiator, a_lifetime_above_what_was_asked_for_is_not_believed)
{
    struct gist_session_id id = opened();
    struct natfw_message message =
        bench_success(4000000000u, bench_last(false)->message.sequence_number);
    receive(&id, &message);
    cr_assert_eq(view_of(&id).lifetime_s, 60);
}

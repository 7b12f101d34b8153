/* A route change that GIST tells of, at forwarder, responder and initiator. RFC 5973 3.7.5, 3.9. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/begun.h"

enum { PACE_MS = 5000, UNSENT_PAUSE_MS = 30000, HOLD_MS = 30000 };

TestSuite(route_change, .init = bench_start_default, .fini = bench_stop);

static void report_for(const struct gist_session_id *id, bool upstream)
{
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_mri mri = bench_flow();
    mri.upstream = upstream;
    application.network_notification(
        application.context, bench.now_ms, &mri, id, GIST_NOTIFY_ROUTE_CHANGED);
}

static void report(bool upstream)
{
    struct gist_session_id id = bench_session(1);
    report_for(&id, upstream);
}

/* The initiator asks once more, and is granted its minute. */
static void refresh(uint32_t sequence_number)
{
    bench_request(60, sequence_number);
    bench_respond(NATFW_ALL_PROCESSED, sequence_number);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    bench_forget_sent();
}

Test(route_change, is_told_both_ways_outbound_to_the_very_peer)
{
    VERIFIES("RFC5973-3.7.5-2", "RFC5973-3.7.5-4");
    struct gist_session_id id = bench_session(1);
    bench_establish(1);
    report(false);
    REQUIRE("RFC5973-3.7.5-2", bench_count(true) == 1 && bench_answered(true, 1, 0x01, 0));
    REQUIRE("RFC5973-3.7.5-2", bench_count(false) == 1 && bench_answered(false, 1, 0x01, 0));
    REQUIRE("RFC5973-3.7.5-4", bench_last(false)->request.sii_handle == 2);
    cr_assert_eq(bench_last(true)->request.sii_handle, 0);
    cr_assert(bench_last(true)->request.attributes.reliable);
    cr_assert(bench_last(false)->request.attributes.reliable);
    cr_assert(bench_told(NATFW_EVENT_ROUTE_CHANGED, &id, "another node is next outbound"));
}

/* Its outbound path is as it was, and nodes on it have no reason to give the session up. */
Test(route_change, inbound_is_told_inbound_and_leaves_the_session_as_it_is)
{
    struct gist_session_id id = bench_session(1);
    bench_establish(1);
    report(true);
    cr_assert(bench_answered(true, 1, 0x01, 0));
    cr_assert_eq(bench.sent_count, 1);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    cr_assert(bench_told(NATFW_EVENT_ROUTE_CHANGED, &id, "another node is next inbound"));
    report(true);
    cr_assert_eq(bench.sent_count, 1, "it is paced, too");
    report(false);
    bench_advance(PACE_MS);
    cr_assert_eq(bench_count(true), 2);
    cr_assert_eq(bench_count(false), 1, "what has changed outbound meanwhile is told outbound");
    cr_assert(bench_state(1, NATFW_TRANSITORY));
}

Test(route_change, holds_the_session_and_its_rule)
{
    VERIFIES("RFC5973-3.2.8-4");
    bench_establish(1);
    report(false);
    cr_assert(bench_state(1, NATFW_TRANSITORY));
    bench_advance(HOLD_MS - 1);
    REQUIRE("RFC5973-3.2.8-4", bench_knows(1) && bench_rule_acts(1));
    bench_advance(1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(route_change, is_not_told_of_a_session_that_is_transitory)
{
    VERIFIES("RFC5973-3.7.5-2");
    bench_establish(1);
    struct natfw_message notify = bench_notify(NATFW_GOING_DOWN);
    bench_receive(1, true, &notify);
    bench_forget_sent();
    report(false);
    bench_advance(HOLD_MS - 1);
    REQUIRE("RFC5973-3.7.5-2", bench.sent_count == 0);
    cr_assert_not(bench_happened(NATFW_EVENT_ROUTE_CHANGED));
}

Test(route_change, a_responder_tells_inbound_only)
{
    VERIFIES("RFC5973-3.7.5-2");
    bench.flow_ends_here = true;
    bench_request(60, 1);
    bench_forget_sent();
    report(true);
    REQUIRE("RFC5973-3.7.5-2", bench.sent_count == 1 && bench_answered(true, 1, 0x01, 0));
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(route_change, of_a_session_without_an_answer_is_told_inbound)
{
    bench_request(60, 1);
    bench_forget_sent();
    report(false);
    cr_assert_eq(bench.sent_count, 1, "who is next outbound is not known yet");
    cr_assert(bench_answered(true, 1, 0x01, 0));
    bench_respond(NATFW_ALL_PROCESSED, 1);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(route_change, of_another_flow_or_session_is_no_news)
{
    bench_establish(1);
    struct gist_session_id other = bench_session(2);
    report_for(&other, false);
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_session_id id = bench_session(1);
    struct gist_mri mri = bench_flow();
    mri.destination_port++;
    application.network_notification(
        application.context, bench.now_ms, &mri, &id, GIST_NOTIFY_ROUTE_CHANGED);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

/* However fast requests and route changes follow one another, and however many there are. */
Test(route_change, that_flaps_is_told_once_in_five_seconds)
{
    bench_establish(1);
    report(false);
    cr_assert_eq(bench.sent_count, 2);
    for (uint32_t i = 2; i < 12; i++) {
        refresh(i);
        bench_advance(100);
        report(i % 2);
        report(false);
        cr_assert_eq(bench.sent_count, 0);
    }
    cr_assert_eq(bench_times(NATFW_EVENT_ROUTE_CHANGED), 11, "a request takes back what waits");
    bench_advance(PACE_MS - 1001);
    cr_assert_eq(bench.sent_count, 0);
    bench_advance(1);
    cr_assert_eq(bench_count(true), 1);
    cr_assert_eq(bench_count(false), 1);
    cr_assert(bench_state(1, NATFW_TRANSITORY));
    bench_advance(PACE_MS);
    cr_assert_eq(bench.sent_count, 2);
}

Test(route_change, that_waits_is_overtaken_by_a_request)
{
    bench_establish(1);
    report(false);
    refresh(2);
    report(false);
    refresh(3);
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

/* Were nodes further out told of it, they could end what has not changed for them. */
Test(route_change, inbound_after_an_outbound_one_that_was_overtaken_is_told_inbound_only)
{
    bench_establish(1);
    report(false);
    refresh(2);
    report(false);
    refresh(3);
    report(true);
    bench_advance(PACE_MS);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert(bench_answered(true, 1, 0x01, 0));
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(route_change, that_waits_at_a_responder_is_overtaken_by_a_request)
{
    bench.flow_ends_here = true;
    bench_request(60, 1);
    report(true);
    bench_request(60, 2);
    report(true);
    bench_request(60, 3);
    bench_forget_sent();
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(route_change, that_waits_is_not_told_of_a_session_that_became_transitory)
{
    bench_establish(1);
    report(false);
    refresh(2);
    report(false);
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    bench_receive(1, true, &notify);
    bench_forget_sent();
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 0);
}

/* Otherwise nodes further out would end what its initiator believes to live. */
Test(route_change, without_a_way_inbound_leaves_the_session_and_is_told_later)
{
    bench_establish(1);
    bench_request(3600, 2);
    struct natfw_message success = bench_success(3600, 2);
    bench_receive(1, true, &success);
    bench_forget_sent();
    bench.send_result = GIST_SEND_NO_ROUTE;
    report(false);
    cr_assert_eq(natfw_node_counters(bench.node).messages_unsent, 1, "nor is it told outbound");
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    bench.send_result = GIST_SENT;
    bench_advance(UNSENT_PAUSE_MS - 1);
    cr_assert_eq(bench.sent_count, 0);
    bench_advance(1);
    cr_assert_eq(bench.sent_count, 2);
    cr_assert(bench_state(1, NATFW_TRANSITORY));
}

Test(route_change, whose_outbound_peer_cannot_be_reached_is_told_inbound)
{
    bench_establish(1);
    bench.explicit_result = GIST_SEND_NO_ROUTE;
    report(false);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert(bench_answered(true, 1, 0x01, 0));
    cr_assert_eq(natfw_node_counters(bench.node).messages_unsent, 1);
    cr_assert(bench_state(1, NATFW_TRANSITORY));
}

/* Restored after a restart, it has an association with nobody yet. By routing state the NOTIFY
 * might reach a node that knows nothing of the session. */
Test(route_change, whose_outbound_peer_has_no_handle_is_told_inbound_only)
{
    bench_request(60, 1);
    uint8_t octets[64];
    struct natfw_message success = bench_success(60, 1);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.sii_handle = 0;
    bench_receive_as(&received);
    bench_forget_sent();
    report(false);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert(bench_answered(true, 1, 0x01, 0));
    cr_assert_eq(natfw_node_counters(bench.node).messages_unsent, 1);
}

/* An initiator: the bench stands for the node further on. */
static struct gist_session_id opened(bool keep)
{
    begun_request.lifetime_s = 3600;
    begun_request.refresh = keep;
    return begun_session();
}

static void grant(const struct gist_session_id *id)
{
    begun_answer(id, NATFW_ALL_PROCESSED);
}

Test(route_change, has_an_initiator_ask_the_path_anew_and_tell_nobody)
{
    VERIFIES("RFC5973-3.7.5-12");
    for (int keep = 0; keep <= 1; keep++) {
        struct gist_session_id id = opened(keep);
        grant(&id);
        uint32_t number = bench_last(false)->message.sequence_number;
        bench_forget_sent();
        report_for(&id, false);
        bench_advance(0);
        REQUIRE("RFC5973-3.7.5-12", bench.sent_count == 1);
        REQUIRE("RFC5973-3.7.5-12", bench.sent[0].message.type == NATFW_CREATE);
        cr_assert_eq(bench.sent[0].message.sequence_number, number + 1);
        cr_assert(gist_session_id_equal(&bench.sent[0].request.session_id, &id));
        cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
        cr_assert_eq(bench.invalidations[GIST_ROUTING_TENTATIVE], (size_t)keep + 1);
        bench_forget_sent();
    }
}

Test(route_change, that_flaps_has_an_initiator_ask_once_in_five_seconds)
{
    struct gist_session_id id = opened(false);
    grant(&id);
    bench_forget_sent();
    for (unsigned i = 0; i < 59; i++) {
        report_for(&id, false);
        bench_advance(250);
    }
    cr_assert_eq(bench.sent_count, 3);
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 4, "what waited is asked");
}

Test(route_change, that_waits_at_an_initiator_is_overtaken_by_its_own_request)
{
    struct gist_session_id id = opened(false);
    grant(&id);
    report_for(&id, false);
    bench_advance(0);
    grant(&id);
    report_for(&id, false);
    struct natfw_open changed = {
        .lifetime_s = 3600, .rule = {.action = NATFW_ALLOW, .flow = bench_flow(), .sub_ports = 1}};
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &changed), NATFW_OK);
    grant(&id);
    bench_forget_sent();
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
}

/* A peer answers each request, and has another route change, or goes down again. */
Test(route_change, notifies_without_end_have_an_initiator_ask_once_in_five_seconds)
{
    static const enum natfw_code codes[] = {
        NATFW_ROUTE_CHANGE, NATFW_REAUTHENTICATION_REQUIRED, NATFW_GOING_DOWN};
    struct gist_session_id id = opened(true);
    grant(&id);
    bench_forget_sent();
    for (size_t i = 0; i < 59; i++) {
        struct natfw_message notify = bench_notify(codes[i % 3]);
        bench.event_count = 0;
        begun_receive(&id, &notify);
        bench_advance(250);
        if (bench.sent_count > 0)
            grant(&id);
    }
    cr_assert_eq(bench.sent_count, 3);
}

/* Within the time that it is held: its lifetime would have had it wait for many minutes. */
Test(route_change, that_was_notified_has_an_initiator_ask_until_it_is_answered)
{
    struct gist_session_id id = opened(true);
    grant(&id);
    bench_forget_sent();
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    begun_receive(&id, &notify);
    bench_advance(3 * PACE_MS);
    cr_assert_eq(bench.sent_count, 4);
    grant(&id);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
    bench_advance(HOLD_MS);
    cr_assert_eq(bench.sent_count, 4);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
}

Test(route_change, a_request_that_cannot_be_sent_is_tried_again)
{
    struct gist_session_id id = opened(false);
    grant(&id);
    uint32_t number = begun_view(&id).sequence_number;
    bench_forget_sent();
    bench.send_result = GIST_SEND_NO_ROUTE;
    report_for(&id, false);
    bench_advance(PACE_MS + 1);
    cr_assert_eq(natfw_node_counters(bench.node).messages_unsent, 2);
    bench.send_result = GIST_SENT;
    bench_advance(PACE_MS);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert_eq(bench.sent[0].message.sequence_number, number + 1);
    bench_advance(2 * PACE_MS);
    cr_assert_eq(bench.sent_count, 1);
}

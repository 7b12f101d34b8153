/* What a node tells its peers before it goes. RFC 5973 3.7.5, ruling A53. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(farewell, .init = bench_start_default, .fini = bench_stop);

/* A session between these peers. */
static void establish(uint8_t session, uint8_t inbound, uint8_t outbound)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, 1), success = bench_success(60, 1);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(session, false, octets, length);
    bench_name_peer(&received, inbound);
    bench_receive_as(&received);
    length = natfw_message_build(&success, octets, sizeof(octets));
    received = bench_received(session, true, octets, length);
    bench_name_peer(&received, outbound);
    bench_receive_as(&received);
    cr_assert(bench_state(session, NATFW_ESTABLISHED));
}

static size_t notified(bool upstream, gist_sii_handle peer, enum natfw_code code)
{
    size_t count = 0;
    for (size_t i = 0; i < bench.sent_count; i++) {
        const struct bench_sent *sent = &bench.sent[i];
        count += sent->well_formed && sent->message.type == NATFW_NOTIFY &&
                 sent->request.mri.upstream == upstream && sent->request.sii_handle == peer &&
                 sent->message.info.code == code;
    }
    return count;
}

static void establish_three(void)
{
    establish(1, 11, 21);
    establish(2, 11, 22);
    establish(3, 12, 22);
    bench_forget_sent();
}

Test(farewell, each_peer_is_told_once_each_way_and_everything_ends)
{
    establish_three();
    natfw_node_end_sessions(bench.node, bench.now_ms);
    for (uint8_t peer = 11; peer <= 12; peer++) {
        cr_assert_eq(notified(true, peer, NATFW_SESSION_TERMINATED), 1);
        cr_assert_eq(notified(false, peer + 10, NATFW_SESSION_TERMINATED), 1);
    }
    cr_assert_eq(bench.sent_count, 4);
    for (uint8_t session = 1; session <= 3; session++)
        cr_assert_not(bench_knows(session));
    cr_assert_eq(bench_rules(), 0);
    cr_assert_eq(bench_times(NATFW_EVENT_DELETED), 3);
    cr_assert_eq(bench.deadline_ms, UINT64_MAX);
}

/* Session id zero, both addresses our own towards the peer, nothing else said. */
Test(farewell, one_notify_is_about_all_sessions_with_a_peer)
{
    static const struct gist_session_id zero;
    establish(1, 11, 21);
    bench_forget_sent();
    natfw_node_end_sessions(bench.node, bench.now_ms);
    for (size_t i = 0; i < 2; i++) {
        const struct gist_send_request *request = &bench.sent[i].request;
        struct gist_address own = gist_address_v4(0xcb0071fe); /* towards 198.51.100.0/24 */
        cr_assert(gist_session_id_equal(&request->session_id, &zero));
        cr_assert(request->attributes.reliable);
        cr_assert(gist_address_equal(&request->mri.source, &own));
        cr_assert(gist_address_equal(&request->mri.destination, &own));
        cr_assert_eq(request->mri.source_prefix + request->mri.destination_prefix, 0);
        cr_assert_not(request->mri.has_protocol || request->mri.has_source_port);
        cr_assert_eq(request->mri.mrm, GIST_MRM_PATH_COUPLED);
    }
}

Test(farewell, a_warning_ends_nothing)
{
    establish_three();
    natfw_node_warn_peers(bench.node, bench.now_ms);
    cr_assert_eq(notified(true, 11, NATFW_GOING_DOWN), 1);
    cr_assert_eq(notified(true, 12, NATFW_GOING_DOWN), 1);
    cr_assert_eq(notified(false, 21, NATFW_GOING_DOWN), 1);
    cr_assert_eq(notified(false, 22, NATFW_GOING_DOWN), 1);
    cr_assert_eq(bench.sent_count, 4);
    for (uint8_t session = 1; session <= 3; session++)
        cr_assert(bench_state(session, NATFW_ESTABLISHED) && bench_rule_acts(session));
    natfw_node_warn_peers(bench.node, bench.now_ms);
    cr_assert_eq(bench.sent_count, 8, "once each time");
}

Test(farewell, without_an_association_each_session_is_told_of_by_itself)
{
    establish_three();
    bench.explicit_result = GIST_SEND_NO_ROUTE;
    natfw_node_end_sessions(bench.node, bench.now_ms);
    cr_assert_eq(notified(true, 0, NATFW_SESSION_TERMINATED), 3);
    cr_assert_eq(notified(false, 0, NATFW_SESSION_TERMINATED), 3);
    cr_assert_eq(natfw_node_counters(bench.node).messages_unsent, 4);
    cr_assert_not(bench_knows(1) || bench_knows(2) || bench_knows(3));
}

Test(farewell, a_request_that_is_under_way_is_answered)
{
    bench_request(60, 5);
    bench_forget_sent();
    natfw_node_end_sessions(bench.node, bench.now_ms);
    cr_assert_eq(notified(true, 1, NATFW_SESSION_TERMINATED), 1);
    cr_assert_eq(bench_count(false), 0, "nobody answered yet from there");
    cr_assert(bench_answered(true, 7, 0x01, 0));
    cr_assert_eq(bench_last(true)->message.sequence_number, 5);
    cr_assert_eq(bench_rules(), 0);
}

Test(farewell, an_initiator_deletes_its_sessions_and_notifies_nobody)
{
    VERIFIES("RFC5973-3.7.5-12");
    struct gist_session_id id;
    struct natfw_session_view view;
    struct natfw_open open = {
        .lifetime_s = 60, .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    uint8_t octets[64];
    struct natfw_message success = bench_success(60, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    bench_forget_sent();
    natfw_node_warn_peers(bench.node, bench.now_ms);
    cr_assert_eq(bench.sent_count, 0);
    natfw_node_end_sessions(bench.node, bench.now_ms);
    REQUIRE("RFC5973-3.7.5-12", bench.sent_count == 1);
    cr_assert_eq(bench.sent[0].message.type, NATFW_CREATE);
    cr_assert_eq(bench.sent[0].message.lifetime_s, 0);
    cr_assert_not(natfw_node_session(bench.node, &id, &view));
}

Test(farewell, a_responder_tells_its_inbound_peer)
{
    bench.flow_ends_here = true;
    bench_request(60, 1);
    bench_forget_sent();
    natfw_node_end_sessions(bench.node, bench.now_ms);
    cr_assert_eq(notified(true, 1, NATFW_SESSION_TERMINATED), 1);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench.removals, 0);
}

Test(farewell, a_node_without_sessions_has_nobody_to_tell)
{
    natfw_node_end_sessions(bench.node, bench.now_ms);
    natfw_node_warn_peers(bench.node, bench.now_ms);
    cr_assert_eq(bench.sent_count, 0);
}

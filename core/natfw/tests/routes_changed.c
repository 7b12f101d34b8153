/* This host's own routing leads elsewhere than before. RFC 5973 3.7.1, 3.9, RFC 5971 7.1.2. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/begun.h"

enum { INSIDE = 1, OUTSIDE = 2, OTHER_OUTSIDE = 3 };

static void start(void)
{
    bench_start_default();
    bench_establish(1);
}

TestSuite(routes_changed, .init = start, .fini = bench_stop);

/* The outside is reached like this from now on. */
static void lead(uint32_t local, uint32_t next_hop, uint32_t interface)
{
    bench.detour = (struct gist_route){.local = gist_address_v4(local), .interface = interface};
    if (next_hop != 0)
        bench.detour.next_hop = gist_address_v4(next_hop);
}

static void routes_change(void)
{
    natfw_node_routes_changed(bench.node, bench.now_ms);
    bench_advance(0);
}

static void expect_told(size_t invalidations)
{
    struct gist_mri flow = bench_flow();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], invalidations);
    cr_assert(gist_mri_equal(&bench.invalidated_flow, &flow));
    cr_assert(bench_answered(true, 1, 0x01, 0));
    cr_assert(bench_answered(false, 1, 0x01, 0));
    cr_assert_eq(bench_last(false)->request.sii_handle, 2, "to who was next before");
    cr_assert(bench_state(1, NATFW_TRANSITORY));
    cr_assert(bench_rule_acts(1));
}

Test(routes_changed, to_another_interface_is_told_and_the_next_node_found_anew)
{
    struct gist_session_id id = bench_session(1);
    lead(0xcb0071fe, 0, OTHER_OUTSIDE);
    routes_change();
    expect_told(1);
    cr_assert(bench_told(NATFW_EVENT_ROUTE_CHANGED, &id, "its route has changed here"));
}

Test(routes_changed, to_another_next_hop_is_told)
{
    lead(0xcb0071fe, 0xcb0071fd, OUTSIDE);
    routes_change();
    expect_told(1);
}

Test(routes_changed, to_another_address_of_ours_is_told)
{
    lead(0xcb0071fc, 0, OUTSIDE);
    routes_change();
    expect_told(1);
}

Test(routes_changed, to_nowhere_and_back_is_told)
{
    bench.no_route = true;
    routes_change();
    expect_told(1);
    bench.no_route = false;
    bench_forget_sent();
    routes_change();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], 2);
    cr_assert_eq(bench.sent_count, 0, "the session is Transitory already");
}

Test(routes_changed, for_others_is_no_news)
{
    routes_change();
    bench.detour = (struct gist_route){.local = gist_address_v4(0xcb0071fe), .interface = OUTSIDE};
    routes_change();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], 0);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(routes_changed, is_known_already_to_a_request_that_went_on_since)
{
    lead(0xcb0071fe, 0, OTHER_OUTSIDE);
    bench_request(60, 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    bench_forget_sent();
    routes_change();
    cr_assert_eq(bench.sent_count, 0);
    lead(0xcb0071fe, 0, OUTSIDE);
    routes_change();
    expect_told(1);
}

/* The request that went on last waits for an answer, and its RESPONSE has to find its way back. */
Test(routes_changed, while_an_update_waits_finds_the_next_node_of_its_flow)
{
    uint8_t octets[64];
    struct natfw_message update = bench_create(60, 2);
    size_t length = natfw_message_build(&update, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.destination_port++;
    bench_receive_as(&received);
    lead(0xcb0071fe, 0, OTHER_OUTSIDE);
    routes_change();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], 1);
    cr_assert(gist_mri_equal(&bench.invalidated_flow, &received.mri));
}

/* A session that began here, and is the only one. */
static struct gist_session_id begun_here(void)
{
    begun_request.refresh = false;
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_message deletion = bench_create(0, 2);
    bench_receive(1, false, &deletion);
    return id;
}

Test(routes_changed, asks_the_path_anew_at_an_initiator)
{
    begun_here();
    uint32_t number = bench.sent[0].message.sequence_number;
    bench_forget_sent();
    lead(0xcb0071fe, 0, OTHER_OUTSIDE);
    routes_change();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], 1);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert_eq(bench.sent[0].message.type, NATFW_CREATE);
    cr_assert_eq(bench.sent[0].message.sequence_number, number + 1);
    lead(0xcb0071fe, 0, OUTSIDE);
    routes_change();
    cr_assert_eq(bench.invalidations[GIST_ROUTING_BAD], 2, "the next node is looked for at once");
    cr_assert_eq(bench.sent_count, 1, "the request waits for its turn");
    bench_advance(5000);
    cr_assert_eq(bench.sent_count, 2);
}

/* Its flow comes in by no interface, which a transport without indices cannot tell from the one by
 * which it leaves. */
Test(routes_changed, never_has_a_flow_turn_back_that_begins_here)
{
    struct gist_session_id id = begun_here();
    bench_forget_sent();
    lead(0xcb0071fd, 0, 0);
    routes_change();
    cr_assert(begun_is_known(&id));
    cr_assert_eq(bench.sent_count, 1);
    cr_assert_eq(bench.sent[0].message.type, NATFW_CREATE);
}

Test(routes_changed, is_nothing_to_a_responder)
{
    struct natfw_node_config config = natfw_node_config_default();
    bench_restart(&config);
    bench.flow_ends_here = true;
    bench_request(60, 1);
    bench_forget_sent();
    routes_change();
    lead(0xcb0071fe, 0, OTHER_OUTSIDE);
    routes_change();
    cr_assert_eq(bench.sent_count + bench.invalidations[GIST_ROUTING_BAD], 0);
}

/* Crossing ----------------------------------------------------------------------------------------
 */

Test(routes_changed, so_that_a_flow_turns_back_takes_its_rule_away)
{
    struct gist_session_id id = bench_session(1);
    lead(0xc00002fe, 0, INSIDE);
    routes_change();
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
    cr_assert(bench_told(
        NATFW_EVENT_DELETED, &id, "the flow leaves by the interface by which it came in"));
    cr_assert(bench_answered(true, 1, 0x01, 0), "the initiator may find another firewall");
    cr_assert(bench_answered(false, 1, 0x01, 0));
}

Test(routes_changed, so_that_a_flow_turns_back_takes_away_a_transitory_rule_too)
{
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    bench_receive(1, true, &notify);
    bench_request(60, 2);
    bench_forget_sent();
    lead(0xc00002fe, 0, INSIDE);
    routes_change();
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
    cr_assert_eq(bench.sent_count, 1, "no second NOTIFY");
    cr_assert(bench_answered(true, 7, 0x01, 0), "but an answer to what was asked");
}

Test(routes_changed, leaves_a_flow_that_may_turn_back)
{
    bench.one_armed_interface = INSIDE;
    lead(0xc00002fe, 0, INSIDE);
    routes_change();
    expect_told(1);
}

/* Many --------------------------------------------------------------------------------------------
 */

enum { SESSIONS = 100, AT_ONCE = 32 };

/* They wait for their RESPONSE: what is told of them is told inbound. */
static void ask_for_many(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    bench_restart(&config);
    for (uint8_t i = 0; i < SESSIONS; i++) {
        struct natfw_message create = bench_create(60, 1);
        uint8_t octets[64];
        size_t length = natfw_message_build(&create, octets, sizeof(octets));
        struct gist_received received = bench_received(1, false, octets, length);
        received.session_id.octets[0] = i;
        received.mri.source_port = (uint16_t)(1000 + i);
        bench.rule_count = bench.event_count = 0;
        bench_forget_sent();
        bench_receive_as(&received);
    }
    bench_forget_sent();
    bench.rule_count = bench.event_count = bench.routes_asked = 0;
}

Test(routes_changed, looks_at_some_sessions_a_turn_and_at_each_once)
{
    ask_for_many();
    natfw_node_routes_changed(bench.node, bench.now_ms);
    cr_assert_eq(bench.routes_asked, 0, "not within the call");
    for (size_t seen = 0; seen < SESSIONS; seen += AT_ONCE) {
        cr_assert_eq(bench.routes_asked, seen);
        cr_assert_leq(bench.deadline_ms, bench.now_ms);
        natfw_node_tick(bench.node, bench.now_ms);
    }
    cr_assert_eq(bench.routes_asked, SESSIONS);
    cr_assert_gt(bench.deadline_ms, bench.now_ms);
}

Test(routes_changed, again_meanwhile_looks_at_each_again_however_often)
{
    ask_for_many();
    for (size_t turn = 0; turn < 8; turn++) {
        natfw_node_routes_changed(bench.node, bench.now_ms);
        natfw_node_routes_changed(bench.node, bench.now_ms);
        natfw_node_tick(bench.node, bench.now_ms);
    }
    cr_assert_eq(bench.routes_asked, 2 * SESSIONS, "news does not have it begin anew");
    bench_advance(0);
    cr_assert_eq(bench.routes_asked, 3 * SESSIONS);
}

static void refuse(uint8_t session)
{
    uint8_t octets[64];
    struct natfw_message error = bench_response(NATFW_POLICY_CONFLICT, 1);
    size_t length = natfw_message_build(&error, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id.octets[0] = session;
    received.mri.source_port = (uint16_t)(1000 + session);
    bench_receive_as(&received);
}

Test(routes_changed, goes_on_where_sessions_end_meanwhile)
{
    ask_for_many();
    natfw_node_routes_changed(bench.node, bench.now_ms);
    natfw_node_tick(bench.node, bench.now_ms);
    for (uint8_t next = SESSIONS - AT_ONCE; next > SESSIONS - AT_ONCE - 3; next--)
        refuse(next - 1);
    bench.event_count = 0;
    bench_advance(0);
    cr_assert_eq(bench.routes_asked, SESSIONS - 3);
    for (uint8_t rest = 0; rest < SESSIONS; rest++) {
        bench_forget_sent();
        bench.event_count = 0;
        refuse(rest);
    }
    natfw_node_routes_changed(bench.node, bench.now_ms);
    bench_advance(0);
    cr_assert_eq(bench.routes_asked, SESSIONS - 3);
}

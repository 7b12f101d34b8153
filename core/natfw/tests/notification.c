/* NOTIFY at a forwarder. RFC 5973 3.2.8, 3.7.5. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

static void start(void)
{
    bench_start_default();
    bench_establish(1);
}

TestSuite(notification, .init = start, .fini = bench_stop);

static void notify(bool upstream, enum natfw_code code)
{
    struct natfw_message message = bench_notify(code);
    bench_receive(1, upstream, &message);
}

Test(notification, a_termination_is_relayed_and_ends_the_session)
{
    VERIFIES("RFC5973-3.7.5-9", "RFC5973-3.7.5-13b");
    notify(true, NATFW_SESSION_TERMINATED);
    REQUIRE("RFC5973-3.7.5-13b", bench_answered(true, 1, 0x05, 0));
    REQUIRE("RFC5973-3.7.5-9", !bench_knows(1));
    REQUIRE("RFC5973-3.7.5-9", bench_rules() == 0);
}

Test(notification, an_outbound_one_goes_on_outbound)
{
    VERIFIES("RFC5973-3.7.5-13c", "RFC5973-3.7.5-7");
    notify(false, NATFW_SESSION_EXPIRED);
    REQUIRE("RFC5973-3.7.5-13c", bench_answered(false, 1, 0x04, 0));
    REQUIRE("RFC5973-3.7.5-7", !bench_knows(1));
}

Test(notification, a_route_change_holds_the_session_for_30_seconds)
{
    VERIFIES("RFC5973-3.2.8-4", "RFC5973-3.2.8-i9");
    notify(true, NATFW_ROUTE_CHANGE);
    REQUIRE("RFC5973-3.2.8-i9", bench_state(1, NATFW_TRANSITORY));
    bench_advance(29999);
    REQUIRE("RFC5973-3.2.8-4", bench_knows(1) && bench_rule_acts(1));
    bench_advance(1);
    cr_assert_not(bench_knows(1));
}

Test(notification, a_second_route_change_is_discarded)
{
    VERIFIES("RFC5973-3.7.5-3");
    notify(true, NATFW_ROUTE_CHANGE);
    bench_forget_sent();
    notify(true, NATFW_ROUTE_CHANGE);
    REQUIRE("RFC5973-3.7.5-3", bench.sent_count == 0);
}

Test(notification, a_request_brings_a_transitory_session_back)
{
    VERIFIES("RFC5973-3.2.8-i10");
    notify(true, NATFW_ROUTE_CHANGE);
    struct natfw_message refresh = bench_create(60, 2);
    struct natfw_message success = bench_success(60, 2);
    bench_receive(1, false, &refresh);
    bench_receive(1, true, &success);
    REQUIRE("RFC5973-3.2.8-i10", bench_state(1, NATFW_ESTABLISHED));
    bench_advance(59999);
    cr_assert(bench_rule_acts(1));
}

Test(notification, one_that_may_only_travel_inbound_is_discarded_outbound)
{
    VERIFIES("RFC5973-3.7.5-14");
    notify(false, NATFW_REAUTHENTICATION_REQUIRED);
    REQUIRE("RFC5973-3.7.5-14", bench.sent_count == 0);
    REQUIRE("RFC5973-3.7.5-14", bench_state(1, NATFW_ESTABLISHED));
}

Test(notification, one_outside_an_association_is_discarded)
{
    VERIFIES("RFC5973-3.7.5-11");
    uint8_t octets[16];
    struct natfw_message message = bench_notify(NATFW_SESSION_TERMINATED);
    size_t length = natfw_message_build(&message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.association = 0;
    received.attributes.reliable = false;
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.5-11", bench_state(1, NATFW_ESTABLISHED));
    REQUIRE("RFC5973-3.7.5-11", bench.sent_count == 0);
}

Test(notification, one_that_is_sent_here_has_class_1)
{
    VERIFIES("RFC5973-3.7.5-1");
    natfw_node_warn_peers(bench.node, bench.now_ms);
    REQUIRE("RFC5973-3.7.5-1", bench_answered(true, 1, 0x03, 0));
    REQUIRE("RFC5973-3.7.5-1", bench_answered(false, 1, 0x03, 0));
}

Test(notification, a_route_change_goes_outbound_to_the_very_peer_of_the_session)
{
    VERIFIES("RFC5973-3.7.5-4");
    notify(false, NATFW_ROUTE_CHANGE);
    REQUIRE("RFC5973-3.7.5-4", bench_last(false)->request.sii_handle == 2);
    cr_assert(bench_answered(false, 1, 0x01, 0));
}

Test(notification, others_and_inbound_ones_go_by_routing_state)
{
    notify(true, NATFW_ROUTE_CHANGE);
    cr_assert_eq(bench_last(true)->request.sii_handle, 0);
    notify(false, NATFW_GOING_DOWN);
    cr_assert_eq(bench_last(false)->request.sii_handle, 0);
}

Test(notification, that_authentication_is_wanted_goes_inbound)
{
    VERIFIES("RFC5973-3.7.5-5");
    notify(true, NATFW_REAUTHENTICATION_REQUIRED);
    REQUIRE("RFC5973-3.7.5-5", bench_answered(true, 1, 0x02, 0));
    REQUIRE("RFC5973-3.7.5-5", bench_count(false) == 0);
}

/* Of all sessions with a peer: session id zero, explicitly routed, wild. */
static struct gist_received aggregate(
    uint8_t octets[16], enum natfw_code code, bool upstream, uint8_t peer)
{
    struct natfw_message message = bench_notify(code);
    struct gist_received received =
        bench_received(0, upstream, octets, natfw_message_build(&message, octets, 16));
    received.explicitly_routed = true;
    received.routing_state_validated = received.peer_was_queried = false;
    received.mri = (struct gist_mri){.source = received.peer, .destination = received.peer};
    received.mri.upstream = upstream;
    bench_name_peer(&received, peer);
    return received;
}

Test(notification, an_aggregate_ends_the_sessions_of_its_sender)
{
    VERIFIES("RFC5973-3.7.5-i11");
    uint8_t octets[16];
    bench_establish(2);
    struct gist_received received = aggregate(octets, NATFW_SESSION_TERMINATED, true, 2);
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.5-i11", !bench_knows(1) && !bench_knows(2));
    REQUIRE("RFC5973-3.7.5-i11", bench_rules() == 0);
    cr_assert_eq(bench_count(true), 2, "the next node is told of each");
    for (size_t i = 0; i < 2; i++) {
        struct gist_mri flow = bench_flow();
        cr_assert_not(gist_session_id_is_zero(&bench.sent[i].request.session_id));
        cr_assert(gist_mri_same_flow(&bench.sent[i].request.mri, &flow));
        cr_assert_eq(bench.sent[i].request.sii_handle, 0);
    }
    cr_assert_eq(bench_times(NATFW_EVENT_NOTIFIED), 2);
}

Test(notification, an_aggregate_from_the_inbound_side_goes_outbound)
{
    uint8_t octets[16];
    struct gist_received received = aggregate(octets, NATFW_SESSION_TERMINATED, false, 1);
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
    cr_assert(bench_answered(false, 1, 0x05, 0));
    cr_assert_eq(bench_count(true), 0);
}

Test(notification, an_aggregate_leaves_the_sessions_of_others)
{
    static const struct {
        bool upstream;
        uint8_t peer;
    } rows[] = {{true, 3}, {false, 3}, {true, 1}, {false, 2}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t octets[16];
        struct gist_received received =
            aggregate(octets, NATFW_SESSION_TERMINATED, rows[i].upstream, rows[i].peer);
        bench_receive_as(&received);
        cr_assert(bench_state(1, NATFW_ESTABLISHED), "row %zu", i);
        cr_assert(bench_happened(NATFW_EVENT_DISCARDED));
    }
    cr_assert_eq(bench.sent_count, 0);
}

Test(notification, an_aggregate_leaves_flows_that_its_mri_does_not_cover)
{
    uint8_t octets[16];
    struct gist_received received = aggregate(octets, NATFW_SESSION_TERMINATED, true, 2);
    received.mri.source = gist_address_v4(0xc0000202);
    received.mri.source_prefix = 32;
    bench_receive_as(&received);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    received.mri.source = gist_address_v4(0xc0000201);
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
}

Test(notification, an_aggregate_outside_an_association_is_discarded)
{
    VERIFIES("RFC5973-3.7.5-11");
    uint8_t octets[16];
    struct gist_received received = aggregate(octets, NATFW_SESSION_TERMINATED, true, 2);
    received.association = 0;
    received.attributes.reliable = false;
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.5-11", bench_state(1, NATFW_ESTABLISHED));
}

Test(notification, an_aggregate_that_warns_is_relayed_and_voids_nothing)
{
    uint8_t octets[16];
    struct gist_received received = aggregate(octets, NATFW_GOING_DOWN, true, 2);
    bench_receive_as(&received);
    cr_assert(bench_state(1, NATFW_TRANSITORY) && bench_rule_acts(1));
    cr_assert(bench_answered(true, 1, 0x03, 0));
}

Test(notification, an_aggregate_of_an_inbound_only_event_does_not_travel_outbound)
{
    uint8_t octets[16];
    struct gist_received received = aggregate(octets, NATFW_REAUTHENTICATION_REQUIRED, false, 1);
    bench_receive_as(&received);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(notification, an_aggregate_of_a_route_change_spares_those_that_know_it)
{
    uint8_t octets[16];
    bench_establish(2);
    notify(true, NATFW_ROUTE_CHANGE);
    bench_forget_sent();
    struct gist_received received = aggregate(octets, NATFW_ROUTE_CHANGE, true, 2);
    bench_receive_as(&received);
    struct gist_session_id second = bench_session(2);
    cr_assert_eq(bench.sent_count, 1);
    cr_assert(gist_session_id_equal(&bench.sent[0].request.session_id, &second));
}

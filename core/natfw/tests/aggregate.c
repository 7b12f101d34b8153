/* Deletion of many sessions by one request. RFC 5973 3.7.4. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(aggregate, .init = bench_start_default, .fini = bench_stop);

static struct gist_received aggregate(uint8_t *octets, uint32_t lifetime_s)
{
    struct natfw_message create = bench_create(lifetime_s, 9);
    size_t length = natfw_message_build(&create, octets, 64);
    struct gist_received received = bench_received(0, false, octets, length);
    received.explicitly_routed = true;
    received.routing_state_validated = false;
    received.mri.destination_prefix = 0;
    received.mri.has_source_port = received.mri.has_destination_port = false;
    return received;
}

Test(aggregate, deletes_the_peers_sessions_and_tells_the_next_node_of_each)
{
    VERIFIES("RFC5973-3.7.4-4a");
    uint8_t octets[64];
    bench_establish(1);
    bench_establish(2);
    struct gist_received received = aggregate(octets, 0);
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
    cr_assert_not(bench_knows(2));
    cr_assert_eq(bench_rules(), 0);
    bool propagated = false;
    for (size_t i = 0; i < bench.sent_count; i++)
        propagated = propagated || gist_session_id_is_zero(&bench.sent[i].request.session_id);
    REQUIRE("RFC5973-3.7.4-4a", !propagated);
    cr_assert_eq(bench_count(false), 2);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 0);
    cr_assert_eq(bench_last(false)->message.sequence_number, 2);
}

Test(aggregate, leaves_the_sessions_of_other_peers_and_other_flows)
{
    uint8_t octets[64];
    bench_establish(1);
    struct gist_received received = aggregate(octets, 0);
    received.sii_handle = 77;
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
    received = aggregate(octets, 0);
    received.mri.source = gist_address_v4(0xc0000299);
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
}

Test(aggregate, leaves_the_sessions_of_other_protocols_and_ports)
{
    uint8_t octets[64];
    bench_establish(1);
    struct gist_received received = aggregate(octets, 0);
    received.mri.protocol = 6;
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
    received = aggregate(octets, 0);
    received.mri.has_destination_port = true;
    received.mri.destination_port = 5001;
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
    received.mri.destination_port = 5000;
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
}

Test(aggregate, outside_an_association_is_refused_with_5_02)
{
    VERIFIES("RFC5973-3.7.4-3");
    uint8_t octets[64];
    bench_establish(1);
    struct gist_received received = aggregate(octets, 0);
    received.association = 0;
    received.attributes.reliable = false;
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.4-3", bench_knows(1));
    REQUIRE("RFC5973-3.7.4-3", bench_answered(true, 5, 0x02, 0));
}

Test(aggregate, that_is_not_authorized_is_refused_with_5_02)
{
    VERIFIES("RFC5973-3.7.4-2");
    uint8_t octets[64];
    struct gist_received received = aggregate(octets, 60);
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.4-2", bench_answered(true, 5, 0x02, 0));
    cr_assert_neq(bench_last(true)->request.sii_handle, 0, "the answer is routed explicitly");
}

Test(aggregate, that_is_not_authenticated_is_refused_with_5_01)
{
    VERIFIES("RFC5973-3.6-1");
    uint8_t octets[64];
    bench_establish(1);
    bench.authentication = NATFW_AUTHENTICATION_FAILED;
    struct gist_received received = aggregate(octets, 0);
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.6-1", bench_answered(true, 5, 0x01, 0));
    REQUIRE("RFC5973-3.6-1", bench_knows(1));
}

/* Deletion of many sessions by one request. RFC 5973 3.7.4. */
#include "core/natfw/roles/aggregate.h"
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
    bench_name_peer(&received, 77);
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

Test(aggregate, tells_the_next_node_by_the_sessions_own_flow_and_association)
{
    uint8_t octets[64];
    bench_establish(1);
    struct gist_received received = aggregate(octets, 0);
    bench_receive_as(&received);
    const struct bench_sent *sent = bench_last(false);
    struct gist_session_id id = bench_session(1);
    struct gist_mri flow = bench_flow();
    cr_assert_not_null(sent);
    cr_assert(gist_session_id_equal(&sent->request.session_id, &id));
    cr_assert(gist_mri_equal(&sent->request.mri, &flow));
    cr_assert(sent->request.attributes.reliable);
    cr_assert(sent->well_formed);
    cr_assert_eq(sent->message.type, NATFW_CREATE);
    cr_assert_eq(sent->message.efi.action, NATFW_ALLOW);
    cr_assert(bench_told(NATFW_EVENT_DELETED, &id, "by an aggregate"));
    cr_assert_eq(bench.events[bench.event_count - 1].info.code, NATFW_NO_CODE);
}

Test(aggregate, of_a_source_port_covers_that_port_only)
{
    uint8_t octets[64];
    bench_establish(1);
    struct gist_received received = aggregate(octets, 0);
    received.mri.has_source_port = true;
    received.mri.source_port = 4001;
    bench_receive_as(&received);
    cr_assert(bench_knows(1));
    received.mri.source_port = 4000;
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
}

Test(aggregate, leaves_the_sessions_that_were_begun_here)
{
    uint8_t octets[64];
    struct gist_session_id id;
    struct natfw_open open = {
        .lifetime_s = 60, .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    struct gist_received received = aggregate(octets, 0);
    received.peer = (struct gist_address){0};
    received.peer_identity_length = 0;
    bench_receive_as(&received);
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, &id, &view));
}

Test(aggregate, at_a_responder_ends_its_session_and_is_not_passed_on)
{
    uint8_t octets[64];
    bench.flow_ends_here = true;
    bench_request(60, 1);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    struct gist_received received = aggregate(octets, 0);
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_count(false), 0);
    cr_assert_eq(bench.removals, 0);
}

/* A wide MRI, a flow, and whether each packet of the flow is one of the wide one's. */
static bool covers(void (*narrow)(struct gist_mri *wide), void (*change)(struct gist_mri *flow))
{
    struct gist_mri wide = {.source = gist_address_v4(0xc0000201),
        .destination = gist_address_v4(0xcb007101),
        .mrm = GIST_MRM_PATH_COUPLED};
    struct gist_mri flow = bench_flow();
    narrow(&wide);
    if (change)
        change(&flow);
    return natfw_aggregate_covers(&wide, &flow);
}

static void leave(struct gist_mri *mri)
{
    (void)mri;
}

static void name_ports_0(struct gist_mri *mri)
{
    mri->has_source_port = mri->has_destination_port = true;
}

static void open_ports(struct gist_mri *mri)
{
    mri->has_source_port = mri->has_destination_port = false;
    mri->source_port = mri->destination_port = 0;
}

static void name_source_port_0(struct gist_mri *mri)
{
    mri->has_source_port = true;
}

static void name_protocol_0(struct gist_mri *mri)
{
    mri->has_protocol = true;
}

static void open_protocol(struct gist_mri *mri)
{
    open_ports(mri);
    mri->has_protocol = false;
    mri->protocol = 0;
}

static void name_source(struct gist_mri *mri)
{
    mri->source_prefix = 32;
}

static void name_destination(struct gist_mri *mri)
{
    mri->destination_prefix = 32;
}

static void open_source(struct gist_mri *mri)
{
    mri->source_prefix = 31;
}

static void open_destination(struct gist_mri *mri)
{
    mri->destination_prefix = 31;
}

static void move_destination(struct gist_mri *mri)
{
    mri->destination = gist_address_v4(0xcb007102);
}

static void name_spi_0(struct gist_mri *mri)
{
    mri->has_spi = true;
}

static void be_of_ipv6(struct gist_mri *mri)
{
    mri->source.version = mri->destination.version = 6;
}

Test(aggregate, covers_what_it_leaves_open_and_what_it_names)
{
    static const struct {
        void (*narrow)(struct gist_mri *wide);
        void (*change)(struct gist_mri *flow);
        bool covered;
    } rows[] = {
        {leave, NULL, true},
        {leave, open_protocol, true},
        {leave, open_source, true},
        {leave, be_of_ipv6, false},
        {name_ports_0, open_ports, false},
        {name_source_port_0, open_ports, false},
        {name_protocol_0, open_protocol, false},
        {name_spi_0, NULL, false},
        {name_source, NULL, true},
        {name_source, open_source, false},
        {name_destination, NULL, true},
        {name_destination, open_destination, false},
        {name_destination, move_destination, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        cr_assert_eq(covers(rows[i].narrow, rows[i].change), rows[i].covered, "row %zu", i);
}

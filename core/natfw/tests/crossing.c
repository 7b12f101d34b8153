/* A flow has to cross the firewall that opens itself for it. RFC 5973 3.7.1. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(crossing, .init = bench_start_default, .fini = bench_stop);

enum { INSIDE = 1, OUTSIDE = 2 };

static const uint32_t inside_host = 0xc0000263, outside_host = 0xcb007101;

static void ask(uint32_t destination, uint32_t interface, uint32_t sequence_number)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, sequence_number);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.destination = gist_address_v4(destination);
    received.interface = interface;
    bench_receive_as(&received);
}

static void expect_refused(void)
{
    struct gist_session_id id = bench_session(1);
    cr_assert(bench_answered(true, 7, 0x04, 0));
    cr_assert_eq(bench_count(false), 0);
    cr_assert(bench_told(
        NATFW_EVENT_REFUSED, &id, "the flow leaves by the interface by which it came in"));
}

Test(crossing, a_flow_that_turns_back_is_refused)
{
    ask(inside_host, INSIDE, 1);
    expect_refused();
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
    bench_forget_sent();
    ask(outside_host, OUTSIDE, 1);
    expect_refused();
}

Test(crossing, a_flow_that_crosses_is_taken_either_way)
{
    ask(outside_host, INSIDE, 1);
    cr_assert(bench_knows(1));
    struct natfw_node_config config = natfw_node_config_default();
    bench_restart(&config);
    ask(inside_host, OUTSIDE, 1);
    cr_assert(bench_knows(1));
}

/* An MRI whose source is anybody opens the destination to everybody. */
Test(crossing, a_source_prefix_of_0_does_not_excuse_it)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, 1);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.source = gist_address_v4(0);
    received.mri.source_prefix = 0;
    received.mri.destination = gist_address_v4(inside_host);
    bench_receive_as(&received);
    expect_refused();
}

Test(crossing, an_update_that_turns_back_is_refused_and_the_session_stays)
{
    bench_establish(1);
    ask(inside_host, INSIDE, 2);
    expect_refused();
    cr_assert_eq(bench_rules(), 1);
    cr_assert(bench_rule_acts(1));
    bench_request(60, 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(crossing, a_deletion_is_taken_wherever_its_flow_goes)
{
    bench_establish(1);
    ask(inside_host, INSIDE, 2);
    bench_forget_sent();
    uint8_t octets[64];
    struct natfw_message deletion = bench_create(0, 3);
    size_t length = natfw_message_build(&deletion, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.destination = gist_address_v4(inside_host);
    bench_receive_as(&received);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(crossing, an_interface_that_policy_names_may_be_the_only_one)
{
    bench.one_armed_interface = INSIDE;
    ask(inside_host, INSIDE, 1);
    cr_assert(bench_knows(1));
    bench_forget_sent();
    bench.one_armed_interface = OUTSIDE;
    ask(inside_host, INSIDE, 2);
    expect_refused();
}

Test(crossing, without_a_route_the_request_is_not_judged_by_it)
{
    bench.no_route = true;
    ask(inside_host, INSIDE, 1);
    cr_assert_eq(bench_count(false), 1);
}

Test(crossing, a_flow_that_ends_here_crosses_nothing)
{
    bench.flow_ends_here = true;
    ask(inside_host, INSIDE, 1);
    cr_assert(bench_answered(true, 2, 0x01, 0));
}

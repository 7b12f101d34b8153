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

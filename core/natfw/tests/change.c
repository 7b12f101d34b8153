/* Refreshes and updates at a forwarder, granted and refused. RFC 5973 3.4, 3.7.3, 3.10. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(change, .init = bench_start_default, .fini = bench_stop);

Test(change, a_refused_refresh_restores_the_expiry_from_before)
{
    bench_establish(1);
    bench_advance(30000);
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    cr_assert(bench_answered(true, 7, 0x04, 0));
    bench_advance(29999);
    cr_assert(bench_rule_acts(1));
    bench_advance(1);
    cr_assert_not(bench_rule_acts(1));
    cr_assert_not(bench_knows(1));
}

Test(change, a_refused_refresh_ends_the_session_in_the_literal_reading)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.error_response_kills_session = true;
    bench_restart(&config);
    bench_establish(1);
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(change, an_update_swaps_the_rule_when_it_is_answered)
{
    bench_establish(1);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    cr_assert(bench_rule_acts(1), "the old rule stays meanwhile");
    cr_assert_eq(bench_rules(), 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert_eq(bench_rules(), 1);
    cr_assert_eq(bench.rules[0].rule.sub_ports, 1);
    cr_assert(bench_rule_acts(1));
}

Test(change, a_refused_update_leaves_the_old_rule)
{
    bench_establish(1);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    bench_respond(NATFW_AUTHORIZATION_FAILED, 2);
    cr_assert_eq(bench_rules(), 1);
    cr_assert_eq(bench.rules[0].rule.sub_ports, 0);
    cr_assert(bench_rule_acts(1));
}

Test(change, an_update_asked_for_twice_keeps_one_rule_aside)
{
    bench_establish(1);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    update.sequence_number = 3;
    bench_receive(1, false, &update);
    cr_assert_eq(bench_rules(), 2);
    bench_respond(NATFW_ALL_PROCESSED, 3);
    cr_assert_eq(bench_rules(), 1);
}

Test(change, a_newer_update_gives_back_what_an_older_one_had_set_aside)
{
    bench_establish(1);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    struct gist_received other = bench_received(1, false, NULL, 0);
    uint8_t octets[64];
    update = bench_create(60, 3);
    other.data = octets;
    other.length = natfw_message_build(&update, octets, sizeof(octets));
    other.mri.destination_port++;
    bench_receive_as(&other);
    cr_assert_eq(bench_rules(), 2, "the old rule and the newest, not %zu", bench_rules());
    bench_respond(NATFW_ALL_PROCESSED, 3);
    cr_assert_eq(bench_rules(), 1);
}

Test(change, an_update_that_ends_the_flow_here_gives_its_rule_back)
{
    bench_establish(1);
    bench.flow_ends_here = true;
    bench_request(60, 2);
    cr_assert_eq(bench_rules(), 0);
    cr_assert(bench_answered(true, 2, 0x01, 0));
    bench.flow_ends_here = false;
    bench_request(60, 3);
    cr_assert_eq(bench_count(false), 1);
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(change, a_refused_refresh_spares_a_session_whose_response_still_waits_for_its_rule)
{
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench_request(60, 2);
    bench_answer_middlebox(NATFW_MIDDLEBOX_OK);
    bench.middlebox_waits = false;
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    bench_respond(NATFW_AUTHORIZATION_FAILED, 2);
    cr_assert(bench_knows(1));
}

Test(change, a_refusal_does_not_undo_the_bound_of_a_transitory_session)
{
    bench_establish(1);
    bench_request(60, 2);
    struct natfw_message notify = bench_notify(NATFW_ROUTE_CHANGE);
    bench_receive(1, true, &notify);
    bench_respond(NATFW_AUTHORIZATION_FAILED, 2);
    bench_advance(31000);
    cr_assert_not(bench_knows(1));
}

Test(change, a_second_refresh_does_not_forget_the_expiry_from_before_the_first)
{
    bench_establish(1);
    bench_advance(10000);
    bench_request(60, 2);
    bench_advance(10000);
    bench_request(60, 3);
    bench_respond(NATFW_AUTHORIZATION_FAILED, 3);
    bench_advance(40000);
    cr_assert_not(bench_knows(1));
}

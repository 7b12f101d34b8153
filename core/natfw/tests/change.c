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

Test(change, a_refused_update_that_moves_the_flows_end_leaves_the_session)
{
    for (int refusals = 0; refusals < 2; refusals++) {
        bench.flow_ends_here = refusals == 1;
        bench_request(60, 1);
        if (!bench.flow_ends_here)
            bench_respond(NATFW_ALL_PROCESSED, 1);
        bench.flow_ends_here = !bench.flow_ends_here;
        bench.permission = NATFW_POLICY_CONFLICT;
        bench_request(60, 2);
        cr_assert(bench_answered(true, 7, 0x04, 0));
        cr_assert(bench_state(1, NATFW_ESTABLISHED));
        cr_assert_eq(bench_rules(), refusals == 0 ? 1 : 0);
        bench.permission = NATFW_NO_CODE;
        bench_request(0, 3);
        cr_assert_not(bench_knows(1));
        cr_assert_eq(bench_rules(), 0);
    }
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

Test(change, what_a_forwarder_sends_belongs_to_the_session)
{
    struct gist_session_id id = bench_session(1);
    bench_request(60, 1);
    const struct gist_send_request *request = &bench_last(false)->request;
    cr_assert(gist_session_id_equal(&request->session_id, &id));
    cr_assert(request->attributes.reliable);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    request = &bench_last(true)->request;
    cr_assert(gist_session_id_equal(&request->session_id, &id));
    cr_assert(request->attributes.reliable);
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    request = &bench_last(true)->request;
    cr_assert(gist_session_id_equal(&request->session_id, &id));
    cr_assert(request->attributes.reliable);
}

Test(change, each_step_of_a_session_is_told)
{
    struct gist_session_id id = bench_session(1);
    bench_request(60, 1);
    cr_assert(bench_told(NATFW_EVENT_REQUESTED, &id, NULL));
    bench_respond(NATFW_ALL_PROCESSED, 1);
    cr_assert(bench_told(NATFW_EVENT_ESTABLISHED, &id, NULL));
    bench_request(60, 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert(bench_told(NATFW_EVENT_REFRESHED, &id, NULL));
    bench_request(60, 3);
    bench_respond(NATFW_POLICY_CONFLICT, 3);
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, NULL));
    cr_assert_eq(bench.events[bench.event_count - 1].info.code, NATFW_POLICY_CONFLICT);
    bench_request(0, 4);
    cr_assert(bench_told(NATFW_EVENT_DELETED, &id, NULL));
    cr_assert_eq(bench.given_up[false], 1);
    cr_assert_eq(bench.given_up[true], 1);
    cr_assert_gt(bench.given_up_after_ms, 0, "the deletion itself still has to go");
    cr_assert_eq(bench.deadline_ms, UINT64_MAX);
}

static struct natfw_session_view view_of(uint8_t session)
{
    struct gist_session_id id = bench_session(session);
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, &id, &view), "the session is gone");
    return view;
}

Test(change, what_is_granted_below_the_wanted_lifetime_holds)
{
    bench_request(60, 1);
    cr_assert_eq(view_of(1).expires_ms, bench.now_ms + 60000);
    bench_advance(5000);
    struct natfw_message success = bench_success(30, 1);
    bench_receive(1, true, &success);
    cr_assert_eq(view_of(1).lifetime_s, 30);
    cr_assert_eq(view_of(1).expires_ms, bench.now_ms + 30000);
    cr_assert_eq(bench.rules[0].expires_ms, bench.now_ms + 30000);
    bench_advance(29999);
    cr_assert(bench_knows(1));
    bench_advance(1);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

Test(change, a_refresh_extends_the_rule_at_once_by_what_it_asks_for)
{
    bench_establish(1);
    bench_advance(40000);
    bench_request(60, 2);
    cr_assert_eq(bench.rules[0].expires_ms, bench.now_ms + 60000);
    cr_assert_eq(view_of(1).expires_ms, bench.now_ms + 60000);
    bench_advance(59999);
    cr_assert(bench_rule_acts(1));
    bench_advance(1);
    cr_assert_not(bench_knows(1), "a refresh that nobody answers ends by itself");
    cr_assert_eq(bench_count(false), 1, "the old deadline is forgotten");
}

Test(change, a_refresh_for_less_takes_nothing_away_until_it_is_granted)
{
    bench_establish(1);
    uint64_t before_ms = bench.rules[0].expires_ms;
    bench_request(20, 2);
    cr_assert_eq(bench.rules[0].expires_ms, before_ms);
    struct natfw_message success = bench_success(20, 2);
    bench_receive(1, true, &success);
    cr_assert_eq(bench.rules[0].expires_ms, bench.now_ms + 20000);
    cr_assert_eq(view_of(1).lifetime_s, 20);
}

Test(change, after_a_refused_one_everything_is_as_it_was)
{
    bench_establish(1);
    struct natfw_session_view before = view_of(1);
    bench_advance(30000);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    struct natfw_session_view after = view_of(1);
    cr_assert_eq(after.state, NATFW_ESTABLISHED);
    cr_assert_eq(after.expires_ms, before.expires_ms);
    cr_assert_eq(after.lifetime_s, 60);
    cr_assert_eq(after.rule.sub_ports, 0);
    cr_assert_eq(bench.rules[0].expires_ms, before.expires_ms);
    cr_assert_eq(bench.deadline_ms, before.expires_ms);
    bench_forget_sent();
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert_eq(bench.sent_count, 0, "its request waits for no other RESPONSE");
}

Test(change, a_change_that_is_granted_is_no_change_any_more)
{
    bench_establish(1);
    bench_advance(10000);
    bench_request(60, 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    uint64_t granted_ms = view_of(1).expires_ms;
    bench_advance(10000);
    bench_request(60, 3);
    bench_respond(NATFW_POLICY_CONFLICT, 3);
    cr_assert_eq(view_of(1).expires_ms, granted_ms, "back to the grant before, not to the first");
}

Test(change, a_refused_change_is_no_change_any_more)
{
    bench_establish(1);
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    bench_request(60, 3);
    bench_respond(NATFW_ALL_PROCESSED, 3);
    bench_advance(10000);
    uint64_t granted_ms = view_of(1).expires_ms;
    bench_request(60, 4);
    bench_respond(NATFW_POLICY_CONFLICT, 4);
    cr_assert_eq(view_of(1).expires_ms, granted_ms);
}

Test(change, a_rule_that_cannot_be_installed_is_answered_with_the_number_of_its_request)
{
    bench.middlebox_waits = true;
    bench_request(60, 8);
    bench_respond(NATFW_ALL_PROCESSED, 8);
    bench_answer_middlebox(NATFW_MIDDLEBOX_FAILED);
    const struct bench_sent *answer = NULL;
    for (size_t i = 0; i < bench.sent_count; i++)
        if (bench.sent[i].message.type == NATFW_RESPONSE)
            answer = &bench.sent[i];
    cr_assert_not_null(answer);
    cr_assert_eq(answer->message.sequence_number, 8);
}

Test(change, a_request_that_cannot_be_sent_on_is_answered_at_once)
{
    bench_establish(1);
    uint64_t before_ms = view_of(1).expires_ms;
    bench_advance(10000);
    bench.send_result = GIST_SEND_NO_ROUTE;
    bench_request(60, 2);
    struct gist_session_id id = bench_session(1);
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, NULL));
    cr_assert_eq(bench.events[bench.event_count - 1].info.code, NATFW_DID_NOT_REACH_NR);
    cr_assert_eq(view_of(1).expires_ms, before_ms);
}

Test(change, a_refused_refresh_spares_a_session_whose_rule_comes_after_the_refusal)
{
    bench.middlebox_waits = true;
    bench_request(60, 1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench_request(60, 2);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    cr_assert(bench_state(1, NATFW_PENDING), "its rule is not in yet");
    bench_answer_middlebox(NATFW_MIDDLEBOX_OK);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    cr_assert(bench_rule_acts(1));
    bench.middlebox_waits = false;
    bench_request(60, 3);
    bench_respond(NATFW_ALL_PROCESSED, 3);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(change, an_update_that_was_refused_may_be_asked_for_again)
{
    bench_establish(1);
    struct natfw_message update = bench_create(60, 2);
    update.efi.sub_ports = 1;
    bench_receive(1, false, &update);
    bench_respond(NATFW_POLICY_CONFLICT, 2);
    cr_assert_eq(bench_rules(), 1);
    update.sequence_number = 3;
    bench_receive(1, false, &update);
    cr_assert_eq(bench_rules(), 2, "its rule is set aside anew");
    bench_respond(NATFW_ALL_PROCESSED, 3);
    cr_assert_eq(bench_rules(), 1);
    cr_assert_eq(bench.rules[0].rule.sub_ports, 1);
}

Test(change, policy_hears_whether_the_session_is_known)
{
    bench_request(60, 1);
    cr_assert_eq(bench.permissions_asked[true], 0);
    size_t asked = bench.permissions_asked[false];
    cr_assert_gt(asked, 0);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    bench_request(60, 2);
    cr_assert_eq(bench.permissions_asked[false], asked);
    cr_assert_eq(bench.permissions_asked[true], asked);
}

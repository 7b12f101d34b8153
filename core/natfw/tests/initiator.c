/* The NSIS initiator: opens, refreshes and deletes. RFC 5973 3.2.8, 3.4, 3.7.1, 3.7.4, 4.3.1. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/begun.h"

#include <string.h>

TestSuite(initiator, .init = bench_start_default, .fini = bench_stop);

Test(initiator, a_create_describes_the_flow_from_sender_to_receiver)
{
    VERIFIES("RFC5973-4.3.1-1", "RFC5973-4.3.1-2", "RFC5973-4.3.1-3");
    begun_session();
    const struct gist_mri *mri = &bench.sent[0].request.mri;
    struct gist_mri flow = bench_flow();
    REQUIRE("RFC5973-4.3.1-1", gist_address_equal(&mri->source, &flow.source));
    REQUIRE("RFC5973-4.3.1-1", gist_address_equal(&mri->destination, &flow.destination));
    REQUIRE("RFC5973-4.3.1-2", mri->has_destination_port && mri->destination_port == 5000);
    REQUIRE("RFC5973-4.3.1-2", mri->has_protocol && mri->protocol == 17);
    REQUIRE("RFC5973-4.3.1-3", mri->mrm == GIST_MRM_PATH_COUPLED);
    REQUIRE("RFC5973-4.3.1-3", !mri->upstream);
    cr_assert_eq(bench.sent[0].message.type, NATFW_CREATE);
    cr_assert(bench.sent[0].request.attributes.reliable);
}

/* The bench draws octets that count up, so that each shows when it was drawn. */
static bool is_drawn_from(const struct gist_session_id *id, uint8_t octet)
{
    for (size_t i = 1; i < sizeof(id->octets); i++) /* the first is another rule's */
        if (id->octets[i] != (uint8_t)(octet + i))
            return false;
    return true;
}

Test(initiator, a_session_id_is_drawn_at_random)
{
    VERIFIES("RFC5973-3.2.8-1a", "RFC5973-3.2.8-1b");
    uint8_t next_drawn = bench.random_octet;
    struct gist_session_id first = begun_session();
    uint8_t drawn_then = bench.random_octet;
    struct gist_session_id second = begun_session();
    REQUIRE("RFC5973-3.2.8-1b", is_drawn_from(&first, next_drawn));
    REQUIRE("RFC5973-3.2.8-1b", is_drawn_from(&second, drawn_then));
    REQUIRE("RFC5973-3.2.8-1a", memcmp(first.octets, second.octets, 16) != 0);
    REQUIRE("RFC5973-3.2.8-1a", first.octets[0] == next_drawn);
}

Test(initiator, a_success_response_establishes_the_session)
{
    VERIFIES("RFC5973-3.2.8-i5", "RFC5973-3.2.8-i6");
    struct gist_session_id id = begun_session();
    REQUIRE("RFC5973-3.2.8-i5", begun_view(&id).state == NATFW_PENDING);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    REQUIRE("RFC5973-3.2.8-i6", begun_view(&id).state == NATFW_ESTABLISHED);
    cr_assert_eq(begun_view(&id).lifetime_s, 60);
}

Test(initiator, an_error_response_ends_a_session_that_never_was)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_not(begun_is_known(&id));
    cr_assert(bench_happened(NATFW_EVENT_REFUSED));
}

Test(initiator, a_refused_refresh_leaves_the_session_to_its_end)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(20000);
    cr_assert_eq(bench_count(false), 2, "a refresh was due");
    begun_answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
    bench_advance(40000);
    cr_assert_not(begun_is_known(&id));
}

Test(initiator, refreshes_come_before_two_of_them_may_be_lost)
{
    VERIFIES("RFC5973-3.4-i4", "RFC5973-3.4-i5");
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    uint64_t period_ms = 60000 * 4 / 21;
    REQUIRE("RFC5973-3.4-i4", bench.deadline_ms - bench.now_ms >= period_ms / 2);
    REQUIRE("RFC5973-3.4-i5", bench.deadline_ms - bench.now_ms <= period_ms * 3 / 2);
    bench_advance(period_ms * 3 / 2);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 60);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
}

Test(initiator, closing_sends_a_lifetime_of_zero)
{
    VERIFIES("RFC5973-3.7.4-i2");
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    REQUIRE("RFC5973-3.7.4-i2", bench_last(false)->message.lifetime_s == 0);
    REQUIRE("RFC5973-3.7.4-i2", bench_last(false)->message.type == NATFW_CREATE);
    cr_assert_not(begun_is_known(&id));
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_NO_SESSION);
}

Test(initiator, a_create_for_its_own_session_is_discarded)
{
    VERIFIES("RFC5973-3.7.1-1");
    struct gist_session_id id = begun_session();
    bench_forget_sent();
    bench.flow_ends_here = true;
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, bench.sent[0].message.sequence_number + 5);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    REQUIRE("RFC5973-3.7.1-1", bench.sent_count == 0);
    REQUIRE("RFC5973-3.7.1-1", begun_view(&id).state == NATFW_PENDING);
}

Test(initiator, a_path_without_nodes_is_reported)
{
    struct gist_session_id id = begun_session();
    struct gist_application application = natfw_node_application(bench.node);
    application.message_status(
        application.context, bench.now_ms, bench.sent[0].request.handle, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_not(begun_is_known(&id));
    cr_assert(bench_happened(NATFW_EVENT_REFUSED));
}

Test(initiator, a_request_that_cannot_be_asked_for_is_refused_at_once)
{
    struct gist_session_id id;
    struct natfw_open open = {
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}, .lifetime_s = 0};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    open.lifetime_s = 60;
    open.rule.sub_ports = 2;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    cr_assert_eq(bench.sent_count, 0);
}

Test(initiator, without_a_route_no_session_stays)
{
    struct gist_session_id id;
    bench.send_result = GIST_SEND_NO_ROUTE;
    begun_request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &begun_request, &id), NATFW_NO_ROUTE);
    cr_assert_not(begun_is_known(&id));
}

Test(initiator, a_modified_lifetime_that_is_refused_ends_the_session)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &begun_request), NATFW_OK);
    begun_answer(&id, NATFW_MODIFIED_LIFETIME_TOO_BIG);
    cr_assert_not(begun_is_known(&id));
}

Test(initiator, a_refresh_whose_answer_is_lost_is_sent_again_in_time)
{
    VERIFIES("RFC5973-3.4-i5");
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(59999);
    REQUIRE("RFC5973-3.4-i5", bench_count(false) >= 4);
    cr_assert(begun_is_known(&id));
}

Test(initiator, a_refresh_that_is_refused_for_now_is_tried_again)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    bench_advance(18000);
    size_t before = bench_count(false);
    begun_answer(&id, NATFW_RESOURCES_UNAVAILABLE);
    bench_advance(41000);
    cr_assert_gt(bench_count(false), before);
}

Test(initiator, an_error_ends_a_session_that_was_changed_before_it_ever_was)
{
    struct gist_session_id id = begun_session();
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &begun_request), NATFW_OK);
    begun_answer(&id, NATFW_DID_NOT_REACH_NR);
    cr_assert_not(begun_is_known(&id));
}

Test(initiator, a_lifetime_above_what_was_asked_for_is_not_believed)
{
    struct gist_session_id id = begun_session();
    struct natfw_message message =
        bench_success(4000000000u, bench_last(false)->message.sequence_number);
    begun_receive(&id, &message);
    cr_assert_eq(begun_view(&id).lifetime_s, 60);
}

Test(initiator, a_create_carries_the_session_and_all_of_the_rule)
{
    struct gist_session_id id;
    struct natfw_open open = {.lifetime_s = 60,
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow(), .icmp_type_count = 1}};
    open.rule.flow.mrm = GIST_MRM_LOOSE_END;
    open.rule.flow.upstream = true;
    open.rule.icmp_types[0] = 8;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    const struct bench_sent *sent = bench_last(false);
    cr_assert_not_null(sent);
    cr_assert(gist_session_id_equal(&sent->request.session_id, &id));
    cr_assert_eq(sent->request.mri.mrm, GIST_MRM_PATH_COUPLED);
    cr_assert(sent->request.attributes.reliable);
    cr_assert(natfw_message_has(&sent->message, NATFW_ICMP_TYPES));
    cr_assert_eq(sent->message.icmp_types.count, 1);
    cr_assert_eq(sent->message.icmp_types.types[0], 8);
    cr_assert(bench_told(NATFW_EVENT_REQUESTED, &id, NULL));
}

Test(initiator, what_is_asked_for_is_sent_up_to_its_bounds)
{
    struct gist_session_id id;
    struct natfw_open open = {.rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    open.lifetime_s = 1;
    open.rule.sub_ports = 1;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 1);
    cr_assert_eq(bench_last(false)->message.efi.sub_ports, 1);
    open.rule.action = NATFW_DENY;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.efi.action, NATFW_DENY);
}

Test(initiator, a_rule_that_says_nothing_of_a_flow_is_refused_at_once)
{
    struct gist_session_id id;
    struct natfw_open open = {
        .lifetime_s = 60, .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    open.rule.flow.source.version = 6;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    open.rule.flow.source.version = open.rule.flow.destination.version = 0;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    open.rule.flow = bench_flow();
    open.rule.action = (enum natfw_action)77;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_INVALID);
    cr_assert_eq(bench.sent_count, 0);
}

Test(initiator, what_gist_says_of_a_request_is_what_the_application_hears)
{
    static const struct {
        enum gist_send_result sent;
        enum natfw_result result;
    } rows[] = {{GIST_SEND_NO_MEMORY, NATFW_NO_MEMORY}, {GIST_SEND_NO_ROUTE, NATFW_NO_ROUTE},
        {GIST_SEND_TO_SELF, NATFW_NO_ROUTE}, {GIST_SEND_HOP_LIMIT, NATFW_NO_ROUTE},
        {GIST_SEND_TOO_LARGE, NATFW_INVALID}, {GIST_SEND_INVALID, NATFW_INVALID}};
    begun_request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_session_id id;
        bench.send_result = rows[i].sent;
        cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &begun_request, &id), rows[i].result,
            "%zu", i);
        cr_assert_not(begun_is_known(&id));
    }
    cr_assert_eq(bench.event_count, bench_times(NATFW_EVENT_UNSENT));
}

static struct natfw_open with_two_ports(void)
{
    struct natfw_open changed = begun_request;
    changed.rule.sub_ports = 1;
    return changed;
}

static enum natfw_result change(const struct gist_session_id *id, const struct natfw_open *open)
{
    return natfw_node_change(bench.node, bench.now_ms, id, open);
}

Test(initiator, each_success_is_told_as_what_it_answers)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert(bench_told(NATFW_EVENT_ESTABLISHED, &id, NULL));
    struct natfw_open changed = with_two_ports();
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert(bench_told(NATFW_EVENT_UPDATED, &id, NULL));
    cr_assert_eq(begun_view(&id).rule.sub_ports, 1);
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert(bench_told(NATFW_EVENT_REFRESHED, &id, NULL));
    cr_assert_eq(bench.events[bench.event_count - 1].info.code, NATFW_ALL_PROCESSED);
    cr_assert_eq(begun_view(&id).last_answer, NATFW_ALL_PROCESSED);
}

Test(initiator, a_granted_lifetime_below_the_wanted_one_counts_from_its_response)
{
    begun_request.refresh = false;
    struct gist_session_id id = begun_session();
    begun_request.refresh = true;
    bench_advance(5000);
    struct natfw_message message = bench_success(30, bench_last(false)->message.sequence_number);
    begun_receive(&id, &message);
    cr_assert_eq(begun_view(&id).lifetime_s, 30);
    cr_assert_eq(begun_view(&id).expires_ms, bench.now_ms + 30000);
    bench_advance(29999);
    cr_assert(begun_is_known(&id));
    cr_assert_eq(bench_count(false), 1, "nobody asked for it to be refreshed");
    bench_advance(1);
    cr_assert_not(begun_is_known(&id));
    cr_assert(bench_told(NATFW_EVENT_EXPIRED, &id, NULL));
}

Test(initiator, a_refused_update_leaves_the_rule_and_tells_the_answer)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_open changed = with_two_ports();
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    begun_answer(&id, NATFW_POLICY_CONFLICT);
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, NULL));
    cr_assert_eq(bench.events[bench.event_count - 1].info.code, NATFW_POLICY_CONFLICT);
    cr_assert_eq(begun_view(&id).rule.sub_ports, 0);
    cr_assert_eq(begun_view(&id).last_answer, NATFW_POLICY_CONFLICT);
    bench_forget_sent();
    bench_advance(20000);
    cr_assert_eq(bench_last(false)->message.efi.sub_ports, 0, "refreshed is what is in force");
}

Test(initiator, a_refused_update_ends_the_session_in_the_literal_reading)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.error_response_kills_session = true;
    bench_restart(&config);
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(change(&id, &begun_request), NATFW_OK);
    begun_answer(&id, NATFW_POLICY_CONFLICT);
    cr_assert_not(begun_is_known(&id));
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, NULL));
}

Test(initiator, a_refresh_that_nobody_answers_is_told_and_waits_no_more)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(change(&id, &begun_request), NATFW_OK);
    gist_message_handle handle = bench_last(false)->request.handle;
    bench_undelivered(handle);
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, "no NATFW node answers on the path"));
    cr_assert_eq(begun_view(&id).state, NATFW_ESTABLISHED);
    cr_assert_eq(begun_view(&id).last_answer, NATFW_DID_NOT_REACH_NR);
    bench_undelivered(handle);
    cr_assert_eq(bench_times(NATFW_EVENT_REFUSED), 1);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert_eq(bench_times(NATFW_EVENT_REFRESHED), 0, "its RESPONSE comes too late");
}

Test(initiator, a_change_that_cannot_be_sent_is_told_at_once)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    bench.send_result = GIST_SEND_NO_ROUTE;
    cr_assert_eq(change(&id, &begun_request), NATFW_NO_ROUTE);
    bench.send_result = GIST_SENT;
    bench_advance(30000);
    cr_assert_gt(bench_count(false), 1, "later refreshes are sent");
    struct natfw_open invalid = begun_request;
    invalid.lifetime_s = 0;
    cr_assert_eq(change(&id, &invalid), NATFW_INVALID);
}

Test(initiator, a_change_asks_for_the_new_lifetime_from_then_on)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_open longer = begun_request;
    longer.lifetime_s = 90;
    cr_assert_eq(change(&id, &longer), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 90);
    uint32_t number = bench_last(false)->message.sequence_number;
    struct natfw_message message = bench_success(90, number);
    begun_receive(&id, &message);
    cr_assert_eq(begun_view(&id).lifetime_s, 90);
    bench_advance(30000);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 90);
    cr_assert_gt(bench_last(false)->message.sequence_number, number);
}

Test(initiator, going_back_to_the_rule_in_force_takes_back_the_change)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_open changed = with_two_ports();
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.efi.sub_ports, 1);
    cr_assert_eq(change(&id, &begun_request), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.efi.sub_ports, 0);
    begun_answer(&id, NATFW_ALL_PROCESSED);
    cr_assert(bench_told(NATFW_EVENT_REFRESHED, &id, NULL));
    cr_assert_eq(begun_view(&id).rule.sub_ports, 0);
}

Test(initiator, closing_names_the_rule_in_force_and_is_told)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_open changed = with_two_ports();
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    uint32_t number = bench_last(false)->message.sequence_number;
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.efi.sub_ports, 0);
    cr_assert_eq(bench_last(false)->message.sequence_number, number + 1);
    cr_assert(bench_told(NATFW_EVENT_DELETED, &id, NULL));
    cr_assert_eq(bench.deadline_ms, UINT64_MAX, "nothing is due any more");
    cr_assert_eq(bench.given_up[false], 1);
    cr_assert_eq(bench.given_up[true], 1);
}

Test(initiator, only_sessions_that_were_begun_here_can_be_changed_and_closed)
{
    bench_establish(1);
    struct gist_session_id id = bench_session(1);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_NO_SESSION);
    begun_request.rule = (struct natfw_policy_rule){.action = NATFW_ALLOW, .flow = bench_flow()};
    cr_assert_eq(change(&id, &begun_request), NATFW_NO_SESSION);
    cr_assert(bench_knows(1));
    cr_assert_eq(bench.sent_count, 0);
}

Test(initiator, an_initiator_asks_nothing_of_the_middlebox)
{
    struct gist_session_id id = begun_session();
    begun_answer(&id, NATFW_ALL_PROCESSED);
    struct natfw_open changed = with_two_ports();
    cr_assert_eq(change(&id, &changed), NATFW_OK);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    cr_assert_eq(bench.removals, 0);
    cr_assert_eq(bench.handle_count, 0);
}

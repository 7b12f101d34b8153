/* Who may speak for a session: knowing its id is not owning it. RFC 5973 3.7.3 to 3.7.5, 3.10,
 * 5.2.1, ruling A107. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

static void start(void)
{
    bench_start_default();
    bench_establish(1);
}

TestSuite(ownership, .init = start, .fini = bench_stop);

enum { STRANGER = 3 };
static const char *const not_the_inbound_peer = "the sender is not the session's inbound peer";

/* A stranger with routing state of its own, which a handshake alone gives it. */
static void receive_from(uint8_t peer, bool upstream, const struct natfw_message *message)
{
    uint8_t octets[64];
    size_t length = natfw_message_build(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.peer_was_queried = false;
    bench_name_peer(&received, peer);
    bench_receive_as(&received);
}

static void expect_refused(void)
{
    struct gist_session_id id = bench_session(1);
    REQUIRE("RFC5973-5.2.1-i1", bench_answered(true, 5, 0x02, 0));
    cr_assert_eq(bench_count(false), 0, "nothing goes on");
    cr_assert(bench_told(NATFW_EVENT_REFUSED, &id, not_the_inbound_peer));
}

static void expect_unchanged(void)
{
    struct natfw_session_view view;
    struct gist_session_id id = bench_session(1);
    cr_assert(natfw_node_session(bench.node, &id, &view));
    cr_assert(view.state == NATFW_ESTABLISHED && view.rule_installed);
    cr_assert_eq(view.sequence_number, 1);
    cr_assert_eq(view.expires_ms, bench.now_ms + 60000);
    cr_assert_eq(bench_rules(), 1);
    cr_assert(bench_rule_acts(1));
}

Test(ownership, a_deletion_by_a_stranger_is_refused)
{
    VERIFIES("RFC5973-5.2.1-i1");
    struct natfw_message deletion = bench_create(0, 2);
    receive_from(STRANGER, false, &deletion);
    expect_refused();
    expect_unchanged();
}

Test(ownership, a_refresh_by_a_stranger_is_refused)
{
    VERIFIES("RFC5973-5.2.1-i1");
    struct natfw_message refresh = bench_create(600, 2);
    receive_from(STRANGER, false, &refresh);
    expect_refused();
    expect_unchanged();
}

Test(ownership, an_update_by_a_stranger_is_refused_and_the_owners_goes_through)
{
    VERIFIES("RFC5973-5.2.1-i1");
    uint8_t octets[64];
    struct natfw_message update = bench_create(60, 2);
    size_t length = natfw_message_build(&update, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.mri.source = gist_address_v4(0xc0000209);
    bench_name_peer(&received, STRANGER);
    bench_receive_as(&received);
    expect_refused();
    expect_unchanged();
    bench_name_peer(&received, 1);
    bench_receive_as(&received);
    cr_assert_eq(bench_last(false)->message.sequence_number, 2);
}

Test(ownership, the_owner_is_refused_nothing_after_a_strangers_attempt)
{
    struct natfw_message deletion = bench_create(0, 77);
    receive_from(STRANGER, false, &deletion);
    bench_forget_sent();
    bench_request(60, 2);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert(bench_answered(true, 2, 0x01, 0));
    bench_request(0, 3);
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
}

/* The association was lost; the next one has another number, and GIST another handle. */
Test(ownership, the_same_peer_is_known_again_over_a_new_association)
{
    uint8_t octets[64];
    struct natfw_message refresh = bench_create(60, 2);
    size_t length = natfw_message_build(&refresh, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    received.association = 9;
    received.sii_handle = 40;
    bench_receive_as(&received);
    cr_assert_eq(bench_last(false)->message.sequence_number, 2);
    cr_assert_eq(bench.takeovers_asked, 0);
}

static void expect_asked(void (*change)(struct gist_received *received))
{
    uint8_t octets[64];
    struct natfw_message refresh = bench_create(60, 2);
    size_t length = natfw_message_build(&refresh, octets, sizeof(octets));
    struct gist_received received = bench_received(1, false, octets, length);
    change(&received);
    bench_receive_as(&received);
    expect_refused();
    cr_assert_eq(bench.takeovers_asked, 1);
    bench.takeover = true;
    bench_receive_as(&received);
    cr_assert_eq(bench_last(false)->message.sequence_number, 2, "policy lets it");
    bench_respond(NATFW_ALL_PROCESSED, 2);
    bench.takeover = false;
    bench_forget_sent();
    bench_request(0, 3);
    cr_assert(bench_answered(true, 5, 0x02, 0), "the former peer has nothing to say any more");
    cr_assert(bench_knows(1));
}

static void at_another_address(struct gist_received *received)
{
    received->peer.octets[3] = 200;
}

static void of_another_name(struct gist_received *received)
{
    received->peer_identity = (const uint8_t *)"x";
}

static void of_a_longer_name(struct gist_received *received)
{
    received->peer_identity = (const uint8_t *)"\x01x";
    received->peer_identity_length = 2;
}

static void without_a_name(struct gist_received *received)
{
    received->peer_identity = NULL;
    received->peer_identity_length = 0;
}

Test(ownership, policy_is_asked_about_a_peer_at_another_address)
{
    expect_asked(at_another_address);
}

Test(ownership, policy_is_asked_about_a_peer_of_another_identity)
{
    expect_asked(of_another_name);
}

Test(ownership, policy_is_asked_about_a_peer_whose_identity_only_begins_alike)
{
    expect_asked(of_a_longer_name);
}

Test(ownership, policy_is_asked_about_a_peer_without_identity)
{
    expect_asked(without_a_name);
}

static void by_another_interface(struct gist_received *received)
{
    received->interface = 5;
}

Test(ownership, policy_is_asked_about_the_same_peer_by_another_interface)
{
    expect_asked(by_another_interface);
}

Test(ownership, a_notify_by_a_stranger_is_discarded_either_way)
{
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    for (int upstream = 0; upstream <= 1; upstream++) {
        receive_from(STRANGER, upstream, &notify);
        cr_assert_eq(bench.sent_count, 0);
        cr_assert_eq(bench.events[bench.event_count - 1].kind, NATFW_EVENT_DISCARDED);
        cr_assert_str_eq(bench.events[bench.event_count - 1].why,
            "a NOTIFY that is not from the session's peer");
        expect_unchanged();
    }
}

Test(ownership, a_notify_by_the_peer_of_the_other_direction_is_discarded)
{
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    receive_from(1, true, &notify);
    receive_from(2, false, &notify);
    cr_assert_eq(bench.sent_count, 0);
    expect_unchanged();
}

Test(ownership, a_response_by_a_stranger_is_discarded)
{
    bench_request(60, 2);
    bench_forget_sent();
    struct natfw_message success = bench_success(60, 2);
    struct natfw_message error = bench_response(NATFW_POLICY_CONFLICT, 2);
    receive_from(STRANGER, true, &success);
    receive_from(STRANGER, true, &error);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_eq(bench_times(NATFW_EVENT_REFUSED), 0);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert(bench_answered(true, 2, 0x01, 0), "the outbound peer's still counts");
}

/* After a route change GIST finds another next node by its own Query. */
Test(ownership, a_response_counts_from_the_peer_that_was_found_for_its_request)
{
    uint8_t octets[64];
    bench_request(60, 2);
    struct natfw_message success = bench_success(60, 2);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    bench_name_peer(&received, 9);
    bench_receive_as(&received);
    cr_assert(bench_answered(true, 2, 0x01, 0));
}

Test(ownership, a_responder_refuses_a_stranger_too)
{
    VERIFIES("RFC5973-5.2.1-i1");
    bench.flow_ends_here = true;
    struct natfw_message create = bench_create(60, 1);
    bench_receive(2, false, &create);
    struct natfw_message deletion = bench_create(0, 2);
    uint8_t octets[64];
    size_t length = natfw_message_build(&deletion, octets, sizeof(octets));
    struct gist_received received = bench_received(2, false, octets, length);
    bench_name_peer(&received, STRANGER);
    bench_receive_as(&received);
    REQUIRE("RFC5973-5.2.1-i1", bench_answered(true, 5, 0x02, 0));
    cr_assert(bench_state(2, NATFW_ESTABLISHED));
    bench_receive(2, false, &deletion);
    cr_assert_not(bench_knows(2));
}

Test(ownership, an_initiator_hears_no_stranger)
{
    struct gist_session_id id;
    uint8_t octets[64];
    struct natfw_open open = {
        .lifetime_s = 60, .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    struct natfw_message success = bench_success(60, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
    received.length = natfw_message_build(&notify, octets, sizeof(octets));
    received.peer_was_queried = false;
    bench_name_peer(&received, STRANGER);
    bench_receive_as(&received);
    struct natfw_session_view view;
    cr_assert(natfw_node_session(bench.node, &id, &view));
    cr_assert(view.state == NATFW_ESTABLISHED);
    bench_name_peer(&received, 2);
    bench_receive_as(&received);
    cr_assert_not(natfw_node_session(bench.node, &id, &view));
}

/* GIST asks before a new node takes the peer's place in routing state. */
static bool may_take_place(uint8_t session, uint8_t peer, bool upstream)
{
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_received shown = bench_received(session, upstream, NULL, 0);
    bench_name_peer(&shown, peer);
    return application.may_take_place(application.context, bench.now_ms, &shown);
}

Test(ownership, a_stranger_takes_nobodys_place_in_the_routing_state)
{
    struct gist_session_id id = bench_session(1);
    cr_assert_not(may_take_place(1, STRANGER, false));
    cr_assert(bench_told(
        NATFW_EVENT_DISCARDED, &id, "a handshake of a node that may not speak for the session"));
    cr_assert(may_take_place(1, 1, false), "the session's own peer");
    cr_assert(may_take_place(1, STRANGER, true), "the outbound side is found by Queries");
    cr_assert(may_take_place(2, STRANGER, false), "a session that is not known");
    bench.takeover = true;
    cr_assert(may_take_place(1, STRANGER, false), "policy lets it");
    bench_request(0, 2);
    bench.takeover = false;
    cr_assert(may_take_place(1, STRANGER, false), "a session that has ended");
}

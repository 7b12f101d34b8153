/* What one peer may have of sessions and rules, and who comes before strangers. RFC 5973 3.7.6.1.
 */
#include "core/natfw/session/admission.h"
#include "core/natfw/message/message_build.h"
#include "core/natfw/session/known_peers.h"
#include "core/natfw/tests/bench.h"

enum { NEIGHBOUR = 1, FRIEND = 4, CROWD = 10, HOUR_MS = 3600000 };

static const uint16_t victims_port = 5000;

static void start(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = 16;
    config.sessions_per_stranger_max = 2;
    config.sessions_per_peer_max = 5;
    config.owners_per_peer_max = 2;
    bench_start(&config);
}

TestSuite(admission, .init = start, .fini = bench_stop);

/* A CREATE of 198.51.100.PEER, or, in a network of its own, of peer 0 of it. */
static void ask_as(
    uint8_t session, uint8_t peer, bool has_network, uint32_t sequence_number, uint16_t port)
{
    uint8_t octets[64];
    struct natfw_message create = bench_create(60, sequence_number);
    size_t length = natfw_message_build(&create, octets, sizeof(octets));
    struct gist_received received = bench_received(session, false, octets, length);
    bench_name_peer(&received, peer);
    if (has_network)
        received.peer = gist_address_v4(UINT32_C(0xc6120000) + ((uint32_t)peer << 8));
    received.mri.destination_port = port;
    bench_forget_sent();
    bench_receive_as(&received);
}

static void ask(uint8_t session, uint8_t peer, uint16_t port)
{
    ask_as(session, peer, false, 1, port);
}

/* The path grants session's request. */
static void grant(uint8_t session, uint32_t sequence_number, uint16_t port)
{
    uint8_t octets[64];
    struct natfw_message success = bench_success(60, sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(session, true, octets, length);
    received.mri.destination_port = port;
    bench_receive_as(&received);
}

static bool refused_for_lack_of_room(void)
{
    return bench_answered(true, 4, 0x01, 0) && bench_count(false) == 0;
}

static bool is_known(uint8_t peer)
{
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_address address = gist_address_v4(0xc6336400 + peer);
    return application.knows(application.context, bench.now_ms, &address, 1);
}

Test(admission, a_peer_that_has_its_sessions_gets_no_more_and_another_does)
{
    ask(1, NEIGHBOUR, 1001);
    ask(2, NEIGHBOUR, 1002);
    ask(3, NEIGHBOUR, 1003);
    cr_assert(refused_for_lack_of_room() && !bench_knows(3));
    cr_assert_eq(bench_rules(), 2);
    cr_assert_eq(natfw_node_counters(bench.node).sessions_refused, 1);
    ask(4, FRIEND, 1004);
    cr_assert(bench_knows(4));
}

Test(admission, a_refusal_tells_whom_it_refuses)
{
    bench.permission = NATFW_AUTHORIZATION_FAILED;
    ask(1, FRIEND, 1001);
    struct gist_address asked = gist_address_v4(0xc6336400 + FRIEND);
    cr_assert(bench_happened(NATFW_EVENT_REFUSED));
    cr_assert(gist_address_equal(&bench.events[bench.event_count - 1].peer, &asked));
}

Test(admission, a_session_that_ends_gives_its_place_back)
{
    for (unsigned round = 0; round < 5; round++) {
        ask_as(1, NEIGHBOUR, false, 1, 1001);
        ask_as(2, NEIGHBOUR, false, 1, 1002);
        cr_assert(bench_knows(1) && bench_knows(2));
        bench_advance(61000);
        cr_assert(!bench_knows(1) && !bench_knows(2));
    }
}

Test(admission, a_responder_has_places_too)
{
    bench.flow_ends_here = true;
    ask(1, NEIGHBOUR, 1001);
    cr_assert(is_known(NEIGHBOUR), "it was answered with success");
    for (uint8_t session = 2; session <= 7; session++)
        ask(session, NEIGHBOUR, 1001);
    cr_assert(bench_knows(5) && !bench_knows(6) && bench_answered(true, 4, 0x01, 0));
}

Test(admission, strangers_by_one_interface_have_a_quarter_and_known_peers_find_room)
{
    ask(1, FRIEND, 1001);
    grant(1, 1, 1001);
    for (uint8_t i = 0; i < 20; i++)
        ask_as((uint8_t)(CROWD + i), i, true, 1, 1001);
    cr_assert(bench_knows(CROWD + 2) && !bench_knows(CROWD + 3));
    for (uint8_t session = 2; session <= 7; session++)
        ask(session, FRIEND, (uint16_t)(2000 + session));
    cr_assert(bench_knows(5) && !bench_knows(6) && refused_for_lack_of_room(),
        "five in all, with the one that it opened as a stranger");
}

Test(admission, who_had_success_is_known_for_an_hour)
{
    ask(1, NEIGHBOUR, 1001);
    cr_assert_not(is_known(NEIGHBOUR));
    grant(1, 1, 1001);
    cr_assert(is_known(NEIGHBOUR) && !is_known(FRIEND));
    cr_assert(is_known(2), "and so is who answered");
    bench_advance(HOUR_MS - 1);
    cr_assert(is_known(NEIGHBOUR) && !bench_knows(1));
    bench_advance(1);
    cr_assert_not(is_known(NEIGHBOUR));
}

Test(admission, who_was_refused_is_a_stranger)
{
    bench.permission = NATFW_AUTHORIZATION_FAILED;
    ask(1, NEIGHBOUR, 1001);
    cr_assert_not(is_known(NEIGHBOUR));
}

Test(admission, who_had_success_is_remembered_among_many)
{
    static struct natfw_known_peers peers;
    for (uint32_t i = 0; i < 100000; i++) {
        struct gist_address address = gist_address_v4(i + 1);
        natfw_known_peers_add(&peers, bench.now_ms + i, &address, 0);
        cr_assert(natfw_known_peers_have(&peers, bench.now_ms + i, &address));
    }
    struct gist_address first = gist_address_v4(1), nobody = {0};
    cr_assert_not(natfw_known_peers_have(&peers, bench.now_ms, &first));
    cr_assert_not(natfw_known_peers_have(&peers, bench.now_ms, &nobody));
}

Test(admission, who_is_known_for_longest_makes_room_for_none_of_many)
{
    static struct natfw_known_peers peers;
    struct gist_address first = gist_address_v4(1);
    natfw_known_peers_add(&peers, bench.now_ms, &first, bench.now_ms + 2 * HOUR_MS);
    for (uint32_t i = 1; i < 100000; i++) {
        struct gist_address address = gist_address_v4(i + 1);
        natfw_known_peers_add(&peers, bench.now_ms, &address, 0);
    }
    cr_assert(natfw_known_peers_have(&peers, bench.now_ms, &first));
    cr_assert(natfw_known_peers_have(&peers, bench.now_ms + 2 * HOUR_MS - 1, &first));
}

/* Owners of one rule. */

Test(admission, a_peer_owns_a_rule_so_often_and_leaves_the_rest)
{
    ask(1, NEIGHBOUR, victims_port);
    ask(2, NEIGHBOUR, victims_port);
    cr_assert(bench_knows(1) && bench_knows(2));
    bench_advance(61000);
    ask(1, NEIGHBOUR, victims_port);
    grant(1, 1, victims_port); /* known from now on: it may have more sessions, but not of this */
    ask(2, NEIGHBOUR, victims_port);
    ask(3, NEIGHBOUR, victims_port);
    cr_assert(refused_for_lack_of_room() && !bench_knows(3));
    cr_assert_eq(natfw_node_counters(bench.node).owners_refused, 1);
    ask(4, FRIEND, victims_port);
    cr_assert(bench_knows(4));
    ask(5, NEIGHBOUR, victims_port + 1);
    cr_assert(bench_knows(5));
}

Test(admission, an_update_to_a_rule_counts_as_owning_it)
{
    for (uint8_t session = 1; session <= 3; session++) {
        ask(session, NEIGHBOUR, (uint16_t)(1000 + session));
        grant(session, 1, (uint16_t)(1000 + session));
    }
    for (uint8_t session = 1; session <= 2; session++) {
        ask_as(session, NEIGHBOUR, false, 2, victims_port);
        grant(session, 2, victims_port);
    }
    ask_as(3, NEIGHBOUR, false, 2, victims_port);
    cr_assert(refused_for_lack_of_room());
    ask_as(1, NEIGHBOUR, false, 3, 1001); /* and away again */
    grant(1, 3, 1001);
    ask_as(3, NEIGHBOUR, false, 3, victims_port);
    cr_assert_eq(bench_count(false), 1);
}

Test(admission, refreshes_and_requests_that_come_again_own_nothing_more)
{
    ask(1, NEIGHBOUR, victims_port);
    for (uint32_t sequence = 2; sequence < 10; sequence++) {
        ask_as(1, NEIGHBOUR, false, sequence, victims_port);
        cr_assert_eq(bench_count(false), 1);
    }
    ask(2, NEIGHBOUR, victims_port);
    cr_assert(bench_knows(2));
}

Test(admission, what_is_sent_on_is_on_behalf_of_its_sender)
{
    ask(1, FRIEND, 1001);
    struct gist_address sender = gist_address_v4(0xc6336400 + FRIEND);
    const struct bench_sent *sent = bench_last(false);
    cr_assert(sent && gist_address_equal(&sent->request.on_behalf_of, &sender));
    cr_assert_eq(sent->request.on_behalf_of_interface, 1);
    grant(1, 1, 1001);
    sent = bench_last(true);
    cr_assert(sent && sent->request.on_behalf_of.version == 0, "an answer is our own");
}

static struct natfw_policy_rule rule_from(uint32_t source)
{
    struct natfw_policy_rule rule = {.action = NATFW_ALLOW, .flow = bench_flow()};
    rule.flow.source = gist_address_v4(source);
    return rule;
}

/* A session of this peer, the number of which is its own. */
static void own(uint32_t number, const struct gist_address *peer, uint32_t source)
{
    struct gist_session_id id = {.octets = {1}};
    struct natfw_policy_rule rule = rule_from(source);
    memcpy(id.octets + 1, &number, sizeof(number));
    struct natfw_session *session = natfw_session_admit_of(bench.node, bench.now_ms, &id, peer, 1);
    cr_assert(session, "session %u", number);
    natfw_rules_ask(&session->rules, &rule);
    natfw_rules_grant(&session->rules);
    natfw_session_owns(bench.node, session);
}

static void crowd_owns(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct gist_address peer = gist_address_v4(UINT32_C(0xc6120000) + (i % 200 << 8));
        own(i, &peer, UINT32_C(0x0a000000) + i);
    }
}

Test(admission, those_who_own_very_many_rules_leave_others_theirs)
{
    struct natfw_node_config config = natfw_node_config_default();
    bench_restart(&config);
    crowd_owns(15000);
    for (uint8_t session = 1; session <= 5; session++) {
        ask(session, FRIEND, (uint16_t)(2000 + session));
        cr_assert(bench_knows(session), "session %u", session);
    }
    cr_assert_eq(natfw_node_counters(bench.node).owners_refused, 0);
}

Test(admission, owners_of_a_network_have_what_four_hosts_have)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.owners_per_peer_max = 2;
    bench_restart(&config);
    for (uint8_t session = 1; session <= 9; session++) {
        ask(session, session, victims_port);
        cr_assert_eq(bench_knows(session), session <= 4 * 2, "session %u", session);
    }
    ask_as(10, 1, true, 1, victims_port);
    cr_assert(bench_knows(10), "another network has its own");
}

static bool may_own(const struct gist_address *peer, uint32_t source)
{
    struct natfw_policy_rule rule = rule_from(source);
    struct gist_received received = {.peer = *peer};
    struct natfw_incoming incoming = {.now_ms = bench.now_ms, .received = &received};
    return natfw_may_own(bench.node, &incoming, &rule);
}

/* 2001:db8:NETWORK:SUBNET::LAST */
static struct gist_address ipv6(uint8_t network, uint8_t subnet, uint8_t last)
{
    return (struct gist_address){
        .version = 6, .octets = {0x20, 1, 0x0d, 0xb8, 0, network, 0, subnet, [15] = last}};
}

Test(admission, an_owner_by_ipv6_is_a_subnet_and_its_network_a_48)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.owners_per_peer_max = 2;
    bench_restart(&config);
    for (uint8_t i = 0; i < 8; i++) {
        struct gist_address peer = ipv6(1, i / 2, i), neighbour = ipv6(1, i / 2, 99);
        cr_assert(may_own(&peer, 7), "owner %u", i);
        own(i, &peer, 7);
        cr_assert_eq(may_own(&neighbour, 7), i % 2 == 0 && i < 7, "after owner %u", i);
    }
    struct gist_address subnet = ipv6(1, 9, 1), elsewhere = ipv6(2, 0, 1);
    cr_assert(!may_own(&subnet, 7), "its network has four hosts' owners");
    cr_assert(may_own(&subnet, 8), "of another rule it has none");
    cr_assert(may_own(&elsewhere, 7), "another network");
}

static void limit_owners_to(uint32_t limit)
{
    struct natfw_node_config config = natfw_node_config_default();
    config.owners_per_peer_max = limit;
    natfw_node_configure(bench.node, &config);
}

Test(admission, owners_count_whatever_the_limit_was_when_they_came_and_went)
{
    limit_owners_to(0);
    for (uint8_t session = 1; session <= 3; session++) {
        ask(session, NEIGHBOUR, victims_port);
        cr_assert(bench_knows(session));
    }
    limit_owners_to(2);
    ask(4, NEIGHBOUR, victims_port);
    cr_assert(refused_for_lack_of_room());
    limit_owners_to(0);
    bench_advance(61000);
    limit_owners_to(2);
    for (uint8_t session = 1; session <= 3; session++) {
        ask(session, NEIGHBOUR, victims_port);
        cr_assert_eq(bench_knows(session), session <= 2);
    }
}

/* Sessions that go on after their node has started again. RFC 5973 3.4, 3.5; ruling A107. */
#include "core/natfw/snapshot.h"

#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(snapshot, .init = bench_start_default, .fini = bench_stop);

static struct natfw_snapshot taken(uint8_t number)
{
    struct gist_session_id id = bench_session(number);
    struct natfw_snapshot snapshot;
    cr_assert(natfw_node_snapshot(bench.node, &id, &snapshot));
    return snapshot;
}

/* The clock goes on, and the flow ends where it did. */
static void restart_as(const struct natfw_node_config *config)
{
    uint64_t now_ms = bench.now_ms;
    bool flow_ends_here = bench.flow_ends_here;
    bench_restart(config);
    bench.now_ms = now_ms;
    bench.flow_ends_here = flow_ends_here;
}

static void restart(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    restart_as(&config);
}

static enum natfw_result restore(const struct natfw_snapshot *snapshot)
{
    return natfw_node_restore(bench.node, bench.now_ms, snapshot);
}

Test(snapshot, a_forwarders_session_goes_on_with_its_rule_until_it_would_have_ended)
{
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    bench_advance(20000);
    restart();
    cr_assert_not(bench_knows(1));
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
    cr_assert(bench_rule_acts(1));
    bench_advance(39999);
    cr_assert(bench_rule_acts(1) && bench_knows(1));
    bench_advance(1);
    cr_assert(!bench_rule_acts(1) && !bench_knows(1));
}

Test(snapshot, its_sequence_number_goes_on)
{
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    restart();
    restore(&snapshot);
    bench_request(60, 0);
    cr_assert_eq(bench_count(false), 0, "one below that of the session is stale");
    bench_request(60, 2);
    cr_assert_eq(bench_count(false), 1);
    bench_respond(NATFW_ALL_PROCESSED, 2);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

/* Restarts beside a session, and returns what would end it, as yet from its peer. */
static struct gist_received deletion_after_restart(void)
{
    static uint8_t octets[64];
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    restart();
    restore(&snapshot);
    struct natfw_message deletion = bench_create(0, 2);
    size_t length = natfw_message_build(&deletion, octets, sizeof(octets));
    return bench_received(1, false, octets, length);
}

Test(snapshot, only_its_peers_speak_for_it_still)
{
    struct gist_received received = deletion_after_restart();
    bench_name_peer(&received, 7);
    bench_receive_as(&received);
    cr_assert(bench_knows(1) && bench_rule_acts(1), "a stranger has ended it");
    struct natfw_message deletion = bench_create(0, 2);
    bench_receive(1, false, &deletion);
    cr_assert(!bench_knows(1) && !bench_rule_acts(1));
}

Test(snapshot, one_that_came_by_an_association_hears_no_datagram_still)
{
    struct gist_received received = deletion_after_restart();
    received.attributes.reliable = false;
    bench_receive_as(&received);
    cr_assert(bench_knows(1) && bench_rule_acts(1), "a datagram has ended it");
}

Test(snapshot, what_is_over_or_here_already_or_of_no_role_is_not_restored)
{
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    cr_assert_eq(restore(&snapshot), NATFW_INVALID, "it is here");
    bench_advance(60000);
    restart();
    cr_assert_eq(restore(&snapshot), NATFW_INVALID, "it is over");
    snapshot.expires_ms = bench.now_ms + 1000;
    struct natfw_node_config config = natfw_node_config_default();
    config.forwarder = false;
    restart_as(&config);
    cr_assert_eq(restore(&snapshot), NATFW_INVALID, "this node forwards nothing");
    cr_assert_eq(bench_rules(), 0);
}

Test(snapshot, a_rule_that_the_middlebox_cannot_have_leaves_nothing_behind)
{
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = config.sessions_per_stranger_max = config.sessions_per_peer_max = 1;
    restart_as(&config);
    bench.remember_result = NATFW_MIDDLEBOX_EXHAUSTED;
    cr_assert_eq(restore(&snapshot), NATFW_NO_MEMORY);
    cr_assert(!bench_knows(1) && bench_rules() == 0);
    bench.remember_result = NATFW_MIDDLEBOX_OK;
    cr_assert_eq(restore(&snapshot), NATFW_OK, "its place in its peer's share is free");
}

Test(snapshot, what_was_not_granted_has_none)
{
    struct gist_session_id id = bench_session(1);
    struct natfw_snapshot snapshot;
    cr_assert_not(natfw_node_snapshot(bench.node, &id, &snapshot));
    bench_request(60, 1);
    cr_assert(bench_knows(1));
    cr_assert_not(natfw_node_snapshot(bench.node, &id, &snapshot));
}

Test(snapshot, those_restored_count_in_the_share_of_their_peer)
{
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    struct natfw_node_config config = natfw_node_config_default();
    config.sessions_max = config.sessions_per_stranger_max = config.sessions_per_peer_max = 1;
    restart_as(&config);
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    snapshot.id = bench_session(2);
    cr_assert_eq(restore(&snapshot), NATFW_NO_MEMORY);
}

Test(snapshot, those_restored_count_as_owners_of_their_rule)
{
    struct natfw_message create = bench_create(60, 1);
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    struct natfw_node_config config = natfw_node_config_default();
    config.owners_per_peer_max = 1;
    restart_as(&config);
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    bench_receive(2, false, &create);
    cr_assert(!bench_knows(2) && bench_answered(true, 4, 0x01, 0));
    bench_advance(60000);
    bench_receive(2, false, &create);
    cr_assert(bench_knows(2), "the first has ended");
}

static bool is_known(uint8_t peer)
{
    struct gist_application application = natfw_node_application(bench.node);
    struct gist_address address = gist_address_v4(0xc6336400 + peer);
    return application.knows(application.context, bench.now_ms, &address, 1);
}

Test(snapshot, the_peer_of_one_restored_is_known_as_long_as_it_lives)
{
    enum { LIFE_MS = 7200000 }; /* longer than an hour */
    bench_establish(1);
    struct natfw_snapshot snapshot = taken(1);
    restart();
    snapshot.expires_ms = bench.now_ms + LIFE_MS;
    cr_assert_not(is_known(1));
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    cr_assert(is_known(1) && !is_known(3));
    bench_advance(LIFE_MS - 1);
    cr_assert(is_known(1) && bench_knows(1));
    bench_advance(1);
    cr_assert(!is_known(1) && !bench_knows(1));
}

static struct gist_session_id granted(bool refresh)
{
    uint8_t octets[64];
    struct gist_session_id id;
    struct natfw_open open = {.lifetime_s = 60,
        .refresh = refresh,
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}};
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    struct natfw_message success = bench_success(60, bench_last(false)->message.sequence_number);
    size_t length = natfw_message_build(&success, octets, sizeof(octets));
    struct gist_received received = bench_received(1, true, octets, length);
    received.session_id = id;
    bench_receive_as(&received);
    return id;
}

Test(snapshot, an_initiator_asks_anew_with_a_number_that_it_has_not_used)
{
    struct natfw_snapshot snapshot;
    struct gist_session_id id = granted(true);
    uint32_t last = bench_last(false)->message.sequence_number;
    cr_assert(natfw_node_snapshot(bench.node, &id, &snapshot));
    restart();
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    bench_advance(30000);
    cr_assert_geq(bench_count(false), 1);
    const struct bench_sent *sent = bench_last(false);
    cr_assert(gist_session_id_equal(&sent->request.session_id, &id));
    cr_assert_geq(sent->message.sequence_number - last, 2);
    cr_assert_eq(sent->message.lifetime_s, 60);
}

Test(snapshot, an_initiator_that_keeps_nothing_alive_can_still_close)
{
    struct natfw_snapshot snapshot;
    struct gist_session_id id = granted(false);
    cr_assert(natfw_node_snapshot(bench.node, &id, &snapshot));
    restart();
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    bench_advance(30000);
    cr_assert_eq(bench_count(false), 0);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    cr_assert_eq(bench_last(false)->message.lifetime_s, 0);
}

Test(snapshot, a_responders_session_goes_on_too)
{
    bench.flow_ends_here = true;
    bench_request(60, 1);
    struct natfw_snapshot snapshot = taken(1);
    restart();
    cr_assert_eq(restore(&snapshot), NATFW_OK);
    cr_assert_eq(bench_rules(), 0);
    bench_request(60, 2);
    cr_assert(bench_answered(true, NATFW_SUCCESS, 1, 0));
    bench_advance(60000);
    cr_assert_not(bench_knows(1));
}

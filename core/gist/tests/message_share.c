/* core/gist: how much those may say who have routing state or an association. RFC 5971 8.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/state/association.h"
#include "core/gist/state/node_share.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"
#include "core/gist/transport/association_machine.h"

#include <criterion/criterion.h>
#include <string.h>

enum { STRANGERS = 10, KNOWN = 40, SIDES = 25, MANY = 100, OF_A_SESSION = 8 };

static struct gist_node *node; /* number 1, to which much is said */
static const struct gist_address host = {.version = 4, .octets = {198, 51, 100, 1}};

static void start(void)
{
    struct gist_node_config config = row_config();
    fixture_start();
    config.datagrams_per_second = 0;
    config.stranger_messages_per_second = STRANGERS;
    config.known_messages_per_second = KNOWN;
    config.interface_messages_per_second = SIDES;
    config.session_messages_per_second = 0;
    config.stranger_queries_per_second = STRANGERS;
    config.stream_octets_per_peer_max = 16384;
    config.stream_octets_max = 4 * 16384;
    fixture_restart(2, &config);
    row->nodes[0].gist->config.known_messages_per_second = 0;
    row->nodes[0].gist->config.stranger_messages_per_second = 0;
    row->nodes[0].gist->config.interface_messages_per_second = 0;
    node = row->nodes[1].gist;
}

TestSuite(message_share, .init = start, .fini = fixture_stop);

static size_t heard(void)
{
    return row->nodes[1].heard_count;
}

static struct gist_counters counters(void)
{
    return gist_node_counters(node);
}

/* Node 0 says it so often, in one moment. */
static void say(unsigned times, bool reliable)
{
    for (unsigned i = 0; i < times; i++)
        fixture_send("text", reliable);
}

/* Makes routing state, or an association, and lets the share come back. */
static void begin(bool reliable)
{
    say(1, reliable);
    network_run_for(row->network, 3000);
    cr_assert_eq(heard(), 1);
    row->nodes[1].heard_count = 0;
}

/* What one says of whom nothing is known but that it is there. */
static unsigned left_for(const struct gist_address *address, uint32_t interface)
{
    struct gist_share_holder holder = gist_node_holder(node, address, interface);
    unsigned count = 0;
    while (gist_node_share_take(node, &holder, GIST_SHARE_OF_MESSAGES, 1) == GIST_SHARE_TAKEN)
        cr_assert_lt(++count, 1000);
    return count;
}

Test(message_share, datagrams_above_it_are_dropped)
{
    begin(false);
    say(MANY, false);
    network_run_for(row->network, 10);
    cr_assert(heard() >= STRANGERS && heard() <= STRANGERS + 1, "%zu heard", heard());
    cr_assert_eq(counters().messages_refused, MANY - STRANGERS);
    network_run_for(row->network, 1000);
    say(MANY, false);
    network_run_for(row->network, 10);
    cr_assert(heard() >= 2 * STRANGERS && heard() <= 2 * STRANGERS + 1, "%zu", heard());
}

Test(message_share, a_known_peer_has_more_of_it)
{
    row->nodes[1].known = row->nodes[0].address;
    begin(false);
    say(MANY, false);
    network_run_for(row->network, 10);
    cr_assert_eq(heard(), KNOWN);
}

Test(message_share, one_who_uses_his_up_leaves_others_theirs)
{
    begin(false);
    say(MANY, false);
    network_run_for(row->network, 10);
    cr_assert_eq(left_for(&host, 1), STRANGERS);
    row->nodes[1].known = host;
    cr_assert_eq(left_for(&host, 1), KNOWN);
}

/* Of a known peer, with a limit for each of its sessions. */
static void begin_known_session(bool reliable)
{
    node->config.session_messages_per_second = OF_A_SESSION;
    row->nodes[1].known = row->nodes[0].address;
    begin(reliable);
}

static size_t heard_of(unsigned times, bool reliable)
{
    row->nodes[1].heard_count = 0;
    say(times, reliable);
    network_run_for(row->network, 10);
    return heard();
}

Test(message_share, datagrams_of_one_session_leave_what_its_host_has)
{
    struct gist_session_id second = row_session(2);
    begin_known_session(false);
    cr_assert_eq(heard_of(MANY, false), 2 * OF_A_SESSION);
    cr_assert_eq(counters().messages_refused, MANY - 2 * OF_A_SESSION);
    cr_assert_eq(row_send(row, 0, &mri, &second, "text", false), GIST_SENT);
    network_run_for(row->network, 100);
    cr_assert_eq(heard(), 2 * OF_A_SESSION + 1, "its second session has its own");
    cr_assert_eq(left_for(&row->nodes[0].address, 1), KNOWN - 2 * OF_A_SESSION - 2,
        "of the second a Confirm and a Data");
    network_run_for(row->network, 1000);
    cr_assert_eq(heard_of(MANY, false), OF_A_SESSION);
}

Test(message_share, another_limit_of_a_session_holds_at_once)
{
    begin_known_session(false);
    cr_assert_eq(heard_of(MANY, false), 2 * OF_A_SESSION);
    network_run_for(row->network, 3000);
    node->config.session_messages_per_second = OF_A_SESSION / 2;
    cr_assert_eq(heard_of(MANY, false), OF_A_SESSION);
    network_run_for(row->network, 3000);
    node->config.session_messages_per_second = 0;
    cr_assert_eq(heard_of(MANY, false), KNOWN);
}

Test(message_share, what_an_association_brings_of_one_session_is_not_dropped)
{
    begin_known_session(true);
    cr_assert_eq(heard_of(KNOWN, true), KNOWN);
}

Test(message_share, known_peers_of_one_network_have_so_much_together)
{
    unsigned taken = 0;
    for (uint8_t i = 1; i <= 10; i++) {
        struct gist_share_holder holder = {.address = host, .interface = 1, .known = true};
        holder.address.octets[3] = i;
        while (gist_node_share_take(node, &holder, GIST_SHARE_OF_MESSAGES, 1) == GIST_SHARE_TAKEN)
            cr_assert_lt(++taken, 1000);
    }
    cr_assert_eq(taken, KNOWN);
    struct gist_share_holder elsewhere = {
        .address = row->nodes[0].address, .interface = 1, .known = true};
    cr_assert_eq(
        gist_node_share_take(node, &elsewhere, GIST_SHARE_OF_MESSAGES, 1), GIST_SHARE_TAKEN);
    cr_assert_eq(left_for(&host, 1), STRANGERS, "strangers of that network have theirs");
}

static void expect_answers(bool reliable)
{
    struct gist_mri back = gist_mri_reversed(&mri);
    begin(reliable);
    row->nodes[0].gist->config.known_messages_per_second = STRANGERS;
    row->nodes[0].gist->config.stranger_messages_per_second = 1;
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_eq(row_send(row, 1, &back, &session, "text", reliable), GIST_SENT);
    network_run_for(row->network, 10);
    cr_assert(row->nodes[0].heard_count >= 8 * STRANGERS - 2 &&
                  row->nodes[0].heard_count <= 8 * STRANGERS,
        "%zu", row->nodes[0].heard_count);
}

Test(message_share, whom_we_have_asked_may_answer_in_datagrams_for_all_who_ask)
{
    expect_answers(false);
}

Test(message_share, whom_we_have_asked_may_answer_over_its_association_for_all_who_ask)
{
    expect_answers(true);
}

Test(message_share, strangers_of_one_side_have_so_much_together)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < 10; i++) {
        struct gist_address far = gist_address_v4(UINT32_C(0xc6120001) + (i << 8));
        taken += left_for(&far, 1);
    }
    cr_assert_eq(taken, SIDES);
    cr_assert_eq(left_for(&host, 1), 0);
    cr_assert_eq(left_for(&host, 2), STRANGERS);
    row->nodes[1].known = row->nodes[0].address;
    begin(false);
    say(MANY, false);
    network_run_for(row->network, 10);
    cr_assert_eq(heard(), KNOWN, "a known peer of that side has his");
}

Test(message_share, somebody_who_is_not_the_peer_takes_nothing_of_the_peers)
{
    begin(false);
    struct gist_message data = {
        .header = {.version = 1, .hop_count = 5, .type = GIST_DATA, .nslp_id = 33},
        .mri = mri,
        .session_id = row_session(77),
        .nli = {.validity_ms = 1000, .interface_address = row->nodes[0].address},
        .nslp_data = {(const uint8_t *)"text", 4}};
    gist_message_add(&data, GIST_OBJECT_MRI);
    gist_message_add(&data, GIST_OBJECT_SESSION_ID);
    gist_message_add(&data, GIST_OBJECT_NLI);
    gist_message_add(&data, GIST_OBJECT_NSLP_DATA);
    for (unsigned i = 0; i < MANY; i++)
        row_inject(row, 1, &data, row->nodes[0].address, false);
    cr_assert_eq(left_for(&row->nodes[0].address, 1), STRANGERS);
}

Test(message_share, over_an_association_the_rest_waits_and_nothing_is_lost)
{
    begin(true);
    say(MANY, true);
    network_run_for(row->network, 10);
    cr_assert_leq(heard(), STRANGERS);
    cr_assert_geq(heard(), STRANGERS - 2, "hellos may have taken some");
    cr_assert_eq(counters().associations_paused, 1);
    for (unsigned passed_s = 1; passed_s <= 5; passed_s++) {
        network_run_for(row->network, 1000);
        cr_assert_leq(heard(), (passed_s + 1) * STRANGERS + 1);
    }
    cr_assert_geq(heard(), 5 * STRANGERS);
    network_run_for(row->network, 10000);
    cr_assert_eq(heard(), MANY);
    cr_assert(counters().associations == 1 && counters().messages_refused == 0);
    fixture_send("last", true);
    network_run_for(row->network, 10);
    cr_assert(fixture_heard(1, MANY, "last"));
}

Test(message_share, what_waits_is_heard_in_its_order)
{
    begin(true);
    for (unsigned i = 0; i < 60; i++) {
        char text[5] = {'n', (char)('0' + i / 10), (char)('0' + i % 10), '.'};
        fixture_send(text, true);
        if (i % 7 == 0)
            network_run_for(row->network, 100);
    }
    network_run_for(row->network, 10000);
    cr_assert_eq(heard(), 60);
    for (unsigned i = 0; i < 60; i++) {
        char text[5] = {'n', (char)('0' + i / 10), (char)('0' + i % 10), '.'};
        cr_assert(fixture_heard(1, i, text), "%u", i);
    }
}

static gist_association_id connect_host(void)
{
    struct gist_endpoint peer = {host, 40000}, local = {row->nodes[1].address, 4000};
    return gist_node_association_accepted(
        node, network_now_ms(row->network), GIST_STACK_TCP, &peer, &local, 1);
}

/* Hellos that mean nothing. Returns how many octets they are. */
static size_t write_hellos(unsigned count, uint8_t *octets, size_t size)
{
    struct gist_message message = {.header = {.version = 1, .hop_count = 1, .type = GIST_MA_HELLO}};
    size_t length = 0;
    gist_message_add(&message, GIST_OBJECT_HELLO_ID);
    for (unsigned i = 0; i < count; i++)
        length += gist_message_build(&message, octets + length, size - length);
    return length;
}

static void receive(gist_association_id id, const uint8_t *octets, size_t length)
{
    gist_node_association_received(node, network_now_ms(row->network), id, octets, length);
}

/* So many hellos at once. */
static void pile(gist_association_id id, unsigned count)
{
    static uint8_t octets[65536];
    receive(id, octets, write_hellos(count, octets, sizeof(octets)));
}

Test(message_share, counts_on_all_associations_of_a_host_that_never_finishes_one)
{
    gist_association_id first = connect_host(), second = connect_host();
    uint64_t before = counters().messages_parsed;
    pile(first, 6);
    pile(second, 50);
    cr_assert_eq(counters().messages_parsed - before, STRANGERS);
    network_run_for(row->network, 2000);
    cr_assert_leq(counters().messages_parsed - before, 3 * STRANGERS + 1);
    cr_assert_eq(left_for(&host, 2), 0, "whichever side it is on");
}

Test(message_share, who_piles_up_more_than_may_wait_loses_the_association)
{
    size_t before = network_memory(row->network)->octets;
    gist_association_id id = connect_host();
    for (unsigned i = 0; i < 20 && gist_association_find(node, id); i++) {
        pile(id, 200);
        cr_assert_lt(network_memory(row->network)->octets, before + 2 * 16384 + 8192);
    }
    cr_assert_null(gist_association_find(node, id));
    network_run_for(row->network, 1);
    cr_assert_eq(network_memory(row->network)->octets, before);
    struct gist_share_holder holder = gist_node_holder(node, &host, 1);
    cr_assert_eq(gist_node_share_take(node, &holder, GIST_SHARE_OF_STREAM_OCTETS, 16384),
        GIST_SHARE_TAKEN, "what waited has given its share back");
}

static gist_association_id connect_to(const struct gist_address *address, const char *name)
{
    struct gist_nli nli = {
        .interface_address = *address, .peer_identity = {(const uint8_t *)name, strlen(name)}};
    struct gist_peer *peer = gist_peer_acquire(node, &nli);
    struct gist_association *association =
        gist_association_open(node, peer, GIST_STACK_TCP, 4000, 30000);
    gist_peer_release(node, peer);
    cr_assert(association);
    gist_association_id id = association->id;
    gist_node_association_connected(node, network_now_ms(row->network), id, 1);
    return id;
}

/* The beginning of a message of so many octets. */
static void begin_message(gist_association_id id, size_t length)
{
    uint8_t octets[8000] = {1, 1, (uint8_t)(15000 / 4 >> 8), (uint8_t)(15000 / 4), 0, 33, 1, 0};
    cr_assert_leq(length, sizeof(octets));
    gist_node_association_received(node, network_now_ms(row->network), id, octets, length);
}

Test(message_share, each_peer_that_this_node_turned_to_has_octets_of_its_own)
{
    node->config.stream_octets_max = 1 << 20;
    struct gist_address second = host;
    second.octets[3] = 2;
    gist_association_id ids[] = {connect_to(&host, "first"), connect_to(&second, "second")};
    for (size_t i = 0; i < 2; i++)
        begin_message(ids[i], 8000);
    for (size_t i = 0; i < 2; i++)
        cr_assert(gist_association_find(node, ids[i]), "%zu", i);
    cr_assert_eq(counters().streams_refused, 0);
}

/* Associations that end while what was said over them waits. */

static unsigned pauses, resumptions;

static void note_pause(void *context, gist_association_id id, bool begins)
{
    (void)context;
    cr_assert(gist_association_find(node, id), "one that is closed has no pause");
    pauses += begins;
    resumptions += !begins;
}

static gist_association_id connect_and_pause(bool is_bad)
{
    static uint8_t octets[4096];
    node->transport.association_pause = note_pause;
    gist_association_id id = connect_host();
    size_t before = write_hellos(STRANGERS + 5, octets, sizeof(octets));
    size_t length = before + write_hellos(STRANGERS, octets + before, sizeof(octets) - before);
    if (is_bad)
        octets[before] = 9; /* a version that nobody knows */
    receive(id, octets, length);
    cr_assert(pauses == 1 && resumptions == 0 && gist_association_find(node, id));
    return id;
}

Test(message_share, a_pause_ends_when_all_that_waited_is_heard)
{
    gist_association_id id = connect_and_pause(false);
    network_run_for(row->network, 3000);
    cr_assert(pauses == 1 && resumptions == 1 && gist_association_find(node, id));
}

Test(message_share, a_bad_message_among_those_that_wait_ends_the_association_and_its_pause)
{
    size_t before = network_memory(row->network)->octets;
    gist_association_id id = connect_and_pause(true);
    network_run_for(row->network, 3000);
    cr_assert_null(gist_association_find(node, id));
    cr_assert(pauses == 1 && resumptions == 0, "nothing of it goes on");
    cr_assert_eq(network_memory(row->network)->octets, before);
}

Test(message_share, an_association_that_is_lost_in_its_pause_is_not_heard_any_more)
{
    size_t before = network_memory(row->network)->octets;
    gist_association_id id = connect_and_pause(false);
    gist_node_association_closed(node, network_now_ms(row->network), id);
    cr_assert_null(gist_association_find(node, id));
    cr_assert_eq(network_memory(row->network)->octets, before, "it is freed");
    cr_assert_null(node->timers.first, "nothing runs on that would find it");
    uint64_t parsed = counters().messages_parsed;
    network_run_for(row->network, 100);
    cr_assert(pauses == 1 && resumptions == 0 && counters().messages_parsed == parsed);
}

/* Queries for state that is there. */

static void query_again(unsigned times)
{
    const struct seen *query = row_seen(row, GIST_QUERY, 0);
    for (unsigned i = 0; i < times; i++)
        row_inject(row, 1, &query->message, row->nodes[0].address, true);
}

Test(message_share, a_refresh_counts_for_nobody_and_queries_without_end_do)
{
    begin(false);
    network_run_for(row->network, 2000);
    query_again(1);
    cr_assert_eq(counters().queries_refused, 0);
    query_again(MANY);
    cr_assert_eq(counters().queries_refused, MANY - STRANGERS);
    struct gist_counters before = counters();
    network_run_for(row->network, 60000);
    cr_assert_eq(counters().queries_refused, before.queries_refused, "its own refreshes pass");
    cr_assert_eq(counters().routing_states, 1);
}

Test(message_share, one_confirm_again_and_again_is_no_way_around_it)
{
    fixture_send("text", false);
    network_run_for(row->network, 100);
    const struct seen *confirm = row_seen(row, GIST_CONFIRM, 0);
    for (unsigned i = 0; i < MANY; i++) {
        struct gist_mri back = gist_mri_reversed(&mri);
        struct gist_routing_state *state = gist_routing_state_find(node, &back, &session);
        if (state)
            gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        row_inject(row, 1, &confirm->message, row->nodes[0].address, false);
    }
    cr_assert_geq(counters().messages_refused, MANY - STRANGERS - 1);
    cr_assert_lt(counters().messages_refused, MANY - STRANGERS / 2);
}

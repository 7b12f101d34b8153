/* core/gist: messaging associations kept, shared, closed and lost. RFC 5971 4.1.2, 4.4.5, 5.7.1,
 * 5.7.2, 6.4. */
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

enum { HOLD_MS = 30000, HOUR_MS = 3600000, SETTLED_MS = 200 };

TestSuite(association_life, .init = fixture_start, .fini = fixture_stop);

static void keep_state(uint64_t lifetime_ms)
{
    gist_set_state_lifetime(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, lifetime_ms);
}

static void establish(void)
{
    fixture_send("hello", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

/* So that no Confirm uses the association. */
static void establish_without_refreshes(void)
{
    struct gist_node_config config = row_config();
    config.routing_state_validity_ms = HOUR_MS;
    fixture_restart(2, &config);
    establish();
    keep_state(HOUR_MS);
}

/* Kept -------------------------------------------------------------------------------------------
 */

/* Node 1 has no use for it any more, and hears from node 0 that this one has. */
Test(association_life, goes_on_while_the_peer_says_so)
{
    VERIFIES("RFC5971-4.4.5-1");
    establish_without_refreshes();
    struct gist_mri back = gist_mri_reversed(&mri);
    gist_routing_state_use_association(
        row->nodes[1].gist, gist_routing_state_find(row->nodes[1].gist, &back, &session), NULL);
    network_run_for(row->network, 10 * HOLD_MS);
    REQUIRE("RFC5971-4.4.5-1", network_streams(row->nodes[1].place) == 1);
    REQUIRE("RFC5971-4.4.5-1", row->nodes[0].notifications[GIST_NOTIFY_COMMUNICATION_FAILURE] == 0);
}

/* A quarter of the time and more is left for TCP to send it again. */
Test(association_life, says_so_in_good_time)
{
    VERIFIES("RFC5971-4.4.5-11");
    establish_without_refreshes();
    network_run_for(row->network, 20 * HOLD_MS);
    uint64_t last_ms = 0;
    for (size_t i = 0; i < row->seen_count; i++) {
        const struct seen *seen = &row->seen[i];
        if (seen->from != 0 || seen->d_mode)
            continue;
        if (last_ms > 0)
            REQUIRE("RFC5971-4.4.5-11", seen->time_ms - last_ms <= HOLD_MS * 3 / 4);
        last_ms = seen->time_ms;
    }
    cr_assert_gt(row_seen_count(row, GIST_MA_HELLO), 10);
}

/* Shared -----------------------------------------------------------------------------------------
 */

static bool delay_responses(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)octets;
    if (seen->message.header.type == GIST_RESPONSE)
        of->spoiled++;
    return false;
}

/* Its Response comes once more while the connection opens. */
Test(association_life, a_second_is_not_opened_beside_one_to_the_same_peer)
{
    VERIFIES("RFC5971-4.4.5-8b");
    row->spoil = delay_responses;
    fixture_send("hello", true);
    while (row->spoiled == 0)
        network_run_for(row->network, 1);
    network_run_for(row->network, 6);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 1);
    const struct seen *response = row_seen(row, GIST_RESPONSE, 0);
    row_inject_octets(row, 0, response->octets, response->length, row->nodes[1].address, false);
    REQUIRE("RFC5971-4.4.5-8b", gist_node_counters(row->nodes[0].gist).associations == 1);
    network_run_for(row->network, SETTLED_MS);
    REQUIRE("RFC5971-4.4.5-8b", network_streams(row->nodes[0].place) == 1);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

/* Only with the very peer of the NLI, identity and address: another node behind the same address
 * gets an association of its own. */
static bool identity_changes;

static bool change_identity_of_node_1(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    enum { IDENTITY_OFFSET = 12 };
    struct gist_octets nli = seen->message.objects[GIST_OBJECT_NLI];
    if (seen->from == 1 && seen->message.header.type == GIST_RESPONSE && identity_changes)
        octets[nli.octets - seen->octets + IDENTITY_OFFSET] ^= 1;
    return false;
}

static bool drop_over_association(struct row *of, struct seen *seen, uint8_t *octets)
{
    change_identity_of_node_1(of, seen, octets);
    return seen->message.header.type == GIST_RESPONSE && !seen->d_mode;
}

Test(association_life, another_identity_at_the_same_address_is_another_peer)
{
    row->spoil = drop_over_association;
    establish();
    identity_changes = true;
    session = row_session(2);
    /* Node 1 does not find the association again, so that its Response is a datagram. */
    row->nodes[0].gist->config.peer_identity[0] ^= 1;
    fixture_send("other", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(network_streams(row->nodes[0].place), 2);
}

/* Closed -----------------------------------------------------------------------------------------
 */

Test(association_life, one_that_nobody_uses_is_closed_after_what_was_written)
{
    VERIFIES("RFC5971-4.4.5-8a");
    establish();
    fixture_send("last", true);
    keep_state(0);
    network_run_for(row->network, SETTLED_MS);
    cr_assert(fixture_heard(1, 1, "last"));
    network_run_for(row->network, 4 * HOLD_MS);
    REQUIRE("RFC5971-4.4.5-8a", network_streams(row->nodes[0].place) == 0);
    REQUIRE("RFC5971-4.4.5-8a", network_streams(row->nodes[1].place) == 0);
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(gist_node_counters(row->nodes[i].gist).associations, 0);
}

/* Lost -------------------------------------------------------------------------------------------
 */

/* Two sessions use it, so both are told, and each is told once. */
Test(association_life, its_loss_is_told_to_all_that_use_it_and_they_go_on_by_another)
{
    VERIFIES("RFC5971-4.1.2-3", "RFC5971-5.7.2-5", "RFC5971-6.4-3a");
    struct gist_session_id first = session, second = row_session(2);
    establish();
    session = second;
    fixture_send("second", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(network_streams(row->nodes[0].place), 1);
    struct gist_association *lost =
        gist_routing_state_find(row->nodes[0].gist, &mri, &first)->association;
    cr_assert_eq(gist_routing_state_find(row->nodes[0].gist, &mri, &second)->association, lost);
    network_break_streams(row->nodes[0].place);
    network_run_for(row->network, SETTLED_MS);
    const struct row_node *node = &row->nodes[0];
    REQUIRE("RFC5971-5.7.2-5", gist_node_counters(node->gist).associations == 0);
    REQUIRE("RFC5971-4.1.2-3", node->notifications[GIST_NOTIFY_COMMUNICATION_FAILURE] == 2);
    REQUIRE(
        "RFC5971-6.4-3a", gist_routing_state_find(node->gist, &mri, &first)->association == NULL);
    REQUIRE(
        "RFC5971-6.4-3a", gist_routing_state_find(node->gist, &mri, &second)->association == NULL);
    fixture_send("again", true);
    session = first;
    fixture_send("first", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(row->nodes[1].heard_count, 4);
    cr_assert_eq(network_streams(row->nodes[0].place), 1);
}

static bool (*open_connection)(
    void *, gist_association_id, enum gist_stack, const struct gist_endpoint *);
static uint16_t opened_port;

static bool note_port(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    opened_port = peer->port;
    return open_connection(context, id, stack, peer);
}

/* 5.7.1: where a peer can be reached is forgotten once it was used: it may have another port now.
 */
Test(association_life, is_opened_to_the_port_of_its_own_response)
{
    VERIFIES("RFC5971-5.7.1-5", "RFC5971-5.7.1-6");
    struct gist_transport *transport = &row->nodes[0].gist->transport;
    open_connection = transport->association_open;
    transport->association_open = note_port;
    establish();
    cr_assert_eq(opened_port, 4000);
    network_break_streams(row->nodes[0].place);
    network_run_for(row->network, SETTLED_MS);
    row->nodes[1].gist->config.association_port = 4001;
    fixture_send("more", true);
    network_run_for(row->network, SETTLED_MS);
    REQUIRE("RFC5971-5.7.1-5", opened_port == 4001);
    REQUIRE("RFC5971-5.7.1-6", opened_port == 4001);
    cr_assert_eq(row->nodes[1].heard_count, 2);
}

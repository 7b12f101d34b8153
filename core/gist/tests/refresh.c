/* core/gist: routing state over hours: how long it lives, what ends it, and what a refresh that
 * goes wrong or finds another peer does to it. RFC 5971 4.2.1, 4.4.4, 7.1.3, 7.2.1. */
#include "core/gist/machines/querying_machine.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { VALIDITY_MS = 30000, HOUR_MS = 3600000, SETTLED_MS = 200 };

TestSuite(refresh, .init = fixture_start, .fini = fixture_stop);

static struct gist_routing_state *state_at(size_t node, const struct gist_mri *towards)
{
    return gist_routing_state_find(row->nodes[node].gist, towards, &session);
}

static void keep(size_t node, uint64_t lifetime_ms)
{
    gist_set_state_lifetime(
        row->nodes[node].gist, network_now_ms(row->network), &mri, &session, lifetime_ms);
}

static void establish(void)
{
    fixture_send("hello", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert(row->nodes[1].heard_count == 1 && state_at(0, &mri));
}

static bool drop_all(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of, (void)seen, (void)octets;
    return true;
}

/* Two for each that is answered. */
static bool drop_two_queries(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)octets;
    return seen->message.header.type == GIST_QUERY && of->spoiled++ % 3 < 2;
}

/* How long it lives -----------------------------------------------------------------------------
 */

Test(refresh, goes_on_for_the_lifetime_that_the_application_wants)
{
    establish();
    keep(0, HOUR_MS);
    network_run_for(row->network, HOUR_MS - 1000);
    struct gist_mri back = gist_mri_reversed(&mri);
    cr_assert(state_at(0, &mri) && state_at(1, &back));
    network_run_for(row->network, 2000);
    cr_assert_null(state_at(0, &mri));
    network_run_for(row->network, VALIDITY_MS);
    cr_assert_null(state_at(1, &back));
}

Test(refresh, a_lifetime_beyond_the_clock_is_no_end)
{
    establish();
    keep(0, UINT64_MAX);
    network_run_for(row->network, HOUR_MS);
    cr_assert(state_at(0, &mri));
    fixture_send("more", true);
    network_run_for(row->network, HOUR_MS);
    cr_assert(state_at(0, &mri));
}

Test(refresh, state_that_is_not_refreshed_in_its_time_is_purged)
{
    VERIFIES("RFC5971-4.2.1-1");
    struct gist_mri back = gist_mri_reversed(&mri);
    establish();
    keep(0, HOUR_MS);
    uint64_t refreshed_ms = row_seen(row, GIST_RESPONSE, 0)->time_ms;
    row->spoil = drop_all;
    network_run_until(row->network, refreshed_ms + VALIDITY_MS - 1000);
    cr_assert(state_at(0, &mri) && state_at(1, &back));
    network_run_until(row->network, refreshed_ms + VALIDITY_MS + 1000);
    REQUIRE("RFC5971-4.2.1-1", state_at(0, &mri) == NULL);
    REQUIRE("RFC5971-4.2.1-1", state_at(1, &back) == NULL);
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(row->nodes[i].notifications[GIST_NOTIFY_ROUTE_DELETED], 1);
}

/* The first Queries of a refresh may get lost: there is time for some more. */
Test(refresh, leaves_time_for_queries_that_get_lost)
{
    VERIFIES("RFC5971-4.4.4-7");
    establish();
    keep(0, HOUR_MS);
    row->spoil = drop_two_queries;
    network_run_for(row->network, 50 * VALIDITY_MS);
    REQUIRE("RFC5971-4.4.4-7", row->nodes[0].notifications[GIST_NOTIFY_ROUTE_DELETED] == 0);
    REQUIRE("RFC5971-4.4.4-7", row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED] == 0);
}

/* The session that began elsewhere ---------------------------------------------------------------
 */

/* Node 1 passes a session of node 0 on to node 2, and keeps its state for an hour. */
static void establish_through(void)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    row->nodes[1].relays = true;
    establish();
    keep(0, HOUR_MS);
    keep(1, HOUR_MS);
    cr_assert_eq(row->nodes[2].heard_count, 1);
}

static size_t queries_from(unsigned node)
{
    size_t count = 0;
    for (size_t i = 0; i < row->seen_count; i++)
        count += row->seen[i].message.header.type == GIST_QUERY && row->seen[i].from == node;
    return count;
}

Test(refresh, goes_on_while_the_session_before_does)
{
    establish_through();
    network_run_for(row->network, 10 * VALIDITY_MS);
    cr_assert_geq(queries_from(1), 13);
    cr_assert(state_at(1, &mri));
}

Test(refresh, ends_with_the_session_before)
{
    VERIFIES("RFC5971-4.4.4-6");
    establish_through();
    struct gist_mri back = gist_mri_reversed(&mri);
    network_run_for(row->network, 5 * VALIDITY_MS);
    keep(0, 0);
    network_run_for(row->network, VALIDITY_MS);
    cr_assert_null(state_at(1, &back));
    size_t queries = queries_from(1);
    network_run_for(row->network, VALIDITY_MS + 1000);
    REQUIRE("RFC5971-4.4.4-6", queries_from(1) == queries);
    cr_assert_null(state_at(1, &mri));
    network_run_for(row->network, VALIDITY_MS);
    cr_assert_null(state_at(2, &back));
}

/* What goes wrong --------------------------------------------------------------------------------
 */

static uint8_t *octets_of_nli(struct seen *seen, uint8_t *octets)
{
    struct gist_octets nli = seen->message.objects[GIST_OBJECT_NLI];
    return octets + (nli.octets - seen->octets);
}

/* As a NAT that knows nothing of GIST would: the NLI is not where the Response came from. */
static bool spoil_response_address(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    if (seen->message.header.type == GIST_RESPONSE && seen->d_mode)
        octets_of_nli(seen, octets)[seen->message.objects[GIST_OBJECT_NLI].length - 1] ^= 0x40;
    return false;
}

Test(refresh, a_response_from_behind_a_nat_ends_a_first_handshake)
{
    VERIFIES("RFC5971-7.2.1-6a", "RFC5971-7.2.1-6b");
    row->spoil = spoil_response_address;
    fixture_send("hello", false);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-7.2.1-6a", row_seen_count(row, GIST_CONFIRM) == 0);
    REQUIRE("RFC5971-7.2.1-6b", state_at(0, &mri) == NULL);
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_NO_NEXT_NODE);
}

/* Established state is usable until its time is over, and not longer. */
Test(refresh, a_response_from_behind_a_nat_ends_a_refresh_and_no_more)
{
    VERIFIES("RFC5971-7.2.1-6b");
    fixture_send("hello", false);
    network_run_for(row->network, SETTLED_MS);
    keep(0, HOUR_MS);
    uint64_t refreshed_ms = row_seen(row, GIST_RESPONSE, 0)->time_ms;
    row->spoil = spoil_response_address;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, SETTLED_MS);
    size_t queries = row_seen_count(row, GIST_QUERY);
    cr_assert_eq(queries, 2);
    network_run_until(row->network, refreshed_ms + VALIDITY_MS - 1000);
    REQUIRE("RFC5971-7.2.1-6b", row_seen_count(row, GIST_QUERY) == queries);
    cr_assert(state_at(0, &mri));
    fixture_send("still", false);
    network_run_for(row->network, 50);
    cr_assert(fixture_heard(1, 1, "still"));
    network_run_until(row->network, refreshed_ms + VALIDITY_MS + 1000);
    cr_assert_null(state_at(0, &mri));
}

/* Another peer -----------------------------------------------------------------------------------
 */

Test(refresh, that_finds_another_node_is_a_route_change)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    establish();
    gist_sii_handle before = state_at(0, &mri)->peer->sii_handle;
    row->nodes[1].place->intercepts = false;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(row->nodes[0].notifications[GIST_NOTIFY_ROUTE_CHANGED], 1);
    cr_assert_eq(row->nodes[0].notifications[GIST_NOTIFY_ROUTING_STATUS_GOOD], 1);
    cr_assert_neq(state_at(0, &mri)->peer->sii_handle, before);
    fixture_send("onward", true);
    network_run_for(row->network, SETTLED_MS);
    cr_assert(fixture_heard(2, 0, "onward"));
    cr_assert_eq(row->nodes[1].heard_count, 1);
    network_run_for(row->network, 3 * VALIDITY_MS);
    cr_assert_eq(row->nodes[0].notifications[GIST_NOTIFY_ROUTE_CHANGED], 1);
}

/* Node 1 is no longer on the path; what the application says of the state then, and sends. */
static void send_after_invalidating(enum gist_routing_status status)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    establish();
    row->nodes[1].place->intercepts = false;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, status);
    fixture_send("onward", true);
}

Test(refresh, of_bad_state_has_messages_wait_for_the_next_node)
{
    VERIFIES("RFC5971-7.1.3-1", "RFC5971-7.1.3-4a", "RFC5971-7.1.3-5", "RFC5971-7.1.3-6a");
    send_after_invalidating(GIST_ROUTING_BAD);
    REQUIRE("RFC5971-7.1.3-5", state_at(0, &mri)->state == GIST_QUERYING_AWAITING_RESPONSE);
    REQUIRE("RFC5971-7.1.3-4a", row_seen_count(row, GIST_QUERY) == 2);
    REQUIRE(
        "RFC5971-7.1.3-6a", row_seen(row, GIST_QUERY, 1)->time_ms == network_now_ms(row->network));
    network_run_for(row->network, SETTLED_MS);
    REQUIRE("RFC5971-7.1.3-1", fixture_heard(2, 0, "onward"));
    cr_assert_eq(row->nodes[1].heard_count, 1);
    cr_assert_eq(row->nodes[0].notifications[GIST_NOTIFY_ROUTE_CHANGED], 1);
}

Test(refresh, of_tentative_state_has_messages_go_on_to_the_node_that_is_known)
{
    send_after_invalidating(GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(row->nodes[1].heard_count, 2);
    cr_assert_eq(row->nodes[2].heard_count, 0);
}

/* The address of one interface is not that of the other. */
Test(refresh, says_the_address_that_routing_has_for_us_now)
{
    establish();
    struct gist_address other = gist_address_v4(0xcb007132);
    network_give_address(row->nodes[0].place, other);
    for (size_t i = 0; i < row->nodes[0].place->route_count; i++)
        row->nodes[0].place->routes[i].source = other;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    const struct gist_nli *nli = &row_seen(row, GIST_QUERY, 1)->message.nli;
    cr_assert(gist_address_equal(&nli->interface_address, &other));
}

/* The last octet of the peer identity, or of the address in the NLI of node 0's messages. */
static bool identity_changes;

static bool change_nli_of_node_0(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    enum { IDENTITY_OFFSET = 12 };
    if (seen->from == 0 && gist_message_has(&seen->message, GIST_OBJECT_NLI) && identity_changes)
        octets_of_nli(seen, octets)[IDENTITY_OFFSET] ^= 1;
    return false;
}

Test(refresh, from_another_node_is_a_route_change)
{
    row->spoil = change_nli_of_node_0;
    establish();
    keep(0, HOUR_MS);
    network_run_for(row->network, VALIDITY_MS);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_CHANGED], 0);
    identity_changes = true;
    network_run_for(row->network, VALIDITY_MS);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_CHANGED], 1);
    network_run_for(row->network, 2 * VALIDITY_MS);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_CHANGED], 1);
}

/* Distances ---------------------------------------------------------------------------------------
 */

static const struct seen *last_seen(enum gist_message_type type)
{
    return row_seen(row, type, row_seen_count(row, type) - 1);
}

Test(refresh, data_upstream_tell_the_hops_that_were_counted)
{
    VERIFIES("RFC5971-5.2.2-6");
    struct gist_node_config config = row_config();
    fixture_restart(4, &config);
    struct gist_mri back = gist_mri_reversed(&mri);
    row->nodes[1].place->intercepts = row->nodes[2].place->intercepts = false;
    fixture_send("hello", false);
    network_run_for(row->network, SETTLED_MS);
    cr_assert_eq(state_at(3, &back)->ip_distance, 2);
    state_at(3, &back)->ip_distance = 7;
    cr_assert_eq(row_send(row, 3, &back, &session, "back", false), GIST_SENT);
    network_run_for(row->network, SETTLED_MS);
    REQUIRE("RFC5971-5.2.2-6", last_seen(GIST_DATA)->message.nli.ip_ttl == 7);
    cr_assert_eq(row->nodes[0].heard[0].received.ip_distance, 7);
    cr_assert_eq(state_at(0, &mri)->ip_distance, 7);
}

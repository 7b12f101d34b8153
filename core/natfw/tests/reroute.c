/* core/natfw over core/gist: a flow is routed elsewhere, and its session goes along. RFC 5973 3.9,
 * RFC 5971 7.1. */
#include "core/natfw/tests/path.h"

#include <criterion/criterion.h>

/* The initiator, a firewall, one that is on the path or not, the responder. */
enum { NI, FIREWALL, ASIDE, NR, NODES };
enum { LIFETIME_S = 3600, SETTLED_MS = 4000, HOLD_MS = 30000, MESSAGES_MAX = 60 };

static struct path *path;
static struct gist_session_id id;

static void start(void)
{
    struct gist_node_config config = gist_node_config_default();
    path = path_create(NODES, &config);
}

static void stop(void)
{
    path_destroy(path);
}

TestSuite(reroute, .init = start, .fini = stop);

/* Packets for the responder go from one node straight to the next. */
static void lead(size_t from, size_t next, uint32_t interface)
{
    struct network_place *place = path->nodes[from].place;
    for (size_t i = 0; i < place->route_count; i++)
        if (gist_address_equal(&place->routes[i].prefix, &path->nodes[NR].address)) {
            place->routes[i].next = path->nodes[next].place;
            place->routes[i].interface = interface;
        }
}

static void tell_routes_changed(size_t node)
{
    natfw_node_routes_changed(path->nodes[node].natfw, network_now_ms(path->network));
}

static struct natfw_session_view view_of(size_t node)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(path->nodes[node].natfw, &id, &view), "node %zu", node);
    return view;
}

static void expect_established(size_t node)
{
    struct natfw_session_view view = view_of(node);
    uint64_t left_ms = view.expires_ms - network_now_ms(path->network);
    cr_assert_eq(view.state, NATFW_ESTABLISHED, "node %zu", node);
    cr_assert_gt(left_ms, (LIFETIME_S - 120) * UINT64_C(1000), "node %zu", node);
    cr_assert_eq(view.rule_installed, node == FIREWALL || node == ASIDE);
}

static void establish(void)
{
    id = path_open(path, path->nodes[NR].address, LIFETIME_S, false);
    network_run_for(path->network, SETTLED_MS);
    path->sent = 0;
}

/* The firewall aside is told, holds its rule for a while, and ends it. */
static void expect_firewall_left_aside(void)
{
    cr_assert_eq(view_of(ASIDE).state, NATFW_TRANSITORY);
    cr_assert(view_of(ASIDE).rule_installed);
    network_run_for(path->network, HOLD_MS + SETTLED_MS);
    cr_assert_not(path_knows(path, ASIDE, &id));
    expect_established(NI);
    expect_established(FIREWALL);
    expect_established(NR);
}

Test(reroute, round_a_firewall_by_a_route_that_changed_here)
{
    establish();
    expect_established(ASIDE);
    lead(FIREWALL, NR, 3);
    tell_routes_changed(FIREWALL);
    network_run_for(path->network, SETTLED_MS);
    cr_assert_lt(path->sent, MESSAGES_MAX);
    cr_assert_eq(path->nodes[NI].events[NATFW_EVENT_REFRESHED], 1);
    expect_firewall_left_aside();
}

/* Nobody says so: GIST finds it with its next refresh. */
Test(reroute, round_a_firewall_that_gist_finds)
{
    establish();
    lead(FIREWALL, NR, 3);
    for (unsigned i = 0; i < 60 && path->nodes[FIREWALL].events[NATFW_EVENT_ROUTE_CHANGED] == 0;
         i++)
        network_run_for(path->network, 1000);
    network_run_for(path->network, SETTLED_MS);
    cr_assert_eq(path->nodes[FIREWALL].events[NATFW_EVENT_ROUTE_CHANGED], 1);
    expect_firewall_left_aside();
}

Test(reroute, to_a_firewall_that_opens_itself)
{
    lead(FIREWALL, NR, 3);
    establish();
    cr_assert_not(path_knows(path, ASIDE, &id));
    lead(FIREWALL, ASIDE, 2);
    tell_routes_changed(FIREWALL);
    network_run_for(path->network, SETTLED_MS);
    cr_assert_lt(path->sent, MESSAGES_MAX);
    cr_assert_eq(path->nodes[ASIDE].events[NATFW_EVENT_ESTABLISHED], 1);
    network_run_for(path->network, HOLD_MS + SETTLED_MS);
    for (size_t node = NI; node < NODES; node++)
        expect_established(node);
}

/* An initiator tells nobody by NOTIFY: who is not on its path any more keeps the session to its
 * end. */
Test(reroute, at_the_initiator)
{
    establish();
    lead(NI, ASIDE, 3);
    tell_routes_changed(NI);
    network_run_for(path->network, SETTLED_MS);
    cr_assert_lt(path->sent, MESSAGES_MAX);
    network_run_for(path->network, HOLD_MS + SETTLED_MS);
    expect_established(NI);
    expect_established(ASIDE);
    expect_established(NR);
}

/* A route that changes ten times a second for half a minute, and is told of each time. */
Test(reroute, that_flaps_makes_no_storm_and_leaves_the_session_alive)
{
    enum { FLAPS = 300, TURNS = 30 / 5 + 2, MESSAGES_OF_A_TURN = 16 };
    establish();
    size_t queries = gist_node_counters(path->nodes[FIREWALL].gist).queries_sent;
    for (unsigned i = 0; i < FLAPS; i++) {
        lead(FIREWALL, i % 2 ? ASIDE : NR, i % 2 ? 2 : 3);
        tell_routes_changed(FIREWALL);
        network_run_for(path->network, 100);
    }
    queries = gist_node_counters(path->nodes[FIREWALL].gist).queries_sent - queries;
    cr_assert_leq(queries, FLAPS + TURNS, "a change asks the path once");
    cr_assert_leq(path->nodes[NI].events[NATFW_EVENT_REFRESHED], TURNS);
    cr_assert_leq(path->nodes[FIREWALL].events[NATFW_EVENT_ROUTE_CHANGED], TURNS);
    network_run_for(path->network, 2 * HOLD_MS);
    for (size_t node = NI; node < NODES; node++)
        expect_established(node);
}

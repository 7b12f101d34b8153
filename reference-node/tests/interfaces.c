/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Interfaces and addresses that go and come back: the sessions that could live, live. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdlib.h>

/* A lifetime short enough that a session that is not refreshed ends within the test. */
#define SHORT      "lifetime_min_s = 1\n"
#define OPEN_SHORT OPEN "--lifetime 7"
enum { REFRESHED_MS = 8500 };
#define OPEN_OTHER "open --from 192.0.2.2:4001 --to 198.51.100.2:5001 --protocol udp --timeout 20 "

static void inside_down_and_up(const struct network *network)
{
    (void)network;
    run("ip link set inside down && ip link set inside up");
}

static void outside_down_and_up(const struct network *network)
{
    (void)network;
    run("ip link set outside down && ip link set outside up");
}

static void inside_made_again(const struct network *network)
{
    run("ip link del inside");
    path_connect_left(&network->path);
}

static void outside_made_again(const struct network *network)
{
    run("ip link del outside");
    path_connect_right(&network->path);
}

static void both_made_again_inside_first(const struct network *network)
{
    run("ip link del inside && ip link del outside");
    path_connect_left(&network->path);
    path_connect_right(&network->path);
}

static void both_made_again_outside_first(const struct network *network)
{
    run("ip link del outside && ip link del inside");
    path_connect_right(&network->path);
    path_connect_left(&network->path);
}

static void inside_address_added_again(const struct network *network)
{
    (void)network;
    run("ip addr del 192.0.2.1/24 dev inside && ip addr add 192.0.2.1/24 dev inside");
}

static void outside_address_added_again(const struct network *network)
{
    (void)network;
    run("ip addr del 198.51.100.1/24 dev outside && ip addr add 198.51.100.1/24 dev outside");
}

static void initiator_down_and_up(const struct network *network)
{
    namespace_enter(network->path.left);
    run("ip link set wire down && ip link set wire up && ip route add default via 192.0.2.1");
    namespace_enter(network->path.middle);
}

static void responder_address_added_again(const struct network *network)
{
    namespace_enter(network->path.right);
    run("ip addr del 198.51.100.2/24 dev wire && ip addr add 198.51.100.2/24 dev wire &&"
        "ip route add default via 198.51.100.1");
    namespace_enter(network->path.middle);
}

static const struct {
    const char *name;
    void (*happen)(const struct network *network);
} changes[] = {{"inside down and up", inside_down_and_up},
    {"outside down and up", outside_down_and_up}, {"inside made again", inside_made_again},
    {"outside made again", outside_made_again},
    {"both made again, inside first", both_made_again_inside_first},
    {"both made again, outside first", both_made_again_outside_first},
    {"inside address added again", inside_address_added_again},
    {"outside address added again", outside_address_added_again},
    {"initiator down and up", initiator_down_and_up},
    {"responder address added again", responder_address_added_again}};
enum { CHANGE_COUNT = sizeof(changes) / sizeof(changes[0]) };

ParameterizedTestParameters(interfaces, a_session_outlives)
{
    static size_t places[CHANGE_COUNT];
    for (size_t i = 0; i < CHANGE_COUNT; i++)
        places[i] = i;
    return cr_make_param_array(size_t, places, CHANGE_COUNT);
}

static void expect_one_session_each(const struct network *network)
{
    for (enum node which = LEFT; which < NODE_COUNT; which++)
        cr_assert(sessions_at(network, which) == 1, "%s", node_names[which]);
}

/* Refreshes go on, and new sessions are opened as before. */
static void expect_life_until(
    const struct network *network, const struct flow *flow, uint64_t until_ms)
{
    expect_open_until(flow, until_ms);
    expect_one_session_each(network);
    json_decref(control_ok(network, LEFT, OPEN_OTHER "--lifetime 60"));
}

ParameterizedTest(size_t *place, interfaces, a_session_outlives)
{
    struct network network = network_start(SHORT, SHORT);
    struct flow flow = make_flow(&network, 5000), closed = make_flow(&network, 5002);
    cr_log_info("%s", changes[*place].name);
    json_decref(control_ok(&network, LEFT, OPEN_SHORT));
    uint64_t start_ms = clock_now_ms();
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    changes[*place].happen(&network);
    expect_life_until(&network, &flow, start_ms + REFRESHED_MS);
    cr_assert(!passes(closed.left, closed.right, SILENCE_MS));
    network_stop(&network);
}

/* An index that means nothing any more would count as external. */
Test(interfaces, a_firewall_that_starts_again_knows_peers_of_an_interface_made_again_meanwhile)
{
    struct network network = network_start(SHORT, SHORT);
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN_SHORT));
    uint64_t start_ms = clock_now_ms();
    end_daemon(&network, MIDDLE, SIGKILL);
    inside_made_again(&network);
    start_daemon(&network, MIDDLE);
    expect_life_until(&network, &flow, start_ms + REFRESHED_MS);
    network_stop(&network);
}

Test(interfaces, one_that_is_not_there_yet_is_waited_for_behind_a_closed_firewall)
{
    struct network network = network_start("", "");
    end_daemon(&network, MIDDLE, SIGTERM);
    run("nft delete table inet natfw; ip link del outside");
    start_daemon(&network, MIDDLE);
    require_logged(&network, MIDDLE, "interface outside is not there yet");
    path_connect_right(&network.path);
    struct flow flow = make_flow(&network, 5000);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    cr_assert(!passes(flow.right, flow.left, SILENCE_MS));
    require_logged(&network, MIDDLE, "interface outside is there with index ");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    network_stop(&network);
}

Test(interfaces, that_are_gone_keep_no_reload_from_being_taken)
{
    struct network network = network_start("", "");
    run("ip link del outside");
    require_logged(&network, MIDDLE, "interface outside is gone");
    require_logged(&network, MIDDLE, "address 198.51.100.1/24 of outside is gone");
    json_decref(control_ok(&network, MIDDLE, "reload"));
    path_connect_right(&network.path);
    require_logged(&network, MIDDLE, "address 198.51.100.1/24 of outside is there");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    network_stop(&network);
}

/* Its index is known from the reload on: no change of the network has told it before it goes. */
Test(interfaces, that_a_reload_lists_first_may_be_made_again_like_others)
{
    struct network network = network_start(SHORT, SHORT);
    end_daemon(&network, MIDDLE, SIGTERM);
    run("ip link add spare type veth && ip link set spare up");
    write_config(&network, MIDDLE,
        "roles = {\"forwarder\"}\ninterface \"spare\" { side = \"internal\" }\n"
        "interface \"outside\" { side = \"external\" }\n" SHORT);
    start_daemon(&network, MIDDLE);
    write_firewall_config(&network, SHORT);
    json_decref(control_ok(&network, MIDDLE, "reload"));
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN_SHORT));
    uint64_t start_ms = clock_now_ms();
    inside_made_again(&network);
    expect_life_until(&network, &flow, start_ms + REFRESHED_MS);
    network_stop(&network);
}

/* The association outlives the interface by which it came, and says nothing of where its peer is
 * now. */
Test(interfaces, a_flow_that_turns_back_is_refused_also_when_its_interface_was_made_again)
{
    int status;
    struct network network = network_start("", "");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    inside_made_again(&network);
    run("ip route add 203.0.113.0/24 via 192.0.2.3");
    json_decref(control(&network, LEFT,
        "open --from 192.0.2.2:4001 --to 203.0.113.1:5001 --protocol udp --timeout 20", &status));
    cr_assert(status == 1);
    require_logged(&network, MIDDLE, "why: the flow leaves by the interface by which it came in");
    network_stop(&network);
}

/* A peer that stays cannot be told by us that our address has gone. */
Test(interfaces, where_an_address_is_replaced_new_sessions_are_opened)
{
    struct network network = network_start("", "");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    run("ip addr del 198.51.100.1/24 dev outside && ip addr add 198.51.100.254/24 dev outside");
    namespace_enter(network.path.right);
    run("ip route replace default via 198.51.100.254");
    namespace_enter(network.path.middle);
    require_logged(&network, MIDDLE, "tcp: 1 connections have ended with their address");
    json_decref(control_ok(&network, LEFT, OPEN_OTHER "--lifetime 60"));
    network_stop(&network);
}

static void require_policy_route(const struct network *network)
{
    uint64_t start_ms = clock_now_ms();
    while (system("ip rule | grep -q 'proto 174' && ip route show table 270 | grep -q local") != 0)
        wait_a_turn(start_ms, "the policy route is not put back");
    json_decref(control_ok(network, LEFT, OPEN_OTHER "--lifetime 60"));
    json_decref(control_ok(network, LEFT, "close --all"));
}

Test(interfaces, a_policy_route_that_somebody_takes_away_is_put_back)
{
    struct network network = network_start("", "");
    run("ip rule del fwmark 0x10e");
    require_policy_route(&network);
    run("ip route flush table 270");
    require_policy_route(&network);
    run("ip rule del fwmark 0x10e && ip route flush table 270");
    require_policy_route(&network);
    require_logged(&network, MIDDLE, "policy route: somebody took it away; it is put back");
    network_stop(&network);
}

/* It cannot take the kernel's notices while it is stopped; most of them are lost. */
Test(interfaces, what_changes_among_more_than_can_be_told_is_seen_all_the_same)
{
    struct network network = network_start("", "");
    kill(network.daemons[MIDDLE], SIGSTOP);
    run("for n in $(seq 0 39999); do"
        " echo route add 10.$((n / 256)).$((n %% 256)).0/24 via 198.51.100.2;"
        " done | ip -batch - && ip rule del fwmark 0x10e");
    kill(network.daemons[MIDDLE], SIGCONT);
    require_policy_route(&network);
    require_logged(&network, MIDDLE, "the network changes faster than it can be told");
    network_stop(&network);
}

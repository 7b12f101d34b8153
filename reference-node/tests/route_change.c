/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way to a responder moves while a session lives: the session goes along. RFC 5973 3.9. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Who may go on with the sessions of the firewall on the other way. */
#define TAKES_OVER                                                                                 \
    "policy {\n peer \"203.0.113.0/24\" {\n take_over = any\n answer = allow\n }\n}\n"

/* A wire between two places, with a name and an address at each end. */
static void connect_places(int here, const char *name, const char *address, int there,
    const char *other_name, const char *other_address)
{
    namespace_enter(here);
    run("ip link add %s type veth peer name %s netns /proc/%d/fd/%d && ip addr add %s dev %s &&"
        " ip link set %s up",
        name, other_name, getpid(), there, address, name, name);
    namespace_enter(there);
    run("ip addr add %s dev %s && ip link set %s up", other_address, other_name, other_name);
}

/* Another firewall between the same hosts, with its middle as its own namespace; nothing goes by it
 * yet. */
static struct network second_firewall(const struct network *network)
{
    struct network second = {.path = network->path,
        .directory = "/tmp/natfwd-test-XXXXXX",
        .undertaker = network->undertaker};
    cr_assert(mkdtemp(second.directory));
    second.path.middle = namespace_enter_new();
    run("echo 1 >/proc/sys/net/ipv4/ip_forward");
    connect_places(second.path.middle, "inside", "203.0.113.1/25", network->path.left, "other",
        "203.0.113.2/25");
    connect_places(second.path.middle, "outside", "203.0.113.129/25", network->path.right, "other",
        "203.0.113.130/25");
    namespace_enter(second.path.middle);
    run("ip route add 192.0.2.2 via 203.0.113.2 && ip route add 198.51.100.2 via 203.0.113.130");
    write_firewall_config(&second, "peer_identity = \"second\"\n");
    start_daemon(&second, MIDDLE);
    namespace_enter(network->path.middle);
    return second;
}

static void stop_second(struct network *second)
{
    end_daemon(second, MIDDLE, SIGTERM);
    run("rm -r %s", second->directory);
}

static void move_to_second(const struct network *network)
{
    namespace_enter(network->path.right);
    run("ip route add 192.0.2.2 via 203.0.113.129");
    namespace_enter(network->path.left);
    run("ip route add 198.51.100.2 via 203.0.113.1");
    namespace_enter(network->path.middle);
}

static void move_back(const struct network *network)
{
    namespace_enter(network->path.right);
    run("ip route del 192.0.2.2");
    namespace_enter(network->path.left);
    run("ip route del 198.51.100.2");
    namespace_enter(network->path.middle);
}

/* Long before a refresh is due. */
static void expect_flow(const struct network *network, const struct flow *flow, const char *where)
{
    uint64_t start_ms = clock_now_ms();
    while (!passes(flow->left, flow->right, SILENCE_MS))
        if (clock_now_ms() - start_ms > 2 * PATIENCE_MS) {
            run("cat %s/*.log >&2", network->directory);
            cr_assert_fail("the flow does not pass %s", where);
        }
    cr_assert(passes(flow->right, flow->left, PATIENCE_MS), "%s", where);
}

Test(route_change, at_the_initiator_to_another_firewall_and_back_takes_the_session_along)
{
    struct network network = network_start("", TAKES_OVER);
    struct network second = second_firewall(&network);
    struct flow flow = make_flow(&network, 5000), closed = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 600"));
    expect_flow(&network, &flow, "the first firewall");
    move_to_second(&network);
    expect_flow(&network, &flow, "the second firewall");
    cr_assert(!passes(closed.left, closed.right, SILENCE_MS));
    cr_assert(sessions_at(&second, MIDDLE) == 1 && sessions_at(&network, LEFT) == 1);
    require_logged(&network, LEFT, "route changed");
    move_back(&network);
    expect_flow(&network, &flow, "the first firewall again");
    stop_second(&second);
    network_stop(&network);
}

Test(route_change, at_the_initiator_past_all_firewalls_takes_the_session_along)
{
    struct network network = network_start("", TAKES_OVER);
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 600"));
    connect_places(network.path.left, "direct", "203.0.113.1/24", network.path.right, "direct",
        "203.0.113.2/24");
    run("ip route add 192.0.2.2 via 203.0.113.1");
    namespace_enter(network.path.left);
    run("ip route add 198.51.100.2 via 203.0.113.2");
    namespace_enter(network.path.middle);
    expect_flow(&network, &flow, "directly");
    require_logged(&network, LEFT, "route changed");
    require_logged(&network, LEFT, " refreshed ");
    network_stop(&network);
}

/* Its own address goes, and with it what GIST knows of the way on. */
Test(route_change, at_a_firewall_to_another_address_takes_the_session_along)
{
    struct network network =
        network_start("", "policy {\n peer \"198.51.100.0/24\" {\n"
                          " take_over = \"same-identity\"\n answer = allow\n }\n}\n");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 600"));
    run("ip addr del 198.51.100.1/24 dev outside && ip addr add 198.51.100.254/24 dev outside");
    namespace_enter(network.path.right);
    run("ip route replace default via 198.51.100.254");
    namespace_enter(network.path.middle);
    require_logged(&network, MIDDLE, "route changed");
    require_logged(&network, LEFT, " refreshed ");
    expect_flow(&network, &flow, "the same firewall");
    network_stop(&network);
}

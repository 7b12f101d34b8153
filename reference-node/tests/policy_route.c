/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy route that brings intercepted packets in: what is ours of it, and what is not. */
#include "reference-node/sockets/policy_route.h"
#include "reference-node/tests/namespaces.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Rules of IPv4 and IPv6 beyond those of every namespace, and the routes that natfwd could have
 * made. */
static char *rules(void)
{
    return output_of("(ip rule; ip -6 rule) | grep -v 'from all lookup [a-z]' || true");
}

static char *routes(void)
{
    return output_of(
        "(ip route show table all; ip -6 route show table all) | grep default || true");
}

static void put(uint32_t mark, uint32_t table)
{
    bool was_whole;
    struct policy_route *route = policy_route_create();
    cr_assert(policy_route_put(route, mark, table, &was_whole) == 0 && !was_whole);
    cr_assert(policy_route_put(route, mark, table, &was_whole) == 0 && was_whole);
    policy_route_destroy(route);
}

static void remove_all(void)
{
    struct policy_route *route = policy_route_create();
    policy_route_remove(route);
    policy_route_destroy(route);
}

static void expect(const char *rule, const char *route)
{
    char *has_rules = rules(), *has_routes = routes();
    cr_assert_str_eq(has_rules, rule);
    cr_assert_str_eq(has_routes, route);
    free(has_rules);
    free(has_routes);
}

Test(policy_route, of_another_mark_or_table_goes_when_the_next_natfwd_starts)
{
    namespace_enter_new();
    put(0x10e, 270);
    put(0x77, 270);
    expect("32765:\tfrom all fwmark 0x77 lookup 270 proto 174\n",
        "local default dev lo table 270 proto 174 scope host \n");
    put(0x77, 271);
    expect("32765:\tfrom all fwmark 0x77 lookup 271 proto 174\n",
        "local default dev lo table 271 proto 174 scope host \n");
    remove_all();
    expect("", "");
}

/* More than one look at the rules holds, of either version of IP. */
Test(policy_route, goes_however_many_there_are)
{
    namespace_enter_new();
    run("for n in $(seq 100 150); do for version in -4 -6; do"
        " ip $version rule add fwmark $n lookup $n protocol 174 &&"
        " ip $version route add local default dev lo table $n proto 174 || exit 1; done; done");
    remove_all();
    expect("", "");
}

Test(policy_route, that_is_there_twice_is_there_once_afterwards)
{
    namespace_enter_new();
    run("ip rule add fwmark 0x77 lookup 271 priority 1000 protocol 174;"
        "ip rule add fwmark 0x77 lookup 271 priority 1001 protocol 174");
    put(0x77, 271);
    expect("1000:\tfrom all fwmark 0x77 lookup 271 proto 174\n",
        "local default dev lo table 271 proto 174 scope host \n");
}

/* Those of another protocol number, even with our mark and table; and those that have our number,
 * but are none that natfwd makes. */
static const char foreign[] =
    "for version in -4 -6; do"
    " ip $version rule add fwmark 0x10e lookup 270 priority 100 &&"
    " ip $version rule add fwmark 0x10e lookup 270 priority 101 protocol static &&"
    " ip $version rule add iif lo fwmark 0x10e lookup 270 priority 102 protocol 174 &&"
    " ip $version rule add fwmark 0x10e prohibit priority 103 protocol 174 &&"
    " ip $version rule add lookup 270 priority 104 protocol 174 &&"
    " ip $version route add local default dev lo table 271 proto static || exit 1; done;"
    "ip rule add from 192.0.2.0/24 fwmark 0x10e lookup 270 priority 105 protocol 174;"
    "ip -6 rule add to 2001:db8::/32 fwmark 0x10e lookup 270 priority 105 protocol 174";

Test(policy_route, of_others_is_never_touched)
{
    namespace_enter_new();
    run("%s", foreign);
    char *rules_before = rules(), *routes_before = routes();
    put(0x10e, 270);
    put(0x77, 272);
    remove_all();
    expect(rules_before, routes_before);
    free(rules_before);
    free(routes_before);
}

Test(policy_route, is_put_in_beside_the_same_of_somebody_else)
{
    namespace_enter_new();
    run("ip rule add fwmark 0x10e lookup 270 priority 100");
    put(0x10e, 270);
    expect("99:\tfrom all fwmark 0x10e lookup 270 proto 174\n"
           "100:\tfrom all fwmark 0x10e lookup 270\n",
        "local default dev lo table 270 proto 174 scope host \n");
}

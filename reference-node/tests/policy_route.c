/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy route that brings intercepted packets in: what is ours of it, and what is not. */
#include "reference-node/sockets/policy_route.h"

#include "reference-node/base/clock.h"
#include "reference-node/tests/namespaces.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

/* With our number, mark and table, and yet not all that carries the mark; IPv6 has no realms. */
static const struct {
    const char *versions;
    const char *selector;
} narrower[] = {{"-4 -6", "fwmark 0x10e/0xffff lookup 270"},
    {"-4 -6", "fwmark 0x10e lookup 270 ipproto udp"}, {"-4 -6", "fwmark 0x10e lookup 270 sport 53"},
    {"-4 -6", "fwmark 0x10e lookup 270 dport 53"}, {"-4 -6", "fwmark 0x10e lookup 270 tun_id 5"},
    {"-4 -6", "fwmark 0x10e lookup 270 uidrange 0-0"},
    {"-4 -6", "fwmark 0x10e lookup 270 suppress_prefixlength 0"},
    {"-4 -6", "fwmark 0x10e lookup 270 suppress_ifgroup 5"},
    {"-4 -6", "fwmark 0x10e lookup 270 oif lo"}, {"-4 -6", "fwmark 0x10e lookup 270 tos 0x10"},
    {"-4 -6", "not fwmark 0x10e lookup 270"}, {"-4 -6", "fwmark 0x10e goto 32766"},
    {"-4 -6", "fwmark 0x10e l3mdev"}, {"-4", "fwmark 0x10e lookup 270 realms 3"}};

/* Of those that have these words among what they ask for. */
static void expect_none_taken_for_ours(const char *words)
{
    for (size_t i = 0; i < sizeof(narrower) / sizeof(narrower[0]); i++) {
        if (!strstr(narrower[i].selector, words))
            continue;
        int namespace = namespace_enter_new();
        run("for version in %s; do ip $version rule add %s priority 100 protocol 174 || exit 1;"
            " done",
            narrower[i].versions, narrower[i].selector);
        char *before = rules(), *beside;
        cr_assert(
            asprintf(&beside, "99:\tfrom all fwmark 0x10e lookup 270 proto 174\n%s", before) > 0);
        put(0x10e, 270);
        expect(beside, "local default dev lo table 270 proto 174 scope host \n");
        remove_all();
        expect(before, "");
        free(before);
        free(beside);
        close(namespace);
    }
}

Test(policy_route, is_no_rule_that_asks_for_more_than_the_mark)
{
    expect_none_taken_for_ours("");
}

/* Since Linux 6.15 a port comes with its mask, either of which is none of ours; FRA_SPORT_MASK and
 * FRA_DPORT_MASK of its headers. */
enum { SPORT_MASK = 28, DPORT_MASK = 29 };
static bool is_earlier_kernel;

static bool is_mask(const struct nlattr *attribute)
{
    return mnl_attr_get_type(attribute) == SPORT_MASK || mnl_attr_get_type(attribute) == DPORT_MASK;
}

/* Takes them out of one message of several. Returns how many octets they were. */
static size_t leave_out_masks(struct nlmsghdr *message, size_t left)
{
    size_t before = left;
    struct nlattr *attribute = mnl_nlmsg_get_payload_offset(message, sizeof(struct fib_rule_hdr));
    while (mnl_attr_ok(
        attribute, (int)((char *)mnl_nlmsg_get_payload_tail(message) - (char *)attribute))) {
        size_t length = MNL_ALIGN(attribute->nla_len);
        char *next = (char *)attribute + length;
        if (!is_mask(attribute)) {
            attribute = mnl_attr_next(attribute);
            continue;
        }
        memmove(attribute, next, left - (size_t)(next - (char *)message));
        message->nlmsg_len -= (uint32_t)length;
        left -= length;
    }
    return before - left;
}

/* Stands before that of libmnl. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t bufsiz)
{
    ssize_t length = recv(mnl_socket_get_fd(nl), buf, bufsiz, 0);
    struct nlmsghdr *message = buf;
    for (int left = (int)length; is_earlier_kernel && mnl_nlmsg_ok(message, left);
         message = mnl_nlmsg_next(message, &left)) {
        if (message->nlmsg_type != RTM_NEWRULE)
            continue;
        size_t less = leave_out_masks(message, (size_t)left);
        length -= (ssize_t)less;
        left -= (int)less;
    }
    return length;
}

Test(policy_route, is_no_rule_of_one_port_on_an_earlier_kernel_either)
{
    is_earlier_kernel = true;
    expect_none_taken_for_ours("port");
}

Test(policy_route, of_ipv6_that_an_earlier_natfwd_left_goes_when_the_next_starts)
{
    namespace_enter_new();
    run("ip -6 rule add fwmark 0x77 lookup 271 protocol 174 &&"
        "ip -6 route add local default dev lo table 271 proto 174");
    put(0x77, 271);
    expect("32765:\tfrom all fwmark 0x77 lookup 271 proto 174\n",
        "local default dev lo table 271 proto 174 scope host \n");
}

/* What somebody does when natfwd has seen a rule and is about to take it away. */
static const char *somebody_faster;
static unsigned asked; /* of the kernel */

/* Stands before that of libmnl. */
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t siz)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (somebody_faster && ((const struct nlmsghdr *)req)->nlmsg_type == RTM_DELRULE)
        run("%s", somebody_faster);
    asked++;
    return sendto(
        mnl_socket_get_fd(nl), req, siz, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
}

Test(policy_route, that_somebody_takes_away_first_is_gone_as_well)
{
    namespace_enter_new();
    put(0x77, 271);
    somebody_faster = "ip rule del fwmark 0x77";
    put(0x10e, 270);
    expect("32765:\tfrom all fwmark 0x10e lookup 270 proto 174\n",
        "local default dev lo table 270 proto 174 scope host \n");
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

static void make_inside(void)
{
    run("ip link set lo up && ip link add inside type veth peer name other &&"
        "ip link set other up && ip link set inside up && ip address add 192.0.2.9/24 dev inside");
}

/* Two destinations, and one without a route, each twice; between the rounds all is forgotten or
 * not. Returns how often the kernel was asked. */
static unsigned ask_twice(struct policy_route *route, bool forgets)
{
    enum { TRIES = 1000 };
    struct gist_address near = gist_address_v4(0xc0000201), own = gist_address_v4(0x7f000001),
                        nowhere = gist_address_v4(0xcb007101);
    for (unsigned try = 0; try < TRIES; try++) {
        struct policy_route_answer answer;
        uint64_t start_ms = clock_now_ms();
        policy_route_forget(route);
        asked = 0;
        for (unsigned time = 0; time < 2; time++) {
            if (time == 1 && forgets)
                policy_route_forget(route);
            cr_assert(policy_route_lookup(route, &near, &answer) && !answer.is_local);
            cr_assert(policy_route_lookup(route, &own, &answer) && answer.is_local);
            cr_assert(!policy_route_lookup(route, &nowhere, &answer) && errno == ENETUNREACH);
        }
        if (clock_now_ms() == start_ms)
            return asked;
    }
    cr_assert_fail("no millisecond is long enough");
    return 0;
}

Test(policy_route, is_asked_of_the_kernel_once_a_millisecond_unless_the_network_has_changed)
{
    namespace_enter_new();
    make_inside();
    struct policy_route *route = policy_route_create();
    cr_assert_eq(ask_twice(route, false), 3);
    cr_assert_eq(ask_twice(route, true), 6);
    policy_route_destroy(route);
}

Test(policy_route, is_asked_again_in_the_next_millisecond)
{
    namespace_enter_new();
    make_inside();
    struct policy_route_answer answer;
    struct gist_address near = gist_address_v4(0xc0000201);
    struct policy_route *route = policy_route_create();
    cr_assert(policy_route_lookup(route, &near, &answer));
    run("ip link set inside down");
    cr_assert(!policy_route_lookup(route, &near, &answer));
    policy_route_destroy(route);
}

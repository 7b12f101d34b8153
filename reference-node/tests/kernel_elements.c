/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the kernel has of a rule's elements, as natfwd finds it when it starts. */
#include "reference-node/netfilter/kernel_elements.h"

#include "reference-node/netfilter/nft_batch.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/nft_socket.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tests/namespaces.h"
#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct nft_socket *nft;

static void start(void)
{
    namespace_enter_new();
    struct config config = path_firewall_config();
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    nft = nft_socket_open(NFT_TRANSACTION_SIZE);
    cr_assert(nft);
}

static void stop(void)
{
    nft_socket_close(nft);
}

TestSuite(kernel_elements, .init = start, .fini = stop);

static void put(const char *set, unsigned port, unsigned timeout_s)
{
    run("nft add element inet natfw %s '{ 192.0.2.2 . 198.51.100.2 . udp . 4000 . %u timeout %us "
        "}'",
        set, port, timeout_s);
}

/* Whether it holds all of the rule, and so for how many seconds. */
static bool holds(uint16_t port, uint8_t sub_ports, enum natfw_action action, uint64_t *left_s)
{
    struct natfw_policy_rule rule = udp_rule(port);
    rule.action = action;
    rule.sub_ports = sub_ports;
    struct kernel_elements *elements = kernel_elements_read(nft, "natfw");
    cr_assert(elements);
    bool is_held = kernel_elements_hold(elements, &rule, left_s);
    kernel_elements_free(elements);
    *left_s /= 1000;
    return is_held;
}

Test(kernel_elements, hold_a_rule_with_two_ports_when_both_are_there)
{
    uint64_t left_s;
    put("pinholes", 5004, 600);
    cr_assert(holds(5004, 0, NATFW_ALLOW, &left_s));
    cr_assert(!holds(5004, 1, NATFW_ALLOW, &left_s), "the second is not there");
    put("pinholes", 5005, 600);
    cr_assert(holds(5004, 1, NATFW_ALLOW, &left_s));
    run("nft delete element inet natfw pinholes '{ 192.0.2.2 . 198.51.100.2 . udp . 4000 . 5004 "
        "}'");
    cr_assert(!holds(5004, 1, NATFW_ALLOW, &left_s), "the first is not there");
}

Test(kernel_elements, hold_it_as_long_as_the_port_that_ends_first)
{
    uint64_t left_s;
    put("pinholes", 5004, 600);
    put("pinholes", 5005, 300);
    put("pinholes", 5006, 900);
    cr_assert(holds(5004, 1, NATFW_ALLOW, &left_s));
    cr_assert(left_s >= 280 && left_s <= 300, "%lu", (unsigned long)left_s);
    cr_assert(holds(5005, 1, NATFW_ALLOW, &left_s));
    cr_assert(left_s >= 280 && left_s <= 300, "%lu", (unsigned long)left_s);
}

Test(kernel_elements, hold_no_pinhole_for_what_is_denied)
{
    uint64_t left_s;
    put("denied", 5004, 600);
    cr_assert(holds(5004, 0, NATFW_DENY, &left_s));
    cr_assert(!holds(5004, 0, NATFW_ALLOW, &left_s));
}

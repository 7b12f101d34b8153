/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What pinholes remember, over a filter that only takes notes: a rule that is refused leaves
 * nothing behind, and takes nothing away. */
#include "reference-node/netfilter/pinholes.h"

#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ELEMENTS_MAX = 100, PORT = 5000, SOON_MS = 60000, NOW_MS = 1 };

static struct {
    size_t puts;
    size_t deletes;
} filter;

static struct pinholes *pinholes;
static struct natfw_middlebox middlebox;

static void note_commit(void *context, struct nft_change *changes, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        filter.puts += changes[i].kind == NFT_CHANGE_PUT;
        filter.deletes += changes[i].kind == NFT_CHANGE_DELETE;
    }
}

static bool forget(void *context, const struct conntrack_flow *flows, size_t count)
{
    (void)context;
    (void)flows;
    (void)count;
    return true;
}

static const struct packet_filter seam = {.commit = note_commit, .forget = forget};

static void on_pending(void *context)
{
    (void)context;
}

static void start(void)
{
    struct pinholes_listener listener = {.pending = on_pending};
    memset(&filter, 0, sizeof(filter));
    pinholes = pinholes_create(&seam, ELEMENTS_MAX, &listener);
    middlebox = pinholes_middlebox(pinholes);
}

static void stop(void)
{
    pinholes_destroy(pinholes);
}

TestSuite(remember, .init = start, .fini = stop);

static struct gist_session_id session(uint8_t number)
{
    return (struct gist_session_id){.octets = {0xa0, [15] = number}};
}

static struct natfw_policy_rule rule_for(uint16_t port, uint8_t sub_ports, enum natfw_action action)
{
    struct natfw_policy_rule rule = udp_rule(port);
    rule.sub_ports = sub_ports;
    rule.action = action;
    return rule;
}

static enum natfw_middlebox_result allow(uint8_t owner, uint16_t port, uint8_t sub_ports)
{
    struct gist_session_id id = session(owner);
    struct natfw_policy_rule rule = rule_for(port, sub_ports, NATFW_ALLOW);
    return middlebox.remember(middlebox.context, &id, &rule);
}

static enum natfw_middlebox_result deny(uint8_t owner, uint16_t port)
{
    struct gist_session_id id = session(owner);
    struct natfw_policy_rule rule = rule_for(port, 0, NATFW_DENY);
    return middlebox.remember(middlebox.context, &id, &rule);
}

Test(remember, a_rule_refused_for_want_of_room_leaves_its_first_port_to_others)
{
    pinholes_limit(pinholes, 1);
    cr_assert_eq(allow(1, PORT, 1), NATFW_MIDDLEBOX_EXHAUSTED);
    cr_assert_eq(pinholes_counters(pinholes).elements, 0);
    cr_assert_eq(allow(2, PORT + 2, 0), NATFW_MIDDLEBOX_OK);
}

Test(remember, a_rule_refused_for_a_denial_leaves_its_first_port_to_others)
{
    cr_assert_eq(deny(2, PORT + 1), NATFW_MIDDLEBOX_OK);
    cr_assert_eq(allow(1, PORT, 1), NATFW_MIDDLEBOX_CONFLICT);
    cr_assert_eq(deny(3, PORT), NATFW_MIDDLEBOX_OK, "nobody has it");
}

Test(remember, a_rule_refused_closes_nothing_that_its_session_has_open)
{
    struct gist_session_id id = session(1);
    struct natfw_policy_rule rule = rule_for(PORT, 0, NATFW_ALLOW);
    cr_assert_eq(allow(1, PORT, 0), NATFW_MIDDLEBOX_OK);
    middlebox.install(middlebox.context, &id, &rule, SOON_MS, NATFW_NO_HANDLE);
    pinholes_commit_all(pinholes, NOW_MS);
    cr_assert_eq(deny(2, PORT + 1), NATFW_MIDDLEBOX_OK);
    cr_assert_eq(allow(1, PORT, 1), NATFW_MIDDLEBOX_CONFLICT);
    pinholes_commit_all(pinholes, NOW_MS);
    cr_assert(filter.puts == 1 && filter.deletes == 0);
    cr_assert_eq(deny(3, PORT), NATFW_MIDDLEBOX_CONFLICT);
}

Test(remember, a_rule_refused_leaves_its_session_what_is_set_aside_for_it)
{
    cr_assert_eq(allow(1, PORT, 0), NATFW_MIDDLEBOX_OK);
    cr_assert_eq(deny(2, PORT + 1), NATFW_MIDDLEBOX_OK);
    cr_assert_eq(allow(1, PORT, 1), NATFW_MIDDLEBOX_CONFLICT);
    cr_assert_eq(deny(3, PORT), NATFW_MIDDLEBOX_CONFLICT);
}

Test(remember, a_rule_without_a_class_is_refused)
{
    struct gist_session_id id = session(1);
    struct natfw_policy_rule rule = rule_for(PORT, 0, NATFW_ALLOW);
    rule.flow.source_prefix = 24;
    cr_assert_eq(middlebox.remember(middlebox.context, &id, &rule), NATFW_MIDDLEBOX_CONFLICT);
    cr_assert_eq(pinholes_counters(pinholes).elements, 0);
}

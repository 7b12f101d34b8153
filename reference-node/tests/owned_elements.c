/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owners of elements, over a filter that only takes notes: who may be one, how long an element
 * lasts, and what is left of it after its commit. */
#include "reference-node/netfilter/group_commit.h"

#include "reference-node/tests/udp_rule.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { ELEMENTS_MAX = 100, PORT = 5000, SOON_MS = 60000, NOW_MS = 1, OWNERS_MAX = 64 };

static struct {
    bool refuses;
    size_t puts;
    size_t deletes;
    uint64_t timeout_ms; /* of the latest that was put in */
    struct conntrack_flow gone[ELEMENTS_MAX];
    size_t gone_count;
} filter;

static struct owned_elements elements;
static struct group_commit commit;

static void note_commit(void *context, struct nft_change *changes, size_t count)
{
    (void)context;
    for (size_t i = 0; i < count; i++) {
        bool is_put = changes[i].kind == NFT_CHANGE_PUT;
        changes[i].error = filter.refuses ? EBUSY : 0;
        filter.puts += is_put;
        filter.deletes += !is_put;
        if (is_put)
            filter.timeout_ms = changes[i].timeout_ms;
    }
}

static bool note_gone(void *context, const struct conntrack_flow *flows, size_t count)
{
    (void)context;
    cr_assert(filter.gone_count + count <= ELEMENTS_MAX);
    memcpy(filter.gone + filter.gone_count, flows, count * sizeof(*flows));
    filter.gone_count += count;
    return true;
}

static const struct packet_filter seam = {.commit = note_commit, .forget = note_gone};

static void start(void)
{
    memset(&filter, 0, sizeof(filter));
    elements = (struct owned_elements){.count_max = ELEMENTS_MAX};
}

static void stop(void)
{
    owned_elements_release(&elements);
}

TestSuite(owned_elements, .init = start, .fini = stop);

static struct gist_session_id session(unsigned number)
{
    return (struct gist_session_id){.octets = {0xa0, [15] = (uint8_t)number}};
}

static struct natfw_policy_rule rule_for(uint16_t port, enum natfw_action action)
{
    struct natfw_policy_rule rule = udp_rule(port);
    rule.action = action;
    return rule;
}

/* Sets the rule's element for one of its ports aside for the session of this number. */
static enum natfw_middlebox_result set_aside(unsigned owner, const struct natfw_policy_rule *rule,
    uint8_t port, struct owned_element **element)
{
    struct gist_session_id id = session(owner);
    return owned_elements_own(&elements, &id, rule, pinhole_class_of(rule), port, element);
}

/* The session wants the port open for so long. */
static struct owned_element *own(unsigned owner, uint16_t port, uint64_t expires_ms)
{
    struct owned_element *element = NULL;
    struct gist_session_id id = session(owner);
    struct natfw_policy_rule rule = rule_for(port, NATFW_ALLOW);
    cr_assert(set_aside(owner, &rule, 0, &element) == NATFW_MIDDLEBOX_OK);
    owned_element_owner(element, &id)->expires_ms = expires_ms;
    owned_elements_make_due(&elements, element);
    return element;
}

static void disown(unsigned owner, struct owned_element *element)
{
    struct gist_session_id id = session(owner);
    owned_elements_disown(&elements, element, &id);
}

static void run_commit(void)
{
    group_commit_run(&commit, &elements, &seam, NOW_MS);
    group_commit_release(&commit, &elements);
}

Test(owned_elements, one_taken_and_left_in_one_turn_stays_in_line_until_the_commit)
{
    own(1, PORT, SOON_MS);
    struct owned_element *left = own(1, PORT + 1, SOON_MS);
    own(1, PORT + 2, SOON_MS);
    disown(1, left);
    cr_assert(owned_elements_count(&elements) == 3, "freed while it stood in line");
    run_commit();
    cr_assert(filter.puts == 2 && filter.deletes == 0);
    cr_assert(owned_elements_count(&elements) == 2 && !elements.due);
}

Test(owned_elements, each_is_settled_once_where_the_kernel_need_not_change_for_one_of_them)
{
    struct owned_element *first = own(1, PORT, SOON_MS), *last = own(1, PORT + 3, SOON_MS);
    run_commit();
    disown(1, first);
    struct owned_element *unchanged = own(1, PORT + 1, SOON_MS);
    disown(1, unchanged);
    disown(1, last);
    own(1, PORT + 2, SOON_MS);
    run_commit();
    cr_assert(filter.puts == 3 && filter.deletes == 2);
    cr_assert(owned_elements_count(&elements) == 1, "only the one that has an owner is left");
}

Test(owned_elements, last_as_long_as_the_longest_of_the_owners_whoever_came_first)
{
    own(1, PORT, SOON_MS);
    struct owned_element *element = own(2, PORT, 3 * SOON_MS);
    own(3, PORT, 2 * SOON_MS);
    cr_assert(owned_element_expires_ms(element) == 3 * SOON_MS);
    run_commit();
    cr_assert(filter.puts == 1 && filter.timeout_ms == 3 * SOON_MS - NOW_MS);
    disown(1, element);
    cr_assert(owned_element_expires_ms(element) == 3 * SOON_MS);
    disown(2, element);
    cr_assert(owned_element_expires_ms(element) == 2 * SOON_MS);
    run_commit();
    cr_assert(filter.puts == 2 && filter.timeout_ms == 2 * SOON_MS - NOW_MS);
}

Test(owned_elements, have_no_more_owners_than_there_is_room_for)
{
    struct owned_element *element = NULL;
    struct natfw_policy_rule rule = rule_for(PORT, NATFW_ALLOW);
    for (unsigned owner = 1; owner <= OWNERS_MAX; owner++)
        cr_assert(set_aside(owner, &rule, 0, &element) == NATFW_MIDDLEBOX_OK, "owner %u", owner);
    struct owned_element *full = element;
    cr_assert(set_aside(OWNERS_MAX + 1, &rule, 0, &element) == NATFW_MIDDLEBOX_EXHAUSTED);
    cr_assert(set_aside(OWNERS_MAX, &rule, 0, &element) == NATFW_MIDDLEBOX_OK, "is one already");
    disown(1, full);
    cr_assert(set_aside(OWNERS_MAX + 1, &rule, 0, &element) == NATFW_MIDDLEBOX_OK);
    cr_assert(element == full && owned_elements_count(&elements) == 1);
}

Test(owned_elements, have_room_again_for_each_owner_who_leaves)
{
    struct owned_element *element = NULL;
    struct natfw_policy_rule rule = rule_for(PORT, NATFW_ALLOW);
    own(1, PORT, SOON_MS);
    for (unsigned times = 1; times <= OWNERS_MAX + 1; times++) {
        cr_assert(set_aside(2, &rule, 0, &element) == NATFW_MIDDLEBOX_OK, "time %u", times);
        disown(2, element);
    }
    cr_assert(owned_elements_count(&elements) == 1);
}

static void expect_no_conflict_with_what_goes(enum natfw_action old, enum natfw_action new)
{
    struct owned_element *going = NULL, *element = NULL;
    struct gist_session_id id = session(1);
    struct natfw_policy_rule gone = rule_for(PORT, old), wanted = rule_for(PORT, new);
    cr_assert(set_aside(1, &gone, 0, &going) == NATFW_MIDDLEBOX_OK);
    owned_element_owner(going, &id)->expires_ms = SOON_MS;
    owned_elements_make_due(&elements, going);
    run_commit();
    cr_assert(set_aside(2, &wanted, 0, &element) == NATFW_MIDDLEBOX_CONFLICT);
    disown(1, going);
    cr_assert(owned_elements_count(&elements) == 1, "the kernel has it still");
    cr_assert(set_aside(2, &wanted, 0, &element) == NATFW_MIDDLEBOX_OK, "nobody wants the other");
    run_commit();
    cr_assert(filter.deletes == 1 && owned_elements_count(&elements) == 1);
}

Test(owned_elements, one_allowed_is_not_refused_for_a_denial_that_goes_in_the_same_turn)
{
    expect_no_conflict_with_what_goes(NATFW_DENY, NATFW_ALLOW);
}

Test(owned_elements, one_denied_is_not_refused_for_a_pinhole_that_goes_in_the_same_turn)
{
    expect_no_conflict_with_what_goes(NATFW_ALLOW, NATFW_DENY);
}

Test(owned_elements, without_owners_are_let_go_of_even_if_the_filter_does_not_delete_them)
{
    struct owned_element *element = own(1, PORT, SOON_MS);
    run_commit();
    disown(1, element);
    filter.refuses = true;
    run_commit();
    cr_assert(filter.deletes == 1 && filter.gone_count == 0);
    cr_assert(owned_elements_count(&elements) == 0, "its timeout ends it in the kernel");
}

Test(owned_elements, with_an_owner_stay_when_the_filter_refuses_a_change)
{
    struct owned_element *element = own(1, PORT, SOON_MS);
    run_commit();
    own(1, PORT, 2 * SOON_MS);
    filter.refuses = true;
    run_commit();
    cr_assert(element->error == EBUSY && element->installed_ms == SOON_MS);
    cr_assert(owned_elements_count(&elements) == 1);
}

Test(owned_elements, each_port_of_a_rule_ends_the_flow_to_itself_only)
{
    struct gist_session_id id = session(1);
    struct natfw_policy_rule rule = rule_for(PORT, NATFW_ALLOW);
    struct owned_element *ports[2];
    for (uint8_t port = 0; port < 2; port++) {
        cr_assert(set_aside(1, &rule, port, &ports[port]) == NATFW_MIDDLEBOX_OK);
        owned_element_owner(ports[port], &id)->expires_ms = SOON_MS;
        owned_elements_make_due(&elements, ports[port]);
    }
    run_commit();
    for (size_t port = 0; port < 2; port++)
        disown(1, ports[port]);
    run_commit();
    cr_assert(filter.gone_count == 2);
    for (size_t port = 0; port < 2; port++)
        cr_assert(
            filter.gone[port].flow.destination_port == PORT + port && filter.gone[port].ports == 1);
}

/* The states of a session's rules, each with each input. RFC 5973 3.7.1, 3.10. */
#include "core/natfw/session/rules.h"

#include <criterion/criterion.h>

static struct natfw_policy_rule rule_to_port(uint16_t port)
{
    return (struct natfw_policy_rule){.action = NATFW_ALLOW,
        .flow = {.source = gist_address_v4(0xc0000201),
            .destination = gist_address_v4(0xcb007101),
            .has_destination_port = true,
            .destination_port = port}};
}

static bool is_to(const struct natfw_policy_rule *rule, uint16_t port)
{
    return rule->flow.destination_port == port;
}

static struct natfw_rules in_state(enum natfw_rules_state state)
{
    return (struct natfw_rules){
        .state = state, .current = rule_to_port(1000), .next = rule_to_port(2000)};
}

Test(rules, each_input_leads_to_its_state)
{
    static const struct {
        enum natfw_rules_state from, asked, granted, refused;
    } rows[] = {
        {NATFW_NO_RULE, NATFW_RULE_REMEMBERED, NATFW_NO_RULE, NATFW_NO_RULE},
        {NATFW_RULE_REMEMBERED, NATFW_RULE_REMEMBERED, NATFW_RULE_INSTALLED, NATFW_NO_RULE},
        {NATFW_RULE_INSTALLED, NATFW_RULE_BEING_CHANGED, NATFW_RULE_INSTALLED,
            NATFW_RULE_INSTALLED},
        {NATFW_RULE_BEING_CHANGED, NATFW_RULE_BEING_CHANGED, NATFW_RULE_INSTALLED,
            NATFW_RULE_INSTALLED},
    };
    struct natfw_policy_rule third = rule_to_port(3000);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct natfw_rules rules = in_state(rows[i].from);
        natfw_rules_ask(&rules, &third);
        cr_assert_eq(rules.state, rows[i].asked, "row %zu, asked: %d", i, rules.state);
        cr_assert(is_to(&rules.next, 3000), "row %zu, asked", i);
        rules = in_state(rows[i].from);
        natfw_rules_grant(&rules);
        cr_assert_eq(rules.state, rows[i].granted, "row %zu, granted: %d", i, rules.state);
        rules = in_state(rows[i].from);
        natfw_rules_refuse(&rules);
        cr_assert_eq(rules.state, rows[i].refused, "row %zu, refused: %d", i, rules.state);
    }
}

Test(rules, what_is_granted_takes_the_place_of_the_current_rule)
{
    struct natfw_rules rules = in_state(NATFW_RULE_BEING_CHANGED);
    natfw_rules_grant(&rules);
    cr_assert(is_to(&rules.current, 2000));
    rules = in_state(NATFW_RULE_REMEMBERED);
    natfw_rules_grant(&rules);
    cr_assert(is_to(&rules.current, 2000));
}

Test(rules, what_is_refused_leaves_the_current_rule)
{
    struct natfw_rules rules = in_state(NATFW_RULE_BEING_CHANGED);
    natfw_rules_refuse(&rules);
    cr_assert(is_to(natfw_rules_newest(&rules), 1000));
    cr_assert(is_to(natfw_rules_in_force(&rules), 1000));
}

Test(rules, a_grant_with_nothing_asked_changes_no_rule)
{
    struct natfw_rules rules = in_state(NATFW_RULE_INSTALLED);
    natfw_rules_grant(&rules);
    cr_assert(is_to(&rules.current, 1000));
}

Test(rules, newest_and_in_force_differ_only_during_a_change)
{
    struct natfw_rules rules = in_state(NATFW_RULE_BEING_CHANGED);
    cr_assert(is_to(natfw_rules_newest(&rules), 2000));
    cr_assert(is_to(natfw_rules_in_force(&rules), 1000));
    rules.state = NATFW_RULE_REMEMBERED;
    cr_assert(is_to(natfw_rules_newest(&rules), 2000));
    cr_assert(is_to(natfw_rules_in_force(&rules), 2000));
    rules.state = NATFW_RULE_INSTALLED;
    cr_assert(is_to(natfw_rules_newest(&rules), 1000));
    cr_assert(is_to(natfw_rules_in_force(&rules), 1000));
}

Test(rules, a_session_holds_the_rules_that_its_state_has)
{
    struct natfw_policy_rule current = rule_to_port(1000), next = rule_to_port(2000);
    static const struct {
        enum natfw_rules_state state;
        bool current, next;
    } rows[] = {
        {NATFW_NO_RULE, false, false},
        {NATFW_RULE_REMEMBERED, false, true},
        {NATFW_RULE_INSTALLED, true, false},
        {NATFW_RULE_BEING_CHANGED, true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct natfw_rules rules = in_state(rows[i].state);
        cr_assert_eq(natfw_rules_hold(&rules, &current), rows[i].current, "row %zu", i);
        cr_assert_eq(natfw_rules_hold(&rules, &next), rows[i].next, "row %zu", i);
        cr_assert_eq(natfw_rules_is_current(&rules, &current), rows[i].current, "row %zu", i);
        cr_assert_eq(natfw_rules_is_next(&rules, &next), rows[i].next, "row %zu", i);
        cr_assert_not(natfw_rules_is_current(&rules, &next), "row %zu", i);
        cr_assert_not(natfw_rules_is_next(&rules, &current), "row %zu", i);
    }
}

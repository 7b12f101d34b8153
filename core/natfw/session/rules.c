/* The states of a session's rules as a table; see rules.h. RFC 5973 3.7.1, 3.10. */
#include "core/natfw/session/rules.h"

static const enum natfw_rules_state next_state[][NATFW_RULES_INPUTS] = {
    [NATFW_NO_RULE] =
        {
            [NATFW_RULES_ASKED] = NATFW_RULE_REMEMBERED,
            [NATFW_RULES_GRANTED] = NATFW_NO_RULE,
            [NATFW_RULES_REFUSED] = NATFW_NO_RULE,
        },
    [NATFW_RULE_REMEMBERED] =
        {
            [NATFW_RULES_ASKED] = NATFW_RULE_REMEMBERED,
            [NATFW_RULES_GRANTED] = NATFW_RULE_INSTALLED,
            [NATFW_RULES_REFUSED] = NATFW_NO_RULE,
        },
    [NATFW_RULE_INSTALLED] =
        {
            [NATFW_RULES_ASKED] = NATFW_RULE_BEING_CHANGED,
            [NATFW_RULES_GRANTED] = NATFW_RULE_INSTALLED,
            [NATFW_RULES_REFUSED] = NATFW_RULE_INSTALLED,
        },
    [NATFW_RULE_BEING_CHANGED] =
        {
            [NATFW_RULES_ASKED] = NATFW_RULE_BEING_CHANGED,
            [NATFW_RULES_GRANTED] = NATFW_RULE_INSTALLED,
            [NATFW_RULES_REFUSED] = NATFW_RULE_INSTALLED,
        },
};

bool natfw_rules_have_current(const struct natfw_rules *rules)
{
    return rules->state == NATFW_RULE_INSTALLED || rules->state == NATFW_RULE_BEING_CHANGED;
}

bool natfw_rules_have_next(const struct natfw_rules *rules)
{
    return rules->state == NATFW_RULE_REMEMBERED || rules->state == NATFW_RULE_BEING_CHANGED;
}

bool natfw_rules_is_current(const struct natfw_rules *rules, const struct natfw_policy_rule *rule)
{
    return natfw_rules_have_current(rules) && natfw_policy_rule_equal(rule, &rules->current);
}

bool natfw_rules_is_next(const struct natfw_rules *rules, const struct natfw_policy_rule *rule)
{
    return natfw_rules_have_next(rules) && natfw_policy_rule_equal(rule, &rules->next);
}

bool natfw_rules_hold(const struct natfw_rules *rules, const struct natfw_policy_rule *rule)
{
    return natfw_rules_is_current(rules, rule) || natfw_rules_is_next(rules, rule);
}

const struct natfw_policy_rule *natfw_rules_newest(const struct natfw_rules *rules)
{
    return natfw_rules_have_next(rules) ? &rules->next : &rules->current;
}

const struct natfw_policy_rule *natfw_rules_in_force(const struct natfw_rules *rules)
{
    return natfw_rules_have_current(rules) ? &rules->current : &rules->next;
}

void natfw_rules_ask(struct natfw_rules *rules, const struct natfw_policy_rule *rule)
{
    rules->next = *rule;
    rules->state = next_state[rules->state][NATFW_RULES_ASKED];
}

void natfw_rules_grant(struct natfw_rules *rules)
{
    if (natfw_rules_have_next(rules))
        rules->current = rules->next;
    rules->state = next_state[rules->state][NATFW_RULES_GRANTED];
}

void natfw_rules_refuse(struct natfw_rules *rules)
{
    rules->state = next_state[rules->state][NATFW_RULES_REFUSED];
}

/*
 * The policy rule of a session, and the one that is to take its place. RFC 5973 3.7.1, 3.10.
 *
 * A request makes its rule the next one, a success RESPONSE the current one. At a forwarder the
 * next one is remembered by the middlebox, and the current one installed; initiator and responder
 * only know what they asked for and what was granted.
 */
#ifndef NATFW_NATFW_RULES_H
#define NATFW_NATFW_RULES_H

#include "core/natfw/policy_rule.h"

enum natfw_rules_state {
    NATFW_NO_RULE,
    NATFW_RULE_REMEMBERED,   /* next waits for its success RESPONSE */
    NATFW_RULE_INSTALLED,    /* current is in force */
    NATFW_RULE_BEING_CHANGED /* current is in force, next waits */
};

enum natfw_rules_input {
    NATFW_RULES_ASKED,   /* a request with another rule than the current one */
    NATFW_RULES_GRANTED, /* its success RESPONSE */
    NATFW_RULES_REFUSED, /* its error RESPONSE, or a request that goes back to the current rule */
    NATFW_RULES_INPUTS
};

struct natfw_rules {
    enum natfw_rules_state state;
    struct natfw_policy_rule current;
    struct natfw_policy_rule next;
};

bool natfw_rules_have_current(const struct natfw_rules *rules);
bool natfw_rules_have_next(const struct natfw_rules *rules);

/* Whether the rule is the current one or the next. */
bool natfw_rules_hold(const struct natfw_rules *rules, const struct natfw_policy_rule *rule);
bool natfw_rules_is_current(const struct natfw_rules *rules, const struct natfw_policy_rule *rule);
bool natfw_rules_is_next(const struct natfw_rules *rules, const struct natfw_policy_rule *rule);

/* The rule that was asked for last, and the one in force; each is the other where it is missing. */
const struct natfw_policy_rule *natfw_rules_newest(const struct natfw_rules *rules);
const struct natfw_policy_rule *natfw_rules_in_force(const struct natfw_rules *rules);

void natfw_rules_ask(struct natfw_rules *rules, const struct natfw_policy_rule *rule);
void natfw_rules_grant(struct natfw_rules *rules);
void natfw_rules_refuse(struct natfw_rules *rules);

#endif

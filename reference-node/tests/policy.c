/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the policy section answers. */
#include "reference-node/config/policy_config.h"

#include <criterion/criterion.h>
#include <string.h>

static struct gist_received message = {.peer = {.version = 4, .octets = {192, 0, 2, 7}}};

static struct natfw_policy_rule rule_to(uint16_t port)
{
    return (struct natfw_policy_rule){.action = NATFW_ALLOW,
        .flow = {.source = gist_address_v4(0xc0000207),
            .destination = gist_address_v4(0xc6336402),
            .source_prefix = 32,
            .destination_prefix = 32,
            .has_protocol = true,
            .protocol = 17,
            .has_destination_port = true,
            .destination_port = port}};
}

static const enum natfw_code conflict = NATFW_POLICY_CONFLICT,
                             unauthorised = NATFW_AUTHORIZATION_FAILED;

/* A host, for which the side of an interface that is not listed is internal. */
static enum natfw_code ask(
    struct config_rule *rules, size_t count, struct natfw_policy_rule asked, uint32_t lifetime_s)
{
    struct config config = {
        .policy = {.rules = rules, .rule_count = count, .default_internal = unauthorised}};
    struct natfw_policy policy = policy_config(&config);
    struct natfw_policy_question question = {
        .message = &message, .rule = &asked, .lifetime_s = lifetime_s};
    return policy.permit(policy.context, &question);
}

Test(policy, the_first_rule_that_matches_decides_and_else_the_default)
{
    struct config_rule rules[] = {
        {.protocol = 17, .port_low = 5000, .port_high = 5000, .refusal = conflict},
        {.protocol = 17, .port_low = 4000, .port_high = 6000}};
    cr_assert(ask(rules, 2, rule_to(5000), 60) == conflict);
    cr_assert(ask(rules, 2, rule_to(5001), 60) == NATFW_NO_CODE);
    cr_assert(ask(rules, 2, rule_to(7000), 60) == unauthorised);
}

Test(policy, allows_a_range_only_as_a_whole_and_refuses_any_part_of_one)
{
    struct config_rule allow = {.protocol = -1, .port_low = 5000, .port_high = 5001};
    struct config_rule refuse = allow;
    refuse.refusal = conflict;
    struct natfw_policy_rule all_ports = rule_to(0), two_ports = rule_to(5001);
    all_ports.flow.has_destination_port = false;
    two_ports.sub_ports = 1;
    cr_assert(ask(&allow, 1, all_ports, 60) == unauthorised);
    cr_assert(ask(&allow, 1, two_ports, 60) == unauthorised);
    cr_assert(ask(&refuse, 1, all_ports, 60) == conflict);
    cr_assert(ask(&refuse, 1, two_ports, 60) == conflict);
    struct config_rule from = {.protocol = -1,
        .port_high = 65535,
        .source = {.address = gist_address_v4(0xc0000200), .bits = 24}};
    struct natfw_policy_rule any_source = rule_to(5000);
    any_source.flow.source_prefix = 0;
    cr_assert(ask(&from, 1, rule_to(5000), 60) == NATFW_NO_CODE);
    cr_assert(ask(&from, 1, any_source, 60) == unauthorised);
    from.refusal = conflict;
    cr_assert(ask(&from, 1, any_source, 60) == conflict);
}

Test(policy, limits_the_lifetime_of_what_it_allows)
{
    struct config_rule rule = {.protocol = -1, .port_high = 65535, .lifetime_max_s = 100};
    cr_assert(ask(&rule, 1, rule_to(5000), 100) == NATFW_NO_CODE);
    cr_assert(ask(&rule, 1, rule_to(5000), 101) == unauthorised);
}

Test(policy, knows_who_may_signal_by_prefix)
{
    struct config_peer peers[] = {{.prefix = {.address = gist_address_v4(0xc0000207), .bits = 32},
                                      .refusal = NATFW_AUTHENTICATION_FAILED},
        {.prefix = {.address = gist_address_v4(0xc0000200), .bits = 24},
            .refusal = NATFW_AUTHORIZATION_FAILED}};
    struct config config = {.policy = {.peers = peers, .peer_count = 2}};
    struct natfw_policy policy = policy_config(&config);
    struct gist_received other = message, stranger = message;
    other.peer.octets[3] = 8;
    stranger.peer.octets[2] = 3;
    struct natfw_policy_question question = {.message = &message};
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_AUTHENTICATION_FAILED);
    question.message = &other;
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_AUTHORIZATION_FAILED);
    question.message = &stranger;
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_NO_CODE);
}

Test(policy, a_forwarder_takes_an_unknown_interface_as_external)
{
    struct config config = {.policy = {.default_external = unauthorised}};
    struct natfw_policy policy = policy_config(&config);
    struct natfw_policy_rule rule = rule_to(5000);
    struct natfw_policy_question question = {.message = &message, .rule = &rule};
    cr_assert(policy.permit(policy.context, &question) == NATFW_NO_CODE);
    config.natfw.forwarder = true;
    cr_assert(policy.permit(policy.context, &question) == unauthorised);
}

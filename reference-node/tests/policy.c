/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the policy section answers. */
#include "reference-node/config/policy_config.h"
#include "reference-node/config/wildcards.h"

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

Test(policy, has_a_rule_for_what_came_over_tls_only)
{
    struct config_rule secure = {
        .protocol = 17, .port_low = 5000, .port_high = 5000, .secure = true};
    cr_assert(ask(&secure, 1, rule_to(5000), 60) == unauthorised);
    message.attributes.secure = true;
    cr_assert(ask(&secure, 1, rule_to(5000), 60) == NATFW_NO_CODE);
    message.attributes.secure = false;
}

static const char *shown; /* by the sender of what came over association 7 */

static bool has_shown(void *context, gist_association_id association, const char *identity)
{
    (void)context;
    return association == 7 && strcmp(shown, identity) == 0;
}

Test(policy, has_a_rule_for_whom_tls_has_authenticated_as_a_name)
{
    static const struct config_identities identities = {.is = has_shown};
    struct config_rule rule = {.protocol = 17, .port_low = 5000, .port_high = 5000};
    struct config config = {.policy = {.rules = &rule, .rule_count = 1}, .identities = &identities};
    struct natfw_policy policy = policy_config(&config);
    struct natfw_policy_rule asked = rule_to(5000);
    struct natfw_policy_question question = {.message = &message, .rule = &asked};
    config.policy.default_internal = unauthorised;
    strcpy(rule.identity, "host.example.com");
    shown = "host.example.com";
    cr_assert(policy.permit(policy.context, &question) == unauthorised, "it came over plain TCP");
    message.attributes.secure = true;
    cr_assert(policy.permit(policy.context, &question) == unauthorised, "over another one");
    message.association = 7;
    cr_assert(policy.permit(policy.context, &question) == NATFW_NO_CODE);
    shown = "other.example.com";
    cr_assert(policy.permit(policy.context, &question) == unauthorised);
    shown = "host.example.com";
    config.identities = NULL;
    cr_assert(policy.permit(policy.context, &question) == unauthorised);
    message.attributes.secure = false;
    message.association = 0;
}

Test(policy, does_not_hear_what_is_not_secure_where_tls_is_required)
{
    struct config config = {.tls = {.is_required = true}};
    struct natfw_policy policy = policy_config(&config);
    struct natfw_policy_question question = {.message = &message};
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_AUTHENTICATION_FAILED);
    message.attributes.secure = true;
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_NO_CODE);
    message.attributes.secure = false;
    config.tls.is_required = false;
    cr_assert(policy.authenticate(policy.context, &question) == NATFW_NO_CODE);
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

static struct gist_address v6_of(uint8_t seventh, uint8_t eighth, uint8_t last)
{
    struct gist_address address = {.version = 6, .octets = {0x20, 0x01, 0x0d, 0xb8}};
    address.octets[6] = seventh;
    address.octets[7] = eighth;
    address.octets[15] = last;
    return address;
}

/* The first and the last address of a prefix are of it, those beside them are not. */
Test(policy, a_prefix_of_ipv6_reaches_from_its_first_address_to_its_last)
{
    static const struct {
        uint8_t rule_bits;
        uint8_t seventh, eighth, last; /* of the address that is asked for */
        uint8_t bits;
        bool held, shared;
    } rows[] = {
        {64, 0, 2, 0x00, 128, true, true},
        {64, 0, 2, 0xff, 128, true, true},
        {64, 0, 2, 0x00, 64, true, true},
        {64, 0, 2, 0x00, 63, false, true},
        {64, 0, 1, 0xff, 128, false, false},
        {64, 0, 3, 0x00, 128, false, false},
        {64, 0, 3, 0x00, 63, false, true},
        {63, 0, 3, 0xff, 128, true, true},
        {63, 0, 1, 0xff, 128, false, false},
        {128, 0, 2, 0x00, 128, true, true},
        {128, 0, 2, 0x01, 128, false, false},
        {127, 0, 2, 0x01, 128, true, true},
        {127, 0, 2, 0x02, 128, false, false},
        {0, 9, 9, 0x02, 128, true, true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_rule allow = {.protocol = -1, .port_high = 65535};
        allow.destination = (struct config_prefix){v6_of(0, 2, 0), rows[i].rule_bits};
        struct config_rule refuse = allow;
        refuse.refusal = conflict;
        struct natfw_policy_rule asked = rule_to(5000);
        asked.flow.source = v6_of(0, 9, 9);
        asked.flow.source_prefix = 128;
        asked.flow.destination = v6_of(rows[i].seventh, rows[i].eighth, rows[i].last);
        asked.flow.destination_prefix = rows[i].bits;
        cr_assert_eq(ask(&allow, 1, asked, 60) == NATFW_NO_CODE, rows[i].held, "row %zu", i);
        cr_assert_eq(ask(&refuse, 1, asked, 60) == conflict, rows[i].shared, "row %zu", i);
    }
}

/* The message is from 192.0.2.7, inside. */
Test(policy, a_rule_is_for_its_side_and_its_peers)
{
    const struct config_prefix own = {gist_address_v4(0xc0000200), 24},
                               others = {gist_address_v4(0xc0000300), 24};
    const struct {
        enum config_side side;
        struct config_prefix peer;
        bool matches;
    } rows[] = {
        {CONFIG_SIDE_ANY, own, true},
        {CONFIG_SIDE_INTERNAL, own, true},
        {CONFIG_SIDE_EXTERNAL, own, false},
        {CONFIG_SIDE_ANY, others, false},
        {CONFIG_SIDE_INTERNAL, others, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config_rule allow = {
            .side = rows[i].side, .peer = rows[i].peer, .protocol = -1, .port_high = 65535};
        struct config_rule refuse = allow;
        refuse.refusal = conflict;
        cr_assert_eq(ask(&allow, 1, rule_to(5000), 60),
            rows[i].matches ? NATFW_NO_CODE : unauthorised, "row %zu", i);
        cr_assert_eq(ask(&refuse, 1, rule_to(5000), 60), rows[i].matches ? conflict : unauthorised,
            "row %zu", i);
    }
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

/* At a forwarder that allows its inside all that leaves nothing open. */
static enum natfw_code ask_forwarder(
    struct config_rule *rules, size_t count, const struct natfw_policy_rule *asked)
{
    struct config_interface inside = {.index = 5, .side = CONFIG_SIDE_INTERNAL};
    struct config config = {.natfw.forwarder = true,
        .interfaces = &inside,
        .interface_count = 1,
        .policy = {.rules = rules, .rule_count = count, .default_external = unauthorised}};
    struct natfw_policy policy = policy_config(&config);
    struct gist_received from_inside = message;
    from_inside.interface = 5;
    struct natfw_policy_question question = {
        .message = &from_inside, .rule = asked, .lifetime_s = 60};
    return policy.permit(policy.context, &question);
}

static struct natfw_policy_rule closed_rule(void)
{
    struct natfw_policy_rule rule = rule_to(5000);
    rule.flow.has_source_port = true;
    rule.flow.source_port = 4000;
    return rule;
}

static struct natfw_policy_rule closed_rule_v6(void)
{
    struct natfw_policy_rule rule = closed_rule();
    rule.flow.source = (struct gist_address){.version = 6, .octets = {0x20, 0x01, 0x0d, 0xb8}};
    rule.flow.destination = rule.flow.source;
    rule.flow.source_prefix = rule.flow.destination_prefix = 128;
    return rule;
}

static void open_source(struct gist_mri *flow)
{
    flow->source_prefix--;
}

static void open_source_wide(struct gist_mri *flow)
{
    flow->source_prefix = 0;
}

static void open_destination(struct gist_mri *flow)
{
    flow->destination_prefix--;
}

static void open_source_ports(struct gist_mri *flow)
{
    flow->has_source_port = false;
}

static void open_destination_ports(struct gist_mri *flow)
{
    flow->has_destination_port = false;
}

static void open_protocol(struct gist_mri *flow)
{
    flow->has_protocol = flow->has_source_port = flow->has_destination_port = false;
}

static void name_protocol_0(struct gist_mri *flow)
{
    flow->protocol = 0;
}

static void name_protocol_255(struct gist_mri *flow)
{
    flow->protocol = 255;
}

static const struct {
    void (*open)(struct gist_mri *flow);
    enum natfw_code code;
    enum wildcard wildcard;
} wild[] = {
    {open_source, NATFW_SOURCE_RANGE_TOO_LARGE, WILDCARD_SOURCE},
    {open_source_wide, NATFW_SOURCE_RANGE_TOO_LARGE, WILDCARD_SOURCE},
    {open_destination, NATFW_DESTINATION_RANGE_TOO_LARGE, WILDCARD_DESTINATION},
    {open_source_ports, NATFW_SOURCE_PORTS_TOO_LARGE, WILDCARD_SOURCE_PORTS},
    {open_destination_ports, NATFW_DESTINATION_PORTS_TOO_LARGE, WILDCARD_DESTINATION_PORTS},
    {open_protocol, NATFW_PROTOCOL_NOT_SUPPORTED, WILDCARD_PROTOCOL},
    {name_protocol_0, NATFW_PROTOCOL_NOT_SUPPORTED, WILDCARD_PROTOCOL},
    {name_protocol_255, NATFW_PROTOCOL_NOT_SUPPORTED, WILDCARD_PROTOCOL},
};

enum { WILD_COUNT = sizeof(wild) / sizeof(wild[0]) };

Test(policy, a_forwarder_opens_nothing_that_is_left_open_unless_a_rule_says_so)
{
    struct config_rule allow = {.protocol = -1, .port_high = 65535};
    for (size_t i = 0; i < 2 * WILD_COUNT; i++) {
        struct natfw_policy_rule rule = i % 2 ? closed_rule() : closed_rule_v6();
        cr_assert(ask_forwarder(NULL, 0, &rule) == NATFW_NO_CODE);
        wild[i / 2].open(&rule.flow);
        cr_assert(ask_forwarder(NULL, 0, &rule) == wild[i / 2].code, "row %zu", i);
        allow.wildcards = ~(unsigned)wild[i / 2].wildcard;
        cr_assert(ask_forwarder(&allow, 1, &rule) == wild[i / 2].code, "row %zu", i);
        allow.wildcards = wild[i / 2].wildcard;
        cr_assert(ask_forwarder(&allow, 1, &rule) == NATFW_NO_CODE, "row %zu", i);
    }
}

Test(policy, what_has_no_ports_leaves_none_open)
{
    struct natfw_policy_rule rule = closed_rule();
    rule.flow.has_source_port = rule.flow.has_destination_port = false;
    rule.flow.protocol = 50;
    cr_assert(ask_forwarder(NULL, 0, &rule) == NATFW_NO_CODE);
    rule.flow.protocol = 6;
    cr_assert(ask_forwarder(NULL, 0, &rule) == NATFW_SOURCE_PORTS_TOO_LARGE);
}

Test(policy, a_rule_of_protocol_255_names_it)
{
    struct config_rule allow = {.protocol = 255, .port_high = 65535};
    struct natfw_policy_rule rule = closed_rule();
    rule.flow.protocol = 255;
    cr_assert(ask_forwarder(&allow, 1, &rule) == NATFW_NO_CODE);
    rule.flow.protocol = 0;
    cr_assert(ask_forwarder(&allow, 1, &rule) == NATFW_PROTOCOL_NOT_SUPPORTED);
}

Test(policy, a_rule_that_refuses_needs_no_wildcards)
{
    struct config_rule refuse = {.protocol = -1, .port_high = 65535, .refusal = conflict};
    struct natfw_policy_rule rule = closed_rule();
    open_source(&rule.flow);
    cr_assert(ask_forwarder(&refuse, 1, &rule) == conflict);
}

Test(policy, an_interface_may_be_the_only_arm_of_a_router)
{
    struct config_interface interfaces[] = {{.index = 5, .one_armed = true}, {.index = 6}};
    struct config config = {.interfaces = interfaces, .interface_count = 2};
    struct natfw_policy policy = policy_config(&config);
    cr_assert(policy.may_turn_back(policy.context, 5));
    cr_assert_not(policy.may_turn_back(policy.context, 6));
    cr_assert_not(policy.may_turn_back(policy.context, 7));
}

enum { INSIDE = 5, OUTSIDE = 6, INSIDE_TOO = 7 };

/* Whether the sender may speak for a session of 192.0.2.7, "host", by interface INSIDE. */
static bool takes_over(struct config_peer *peers, size_t count, const struct gist_received *sender)
{
    struct config_interface interfaces[] = {{.index = INSIDE, .side = CONFIG_SIDE_INTERNAL},
        {.index = OUTSIDE, .side = CONFIG_SIDE_EXTERNAL},
        {.index = INSIDE_TOO, .side = CONFIG_SIDE_INTERNAL}};
    struct config config = {.natfw.forwarder = true,
        .interfaces = interfaces,
        .interface_count = 3,
        .policy = {.peers = peers, .peer_count = count}};
    struct natfw_policy policy = policy_config(&config);
    struct natfw_policy_question question = {.message = sender};
    struct natfw_peer former = {.address = gist_address_v4(0xc0000207),
        .interface = INSIDE,
        .identity_length = 4,
        .identity = "host"};
    return policy.may_take_over(policy.context, &question, &former);
}

static struct gist_received sender_of(uint32_t address, const char *identity, uint32_t interface)
{
    return (struct gist_received){.peer = gist_address_v4(address),
        .peer_identity = (const uint8_t *)identity,
        .peer_identity_length = (uint8_t)strlen(identity),
        .interface = interface};
}

Test(policy, only_a_peer_that_is_named_may_speak_for_another)
{
    struct config_prefix lan = {.address = gist_address_v4(0xc0000200), .bits = 24};
    struct config_peer unnamed = {.prefix = lan}, movable = unnamed, any = unnamed;
    movable.take_over = CONFIG_TAKES_SAME_IDENTITY;
    any.take_over = CONFIG_TAKES_ANY;
    struct gist_received moved = sender_of(0xc0000209, "host", INSIDE);
    struct gist_received other = sender_of(0xc0000209, "other", INSIDE);
    struct gist_received elsewhere = sender_of(0xc6336409, "host", INSIDE);
    struct gist_received nameless = sender_of(0xc0000209, "", INSIDE);
    cr_assert_not(takes_over(NULL, 0, &moved));
    cr_assert_not(takes_over(&unnamed, 1, &moved));
    cr_assert(takes_over(&movable, 1, &moved));
    cr_assert_not(takes_over(&movable, 1, &other));
    cr_assert_not(takes_over(&movable, 1, &elsewhere));
    cr_assert_not(takes_over(&movable, 1, &nameless));
    cr_assert(takes_over(&any, 1, &moved) && takes_over(&any, 1, &other));
    cr_assert_not(takes_over(&any, 1, &elsewhere));
    struct config_peer first_decides[] = {unnamed, any};
    cr_assert_not(takes_over(first_decides, 2, &other));
}

Test(policy, nobody_speaks_for_a_session_of_the_other_side)
{
    struct config_peer any = {.take_over = CONFIG_TAKES_ANY};
    struct gist_received same = sender_of(0xc0000207, "host", OUTSIDE);
    struct gist_received other = sender_of(0xc6336407, "other", OUTSIDE);
    struct gist_received unlisted = sender_of(0xc0000207, "host", 99);
    cr_assert_not(takes_over(&any, 1, &same));
    cr_assert_not(takes_over(&any, 1, &other));
    cr_assert_not(takes_over(&any, 1, &unlisted));
}

Test(policy, the_same_peer_may_come_by_another_interface_of_its_side)
{
    struct gist_received same = sender_of(0xc0000207, "host", INSIDE_TOO);
    struct gist_received other = sender_of(0xc0000208, "host", INSIDE_TOO);
    cr_assert(takes_over(NULL, 0, &same));
    cr_assert_not(takes_over(NULL, 0, &other));
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

Test(policy, names_a_host_that_it_allows_and_no_network)
{
    struct config_peer peers[] = {{.prefix = {gist_address_v4(0xc0000207), 32}},
        {.prefix = {gist_address_v4(0xc0000208), 32}, .refusal = NATFW_AUTHENTICATION_FAILED},
        {.prefix = {gist_address_v4(0xc0000209), 32}, .side = CONFIG_SIDE_EXTERNAL},
        {.prefix = {gist_address_v4(0xc0000200), 24}}, {.prefix = {{0}, 0}}};
    struct config config = {.policy = {.peers = peers, .peer_count = 5}};
    struct natfw_policy policy = policy_config(&config);
    for (uint32_t host = 7; host <= 10; host++) {
        struct gist_address address = gist_address_v4(0xc0000200 + host);
        cr_assert_eq(policy.names(policy.context, &address, 1), host == 7, "host %u", host);
    }
    struct gist_address ipv6 = {.version = 6, .octets = {0x20, 1}};
    cr_assert_not(policy.names(policy.context, &ipv6, 1));
}

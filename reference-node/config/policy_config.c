/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Policy from the configuration; see policy_config.h. The first entry that matches decides, else
 * the default of the side that the message came from. An interface that is not listed counts as
 * external at a forwarder, and as internal at a host. A forwarder opens what is named only: a flow
 * that leaves something open needs a rule that says so.
 */
#include "reference-node/config/policy_config.h"

#include "reference-node/base/text.h"
#include "reference-node/config/refusal_log.h"
#include "reference-node/config/wildcards.h"

#include <stdio.h>

static enum config_side side_of(const struct config *config, uint32_t interface)
{
    enum config_side side = config_side_of(config, interface);
    if (side != CONFIG_SIDE_ANY)
        return side;
    return config->natfw.forwarder ? CONFIG_SIDE_EXTERNAL : CONFIG_SIDE_INTERNAL;
}

static bool side_matches(enum config_side wanted, enum config_side side)
{
    return wanted == CONFIG_SIDE_ANY || wanted == side;
}

static bool protocol_matches(
    const struct config_rule *rule, const struct gist_mri *flow, bool refuses)
{
    if (rule->protocol < 0)
        return true;
    return flow->has_protocol ? flow->protocol == rule->protocol : refuses;
}

static bool ports_match(
    const struct config_rule *rule, const struct natfw_policy_rule *asked, bool refuses)
{
    uint32_t low = asked->flow.has_destination_port ? asked->flow.destination_port : 0;
    uint32_t high = asked->flow.has_destination_port ? low + asked->sub_ports : 65535;
    return refuses ? low <= rule->port_high && high >= rule->port_low
                   : low >= rule->port_low && high <= rule->port_high;
}

/* What the flow leaves open, as far as it matters here: a host opens nothing. */
static unsigned open_parts(const struct config *config, const struct gist_mri *flow)
{
    return config->natfw.forwarder ? wildcards_of(flow) : 0;
}

/* A rule about protocol 0 or 255 names it, wild as it is. */
static bool may_be_open(const struct config_rule *rule, const struct gist_mri *flow, unsigned open)
{
    bool named = flow->has_protocol && flow->protocol == rule->protocol;
    return (open & ~(rule->wildcards | (named ? WILDCARD_PROTOCOL : 0u))) == 0;
}

static bool sender_matches(const struct config *config, const struct config_rule *rule,
    const struct gist_received *message)
{
    const struct config_identities *identities = config->identities;
    if (rule->secure && !message->attributes.secure)
        return false;
    if (rule->identity[0] == '\0')
        return true;
    return message->attributes.secure && identities &&
           identities->is(identities->context, message->association, rule->identity);
}

static bool rule_matches(const struct config *config, const struct config_rule *rule,
    enum config_side side, const struct natfw_policy_question *question, unsigned open)
{
    const struct gist_mri *flow = &question->rule->flow;
    const struct gist_address *peer = &question->message->peer;
    bool refuses = rule->refusal != NATFW_NO_CODE;
    return side_matches(rule->side, side) && sender_matches(config, rule, question->message) &&
           config_prefix_matches(&rule->peer, peer, config_address_bits(peer), refuses) &&
           config_prefix_matches(&rule->source, &flow->source, flow->source_prefix, refuses) &&
           config_prefix_matches(
               &rule->destination, &flow->destination, flow->destination_prefix, refuses) &&
           protocol_matches(rule, flow, refuses) && ports_match(rule, question->rule, refuses) &&
           (refuses || may_be_open(rule, flow, open)) &&
           (rule->lifetime_max_s == 0 || question->lifetime_s <= rule->lifetime_max_s);
}

static enum natfw_code answer_of_peer(
    const struct config_peer *peer, const struct natfw_policy_question *question)
{
    char address[TEXT_ADDRESS_SIZE];
    char entry[TEXT_ADDRESS_SIZE + sizeof("peer \"/128\"")] = "peer \"any\"";
    text_of_address(&peer->prefix.address, address);
    if (peer->prefix.address.version != 0)
        snprintf(entry, sizeof(entry), "peer \"%s/%u\"", address, peer->prefix.bits);
    return refusal_log(question, entry, peer->refusal);
}

static enum natfw_code answer_of_rule(
    const struct config_rule *rule, const struct natfw_policy_question *question)
{
    char entry[CONFIG_NAME_MAX + sizeof("rule \"\"")];
    snprintf(entry, sizeof(entry), "rule \"%s\"", rule->name);
    return refusal_log(question, entry, rule->refusal);
}

/* The entry about the sender; NULL where there is none. */
static const struct config_peer *find_peer(
    const struct config *config, const struct gist_received *message)
{
    enum config_side side = side_of(config, message->interface);
    for (size_t i = 0; i < config->policy.peer_count; i++) {
        const struct config_peer *peer = &config->policy.peers[i];
        if (side_matches(peer->side, side) && config_prefix_matches(&peer->prefix, &message->peer,
                                                  config_address_bits(&message->peer), false))
            return peer;
    }
    return NULL;
}

static enum natfw_code authenticate(void *context, const struct natfw_policy_question *question)
{
    const struct config *config = context;
    const struct config_peer *peer = find_peer(config, question->message);
    if (config->tls.is_required && !question->message->attributes.secure)
        return refusal_log(question, "required of the section tls", NATFW_AUTHENTICATION_FAILED);
    return peer ? answer_of_peer(peer, question) : NATFW_NO_CODE;
}

/* A host: what names a whole network names strangers. */
static bool names(void *context, const struct gist_address *address, uint32_t interface)
{
    const struct gist_received sender = {.peer = *address, .interface = interface};
    const struct config_peer *peer = find_peer(context, &sender);
    return peer && peer->refusal == NATFW_NO_CODE && peer->prefix.address.version != 0 &&
           peer->prefix.bits == config_address_bits(address);
}

/* A certificate proves a name, not a Peer-Identity, so that only a peer that is named may speak for
 * another; never one on another side. */
static bool may_take_over(
    void *context, const struct natfw_policy_question *question, const struct natfw_peer *former)
{
    const struct config *config = context;
    const struct gist_received *message = question->message;
    const struct config_peer *peer = find_peer(config, message);
    if (side_of(config, former->interface) != side_of(config, message->interface))
        return false;
    if (natfw_peer_sent(former, message)) /* by another interface, 2.8 */
        return true;
    if (!peer || peer->take_over == CONFIG_TAKES_NONE)
        return false;
    return peer->take_over == CONFIG_TAKES_ANY || natfw_peer_has_identity_of(former, message);
}

static bool may_turn_back(void *context, uint32_t interface)
{
    const struct config_interface *listed = config_interface_of(context, interface);
    return listed && listed->one_armed;
}

static enum natfw_code default_answer(const struct config *config, enum config_side side)
{
    return side == CONFIG_SIDE_INTERNAL ? config->policy.default_internal
                                        : config->policy.default_external;
}

static enum natfw_code permit(void *context, const struct natfw_policy_question *question)
{
    const struct config *config = context;
    enum config_side side = side_of(config, question->message->interface);
    unsigned open = question->rule ? open_parts(config, &question->rule->flow) : 0;
    for (size_t i = 0; question->rule && i < config->policy.rule_count; i++)
        if (rule_matches(config, &config->policy.rules[i], side, question, open))
            return answer_of_rule(&config->policy.rules[i], question);
    if (default_answer(config, side) == NATFW_NO_CODE)
        return refusal_log(question, "a wildcard that no rule allows", wildcards_refusal(open));
    return refusal_log(question,
        side == CONFIG_SIDE_INTERNAL ? "default_internal" : "default_external",
        default_answer(config, side));
}

struct natfw_policy policy_config(struct config *config)
{
    return (struct natfw_policy){.context = config,
        .authenticate = authenticate,
        .permit = permit,
        .may_take_over = may_take_over,
        .names = names,
        .may_turn_back = may_turn_back};
}

/*
 * What every request has to pass: who sent it, whether it is new, whether its rule may be had.
 * RFC 5973 3.3, 3.5, 3.6; in the order of ruling A11.
 */
#include "core/natfw/node_internal.h"
#include "core/natfw/sequence.h"
#include "core/spec/spec.h"

bool natfw_check_authentication(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    struct natfw_policy_question question = {
        .message = incoming->received, .lifetime_s = incoming->message.lifetime_s};
    struct natfw_verdict verdict =
        node->seams.policy.authenticate(node->seams.policy.context, &question);
    if (SPEC_HOLDS("RFC5973-3.6-1", 1, verdict.error_class == 0))
        return true;
    natfw_refuse(node, incoming,
        (struct natfw_info){.error_class = verdict.error_class, .code = verdict.code});
    return false;
}

static struct natfw_info ask_policy(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s, bool is_update)
{
    struct natfw_policy_question question = {.message = incoming->received,
        .rule = rule,
        .lifetime_s = lifetime_s,
        .is_update = is_update};
    struct natfw_verdict verdict = node->seams.policy.permit(node->seams.policy.context, &question);
    return (struct natfw_info){.error_class = verdict.error_class, .code = verdict.code};
}

/* Whether the sender may ask at all, a deletion included; what it asks for is judged later. */
bool natfw_check_authorization(
    struct natfw_node *node, const struct natfw_incoming *incoming, bool is_update)
{
    struct natfw_policy_rule rule = natfw_node_rule_of(incoming);
    struct natfw_info info =
        ask_policy(node, incoming, &rule, incoming->message.lifetime_s, is_update);
    if (info.error_class != NATFW_PERMANENT_FAILURE)
        return true;
    natfw_refuse(node, incoming, info);
    return false;
}

/* A request that is not newer is a duplicate, late or replayed: nothing answers it. */
bool natfw_check_sequence(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    if (!session)
        return true;
    uint32_t received = incoming->message.sequence_number;
    if (SPEC_HOLDS("RFC5973-3.5-6", 1, natfw_sequence_is_newer(received, session->sequence_number)))
        return true;
    natfw_node_discard(node, incoming, "its sequence number is not newer");
    return false;
}

static bool has_ports(const struct gist_mri *flow)
{
    return flow->has_protocol && flow->has_destination_port && flow->destination_port != 0;
}

/* What only flow and objects together show. Rulings A19, A28, A63. */
static struct natfw_info judge_shape(const struct natfw_policy_rule *rule)
{
    struct natfw_info info = {.error_class = NATFW_SESSION_FAILURE, .object_type = NATFW_EFI};
    if (!SPEC_HOLDS("RFC5973-4.2.4-2", 1, rule->action != NATFW_DENY)) {
        info.code = NATFW_ACTION_NOT_APPLICABLE;
        return info;
    }
    if (rule->sub_ports > 0 &&
        (!has_ports(&rule->flow) || rule->flow.destination_port == UINT16_MAX)) {
        info.code = NATFW_SUB_PORTS_NOT_PERMITTED;
        return info;
    }
    if (rule->icmp_type_count > 0 && rule->flow.has_protocol && rule->flow.protocol != 1) {
        info.error_class = NATFW_PROTOCOL_ERROR;
        info.code = NATFW_INVALID_COMBINATION;
        info.object_type = NATFW_ICMP_TYPES;
        return info;
    }
    return (struct natfw_info){0};
}

struct natfw_info natfw_judge_rule(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s, bool is_update)
{
    struct natfw_info shape = judge_shape(rule);
    if (shape.error_class != 0)
        return shape;
    return ask_policy(node, incoming, rule, lifetime_s, is_update);
}

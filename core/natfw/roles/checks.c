/*
 * What every request has to pass; see checks.h. RFC 5973 3.3, 3.5, 3.6; in the order of ruling A11,
 * ownership (A107) being a part of authorization.
 */
#include "core/natfw/roles/checks.h"

#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/sequence.h"
#include "core/spec/spec.h"

bool natfw_check_authentication(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    struct natfw_policy_question question = {
        .message = incoming->received, .lifetime_s = incoming->message.lifetime_s};
    enum natfw_code objection =
        node->seams.policy.authenticate(node->seams.policy.context, &question);
    SPEC_ENSURE("RFC5973-3.6-1", 1, objection == NATFW_NO_CODE) {
        natfw_refuse(node, incoming, objection);
        return false;
    }
    return true;
}

bool natfw_may_speak_for(struct natfw_node *node, const struct gist_received *received,
    const struct natfw_session *session)
{
    const struct natfw_peer *former = &session->inbound_peer;
    struct natfw_policy_question question = {.message = received, .is_update = true};
    if (natfw_peer_sent(former, received) && former->interface == received->interface)
        return true;
    return node->seams.policy.may_take_over(node->seams.policy.context, &question, former);
}

/* Whoever sees a request pass knows its session id. Ruling A107. */
bool natfw_check_ownership(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    if (!session)
        return true;
    SPEC_ENSURE("RFC5973-5.2.1-i1", 1, natfw_may_speak_for(node, incoming->received, session)) {
        natfw_refuse_because(node, incoming, NATFW_AUTHORIZATION_FAILED,
            "the sender is not the session's inbound peer");
        return false;
    }
    return true;
}

/* After a route change the outbound peer is whom our own Query found anew; an inbound one has to
 * bring a request first. */
bool natfw_is_from_its_peer(
    const struct natfw_session *session, const struct gist_received *received)
{
    if (!received->mri.upstream)
        return natfw_peer_sent(&session->inbound_peer, received);
    return received->peer_was_queried || natfw_peer_sent(&session->outbound_peer, received);
}

/* Whether the sender may ask at all, a deletion included; what it asks for is judged later. */
bool natfw_check_authorization(
    struct natfw_node *node, const struct natfw_incoming *incoming, bool is_update)
{
    struct natfw_policy_rule rule = natfw_rule_of(incoming);
    struct natfw_policy_question question = {.message = incoming->received,
        .rule = &rule,
        .lifetime_s = incoming->message.lifetime_s,
        .is_update = is_update,
        .about_asking = true};
    enum natfw_code objection = node->seams.policy.permit(node->seams.policy.context, &question);
    if (natfw_class_of(objection) != NATFW_PERMANENT_FAILURE)
        return true;
    natfw_refuse(node, incoming, objection);
    return false;
}

/* A request that is not newer is a duplicate, late or replayed: nothing answers it. */
bool natfw_check_sequence(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    if (!session)
        return true;
    bool newer = natfw_sequence_is_newer(
        incoming->message.sequence_number, session->request.sequence_number);
    SPEC_ENSURE("RFC5973-3.5-6", 1, newer) {
        natfw_discard(node, incoming, "its sequence number is not newer");
        return false;
    }
    return true;
}

static bool flow_has_ports(const struct gist_mri *flow)
{
    return flow->has_protocol && flow->has_destination_port && flow->destination_port != 0;
}

static bool may_have_sub_ports(const struct gist_mri *flow)
{
    return flow_has_ports(flow) && flow->destination_port != UINT16_MAX;
}

static bool may_be_icmp(const struct gist_mri *flow)
{
    return !flow->has_protocol || flow->protocol == 1;
}

/* What only flow and objects together show. Rulings A19, A28, A63. */
static struct natfw_info judge_shape(const struct natfw_policy_rule *rule)
{
    SPEC_ENSURE("RFC5973-4.2.4-2", 1, rule->action != NATFW_DENY) {
        return (struct natfw_info){NATFW_ACTION_NOT_APPLICABLE, NATFW_EFI};
    }
    if (rule->sub_ports > 0 && !may_have_sub_ports(&rule->flow))
        return (struct natfw_info){NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI};
    if (rule->icmp_type_count > 0 && !may_be_icmp(&rule->flow))
        return (struct natfw_info){NATFW_INVALID_COMBINATION, NATFW_ICMP_TYPES};
    return (struct natfw_info){0};
}

struct natfw_info natfw_judge_rule(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s, bool is_update)
{
    struct natfw_policy_question question = {.message = incoming->received,
        .rule = rule,
        .lifetime_s = lifetime_s,
        .is_update = is_update};
    struct natfw_info shape = judge_shape(rule);
    if (shape.code != NATFW_NO_CODE)
        return shape;
    return (struct natfw_info){
        .code = node->seams.policy.permit(node->seams.policy.context, &question)};
}

/*
 * The NSIS responder: answers the requests whose flow ends at this host. RFC 5973 3.4, 3.5, 3.7.1,
 * 3.7.3, 3.7.4. The host's application decides through the policy seam.
 */
#include "core/natfw/lifetime.h"
#include "core/natfw/node_internal.h"
#include "core/spec/spec.h"

static void delete (
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (!session) {
        natfw_node_discard(node, incoming, "a deletion of a session that is not known");
        return;
    }
    natfw_node_end_session(node, incoming->now_ms, session, NATFW_INPUT_DELETION);
    natfw_node_tell(node, incoming->now_ms, NATFW_EVENT_DELETED, &incoming->received->session_id,
        (struct natfw_info){0}, NULL);
}

static void accept(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, uint32_t granted_s)
{
    bool is_new = session->state == NATFW_PENDING;
    session->rule = natfw_node_rule_of(incoming);
    if (SPEC_ACT("RFC5973-3.5-7", 2))
        session->sequence_number = incoming->message.sequence_number;
    session->inbound_peer = incoming->received->sii_handle;
    session->attributes = incoming->received->attributes;
    session->forwarded_lifetime_s = session->granted_lifetime_s = granted_s;
    session->expires_ms = incoming->now_ms + granted_s * UINT64_C(1000);
    session->state = natfw_session_next(session->state, NATFW_INPUT_SUCCESS);
    natfw_node_schedule(node, session);

    struct natfw_answer answer = {
        .info = {.error_class = NATFW_SUCCESS, .code = NATFW_ALL_PROCESSED},
        .sequence_number = incoming->message.sequence_number,
        .has_lifetime = true,
        .lifetime_s = granted_s + node->config.responder_raises_lifetime_s,
    };
    if (SPEC_ACT("RFC5973-3.7.1-5", 1))
        natfw_answer(node, incoming->now_ms, session, &incoming->received->mri, &answer);
    natfw_node_tell(node, incoming->now_ms,
        is_new ? NATFW_EVENT_ESTABLISHED : NATFW_EVENT_REFRESHED, &session->id, answer.info, NULL);
}

static struct natfw_info judge(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session, uint32_t *granted_s)
{
    struct natfw_info refusal;
    if (!natfw_lifetime_accept(&node->config, incoming->message.lifetime_s, granted_s, &refusal))
        return refusal;
    struct natfw_policy_rule rule = natfw_node_rule_of(incoming);
    return natfw_judge_rule(node, incoming, &rule, *granted_s, session != NULL);
}

void natfw_responder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (incoming->message.lifetime_s == 0) {
        delete (node, incoming, session);
        return;
    }
    uint32_t granted_s;
    struct natfw_info refusal = judge(node, incoming, session, &granted_s);
    if (refusal.error_class == 0 && !session)
        session = natfw_session_table_add(&node->sessions, &incoming->received->session_id);
    if (refusal.error_class == 0 && !session)
        refusal = natfw_info_of_middlebox(NATFW_MIDDLEBOX_EXHAUSTED);
    if (refusal.error_class != 0) {
        if (SPEC_ACT("RFC5973-3.7.1-6", 1))
            natfw_refuse(node, incoming, refusal);
        return;
    }
    session->role = NATFW_RESPONDER;
    accept(node, incoming, session, granted_s);
}

void natfw_responder_response(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    if (SPEC_NEVER("RFC5973-3.7.1-9", 1))
        natfw_refuse(node, incoming,
            (struct natfw_info){NATFW_PROTOCOL_ERROR, NATFW_ILLEGAL_MESSAGE_TYPE, 0});
    natfw_node_discard(node, incoming, "a RESPONSE at the responder");
}

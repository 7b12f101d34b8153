/*
 * The NSIS responder: answers the requests whose flow ends at this host; see responder.h. RFC 5973
 * 3.4, 3.5, 3.7.1, 3.7.3, 3.7.4. The host's application decides through the policy seam.
 */
#include "core/natfw/roles/responder.h"

#include "core/natfw/roles/checks.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/admission.h"
#include "core/natfw/session/lifetime.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

static void delete_session(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (!session) {
        natfw_discard(node, incoming, "a deletion of a session that is not known");
        return;
    }
    natfw_session_end(node, incoming->now_ms, session, NATFW_INPUT_DELETION);
    natfw_tell(node, incoming->now_ms, NATFW_EVENT_DELETED, &incoming->received->session_id);
}

static void answer_success(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    uint32_t granted_s = session->granted_lifetime_s;
    struct natfw_answer answer = {
        .code = NATFW_ALL_PROCESSED,
        .sequence_number = incoming->message.sequence_number,
        .has_lifetime = true,
        .lifetime_s = SPEC_VALUE("RFC5973-3.4-10", 2, granted_s, granted_s + 1),
    };
    natfw_answer(node, incoming->now_ms, session, &incoming->received->mri, &answer);
}

static void accept_request(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, uint32_t granted_s)
{
    bool is_new = session->state == NATFW_PENDING;
    struct natfw_policy_rule rule = natfw_rule_of(incoming);
    natfw_rules_ask(&session->rules, &rule);
    SPEC_DO("RFC5973-3.5-7", 2) {
        session->request.sequence_number = incoming->message.sequence_number;
    }
    session->inbound_peer = natfw_peer_of(incoming->received);
    session->attributes = incoming->received->attributes;
    natfw_pace_drop(&session->pace); /* it came by the path as it is now */
    session->request.lifetime_s = session->granted_lifetime_s = granted_s;
    session->expires_ms = incoming->now_ms + granted_s * UINT64_C(1000);
    natfw_session_grant(node, incoming->now_ms, session);
    session->state = natfw_session_next(session->state, NATFW_INPUT_SUCCESS);
    natfw_known_peers_add(
        &node->known_peers, incoming->now_ms, &session->inbound_peer.address, session->expires_ms);
    natfw_session_schedule(node, session);
    SPEC_DO("RFC5973-3.7.1-5", 1) {
        answer_success(node, incoming, session);
    }
    natfw_tell_info(node, incoming->now_ms,
        is_new ? NATFW_EVENT_ESTABLISHED : NATFW_EVENT_REFRESHED, &session->id,
        (struct natfw_info){.code = NATFW_ALL_PROCESSED}, NULL);
}

static struct natfw_info judge_request(struct natfw_node *node,
    const struct natfw_incoming *incoming, const struct natfw_session *session, uint32_t *granted_s)
{
    struct natfw_info refusal;
    if (!natfw_lifetime_accept(&node->config, incoming->message.lifetime_s, granted_s, &refusal))
        return refusal;
    struct natfw_policy_rule rule = natfw_rule_of(incoming);
    return natfw_judge_rule(node, incoming, &rule, *granted_s, session != NULL);
}

static void refuse_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_info refusal)
{
    SPEC_DO("RFC5973-3.7.1-6", 1) {
        natfw_refuse_info(node, incoming, refusal);
    }
}

void natfw_responder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (incoming->message.lifetime_s == 0) {
        delete_session(node, incoming, session);
        return;
    }
    uint32_t granted_s;
    struct natfw_info refusal = judge_request(node, incoming, session, &granted_s);
    if (refusal.code != NATFW_NO_CODE) {
        refuse_request(node, incoming, refusal);
        return;
    }
    session = natfw_session_in_role(node, incoming->now_ms, session, NATFW_RESPONDER);
    if (!session)
        session = natfw_session_admit(node, incoming);
    if (!session) {
        refuse_request(node, incoming, (struct natfw_info){.code = NATFW_RESOURCES_UNAVAILABLE});
        return;
    }
    session->role = NATFW_RESPONDER;
    accept_request(node, incoming, session, granted_s);
}

void natfw_responder_response(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    SPEC_NEVER("RFC5973-3.7.1-9", 1) {
        natfw_refuse(node, incoming, NATFW_ILLEGAL_MESSAGE_TYPE);
    }
    natfw_discard(node, incoming, "a RESPONSE at the responder");
}

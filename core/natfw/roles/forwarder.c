/*
 * The NSLP forwarder at a firewall: remembers a rule when a CREATE passes, installs it when the
 * success RESPONSE comes back; see forwarder.h. RFC 5973 3.4, 3.5, 3.7.1, 3.7.3, 3.7.4, 3.10.
 */
#include "core/natfw/roles/forwarder.h"

#include "core/natfw/message/message_build.h"
#include "core/natfw/roles/checks.h"
#include "core/natfw/roles/crossing.h"
#include "core/natfw/roles/mutants.h"
#include "core/natfw/roles/notification.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/admission.h"
#include "core/natfw/session/lifetime.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/sequence.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

/* Passes the request on with the lifetime accepted here, everything else as it came. */
static enum gist_send_result pass_request_on(struct natfw_node *node,
    const struct natfw_incoming *incoming, uint32_t lifetime_s, gist_message_handle handle)
{
    const struct gist_received *received = incoming->received;
    struct natfw_message message = incoming->message;
    message.lifetime_s = SPEC_VALUE("RFC5973-3.4-7", 1, lifetime_s, incoming->message.lifetime_s);
    message.sequence_number = SPEC_VALUE(
        "RFC5973-3.5-1b", 1, message.sequence_number, natfw_sequence_next(message.sequence_number));
    struct gist_send_request request = {
        .session_id = received->session_id,
        .mri = received->mri,
        .attributes = {.reliable = true, .secure = received->attributes.secure},
        .handle = handle,
        .has_hop_count = true,
        .hop_count = received->hop_count,
        .on_behalf_of = received->peer,
        .on_behalf_of_interface = received->interface,
    };
    return natfw_send(node, incoming->now_ms, &message, &request);
}

/* RFC 5973 3.7.4: what is unknown here may be known further on (ruling A42). */
static void delete_session(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    SPEC_DO("RFC5973-3.7.4-i5", 1) {
        pass_request_on(node, incoming, 0, NATFW_NO_HANDLE);
    }
    SPEC_NEVER("RFC5973-3.7.4-i6", 1) {
        natfw_refuse(node, incoming, NATFW_TERMINATED_ASYNCHRONOUSLY);
    }
    if (!session)
        return;
    natfw_session_end(node, incoming->now_ms, session, NATFW_INPUT_DELETION);
    natfw_tell(node, incoming->now_ms, NATFW_EVENT_DELETED, &incoming->received->session_id);
}

/* Sets the rule aside, without letting it act. */
static bool remember_rule(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    if (!natfw_may_own(node, incoming, rule)) {
        natfw_refuse(node, incoming, NATFW_RESOURCES_UNAVAILABLE);
        return false;
    }
    enum natfw_middlebox_result result =
        middlebox->remember(middlebox->context, &incoming->received->session_id, rule);
    if (result == NATFW_MIDDLEBOX_OK)
        return true;
    natfw_refuse(node, incoming, natfw_code_of_middlebox(result));
    return false;
}

static void forget_remembered(struct natfw_node *node, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    if (natfw_rules_have_next(&session->rules))
        middlebox->remove(middlebox->context, &session->id, &session->rules.next);
    natfw_rules_refuse(&session->rules);
    natfw_session_owns(node, session);
}

/* No RESPONSE waits for this, so nobody asks what became of it. */
static void move_expiry(struct natfw_node *node, struct natfw_session *session, uint64_t expires_ms)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    session->expires_ms = expires_ms;
    if (natfw_rules_have_current(&session->rules))
        middlebox->install(
            middlebox->context, &session->id, &session->rules.current, expires_ms, NATFW_NO_HANDLE);
}

/* Else the flow would stop where a RESPONSE is on its way as the old lifetime ends; a refusal takes
 * the time back. */
static void extend_provisionally(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    uint64_t proposed_ms = incoming->now_ms + session->request.lifetime_s * UINT64_C(1000);
    if (proposed_ms > session->expires_ms)
        move_expiry(node, session, proposed_ms);
}

/* The newest request becomes the one that the session waits for. */
static void adopt_request(const struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, uint32_t lifetime_s)
{
    SPEC_DO("RFC5973-3.5-7", 1) {
        session->request.sequence_number = incoming->message.sequence_number;
    }
    session->inbound_peer = natfw_peer_of(incoming->received);
    session->attributes = incoming->received->attributes;
    session->request.lifetime_s = lifetime_s;
    session->onward =
        natfw_onward_route_now(&node->transport, &incoming->received->mri.destination);
    natfw_pace_drop(&session->pace); /* it asks the path as it is now */
    natfw_session_await_response(session);
}

/* A request that cannot even be sent is answered at once: no RESPONSE would ever come. */
static void forward_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    enum gist_send_result sent = GIST_SENT;
    SPEC_DO("RFC5973-4.2.4-1", 1) {
        sent =
            pass_request_on(node, incoming, session->request.lifetime_s, session->request.handle);
    }
    if (sent != GIST_SENT)
        natfw_forwarder_unreachable(node, incoming->now_ms, session);
    else
        natfw_tell(node, incoming->now_ms, NATFW_EVENT_REQUESTED, &incoming->received->session_id);
}

static void begin_session(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    const struct gist_session_id *id = &incoming->received->session_id;
    struct natfw_session *session = natfw_session_admit(node, incoming);
    if (!session) {
        middlebox->remove(middlebox->context, id, rule);
        natfw_refuse(node, incoming, NATFW_RESOURCES_UNAVAILABLE);
        return;
    }
    session->role = NATFW_FORWARDER;
    natfw_rules_ask(&session->rules, rule);
    natfw_session_owns(node, session);
    session->expires_ms = incoming->now_ms + lifetime_s * UINT64_C(1000);
    adopt_request(node, incoming, session, lifetime_s);
    SPEC_NEVER("RFC5973-3.7.1-7", 1) {
        middlebox->install(middlebox->context, id, rule, session->expires_ms, NATFW_NO_HANDLE);
    }
    SPEC_NEVER("RFC5973-3.4-2", 1) {
        session->refreshing.due_ms = incoming->now_ms + lifetime_s * UINT64_C(500);
    }
    natfw_session_schedule(node, session);
    forward_request(node, incoming, session);
}

/* The rule of the newest request takes the place of one that only waited. */
static void exchange_rule(
    struct natfw_node *node, struct natfw_session *session, const struct natfw_policy_rule *rule)
{
    if (natfw_rules_is_next(&session->rules, rule))
        return;
    forget_remembered(node, session);
    if (!natfw_rules_is_current(&session->rules, rule))
        natfw_rules_ask(&session->rules, rule);
    natfw_session_owns(node, session);
}

/* A refresh, or an update where the rule differs (ruling A40). The old rule stays until the success
 * RESPONSE (ruling A39). */
static void change_session(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, const struct natfw_policy_rule *rule, uint32_t lifetime_s)
{
    struct natfw_request *request = &session->request;
    exchange_rule(node, session, rule);
    if (!request->is_change) /* else a change before it waits, whose extension was never granted */
        request->expires_before_ms = session->expires_ms;
    /* A session that a NOTIFY made Transitory may never have been granted. */
    request->is_change = natfw_session_is_granted(session);
    adopt_request(node, incoming, session, lifetime_s);
    extend_provisionally(node, incoming, session);
    natfw_session_schedule(node, session);
    forward_request(node, incoming, session);
}

void natfw_forwarder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (incoming->message.lifetime_s == 0) {
        delete_session(node, incoming, session);
        return;
    }
    uint32_t lifetime_s;
    struct natfw_info refusal;
    if (!natfw_lifetime_accept(
            &node->config, incoming->message.lifetime_s, &lifetime_s, &refusal)) {
        natfw_refuse_info(node, incoming, refusal);
        return;
    }
    struct natfw_policy_rule rule = natfw_rule_of(incoming);
    refusal = natfw_judge_rule(node, incoming, &rule, lifetime_s, session != NULL);
    if (refusal.code != NATFW_NO_CODE) {
        natfw_refuse_info(node, incoming, refusal);
        return;
    }
    if (!natfw_flow_crosses(node, &rule.flow, incoming->received->interface)) {
        natfw_refuse_because(node, incoming, NATFW_POLICY_CONFLICT,
            "the flow leaves by the interface by which it came in");
        return;
    }
    bool is_held =
        session && session->role == NATFW_FORWARDER && natfw_rules_hold(&session->rules, &rule);
    if (!is_held && !remember_rule(node, incoming, &rule))
        return;
    session = natfw_session_in_role(node, incoming->now_ms, session, NATFW_FORWARDER);
    if (session)
        change_session(node, incoming, session, &rule, lifetime_s);
    else
        begin_session(node, incoming, &rule, lifetime_s);
}

static void restore_session(struct natfw_node *node, struct natfw_session *session)
{
    forget_remembered(node, session);
    session->request.awaits_response = session->request.is_change = false;
    session->state = natfw_session_next(session->state, NATFW_INPUT_CHANGE_REFUSED);
    move_expiry(node, session, session->request.expires_before_ms);
    natfw_session_schedule(node, session);
}

/* What an error RESPONSE does to the session, whoever made it. */
static void settle_refusal(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session, struct natfw_info info)
{
    struct gist_session_id id = session->id;
    if (natfw_session_ends_by(session, info.code, node->config.error_response_kills_session))
        natfw_session_end(node, now_ms, session, NATFW_INPUT_ERROR);
    else
        restore_session(node, session);
    natfw_tell_info(node, now_ms, NATFW_EVENT_REFUSED, &id, info, NULL);
}

/* RFC 5973 3.7.1: nobody further on answers. */
void natfw_forwarder_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    const struct gist_mri flow = natfw_rules_newest(&session->rules)->flow;
    struct natfw_answer answer = {
        .code = NATFW_DID_NOT_REACH_NR, .sequence_number = session->request.sequence_number};
    SPEC_DO("RFC5973-3.7.1-2", 1) {
        natfw_answer(node, now_ms, session, &flow, &answer);
    }
    settle_refusal(node, now_ms, session, (struct natfw_info){.code = answer.code});
}

/* Tells both sides that the session is over, and ends it. RFC 5973 3.4, rulings A36, A100. */
static void terminate_session(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, const struct gist_mri *flow, const struct natfw_answer *answer)
{
    struct gist_session_id id = session->id;
    natfw_answer(node, now_ms, session, flow, answer);
    natfw_answer_unfinished(node, now_ms, session);
    if (session->state != NATFW_PENDING)
        natfw_notify(node, now_ms, session, true, NATFW_SESSION_TERMINATED);
    SPEC_DO("RFC5973-3.4-14", 1) {
        natfw_notify(node, now_ms, session, false, NATFW_SESSION_TERMINATED);
    }
    natfw_session_end(node, now_ms, session, NATFW_INPUT_ERROR);
    natfw_tell_info(node, now_ms, NATFW_EVENT_REFUSED, &id,
        (struct natfw_info){answer->code, answer->object_type}, NULL);
}

/* Keeps the RESPONSE as it is to go on, objects that are unknown here included. */
static bool hold_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    struct natfw_held_response *held = &session->held;
    size_t length = natfw_message_build(&incoming->message, node->scratch, sizeof(node->scratch));
    if (!natfw_held_response_keep(held, &node->seams.allocator, node->scratch, length))
        return false;
    held->handle = session->request.handle;
    held->sequence_number = session->request.sequence_number;
    held->lifetime_s = incoming->message.lifetime_s;
    held->hop_count = incoming->received->hop_count;
    return true;
}

/* The RESPONSE waits until the rule that it promises is in. */
static void install_rule(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    struct natfw_rules *rules = &session->rules;
    session->expires_ms = incoming->now_ms + incoming->message.lifetime_s * UINT64_C(1000);
    session->request.is_change = false;
    natfw_session_schedule(node, session);
    if (rules->state == NATFW_RULE_BEING_CHANGED)
        middlebox->replace(middlebox->context, &session->id, &rules->current, &rules->next,
            session->expires_ms, session->held.handle);
    else
        middlebox->install(middlebox->context, &session->id, natfw_rules_newest(rules),
            session->expires_ms, session->held.handle);
    natfw_session_grant(node, incoming->now_ms, session);
    natfw_session_owns(node, session);
}

static void handle_success(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    struct natfw_answer answer = {.sequence_number = incoming->message.sequence_number};
    const struct gist_mri *flow = &natfw_rules_newest(&session->rules)->flow;
    struct natfw_info refusal;
    session->request.awaits_response = false;
    if (!natfw_lifetime_check_granted(&node->config, incoming->message.lifetime_s,
            session->request.lifetime_s, &refusal, &answer.lifetime_s)) {
        answer.code = refusal.code;
        answer.object_type = refusal.object_type;
        answer.has_lifetime = true;
        terminate_session(node, incoming->now_ms, session, flow, &answer);
    } else if (!hold_response(node, incoming, session)) {
        answer.code = NATFW_RESOURCES_UNAVAILABLE;
        terminate_session(node, incoming->now_ms, session, flow, &answer);
    } else {
        install_rule(node, incoming, session);
    }
}

/* Passes an error RESPONSE on as it came. RFC 5973 3.7.1. */
static void pass_back(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    struct gist_send_request request = {
        .session_id = session->id,
        .mri = incoming->received->mri,
        .attributes = session->attributes,
        .has_hop_count = true,
        .hop_count = incoming->received->hop_count,
    };
    natfw_send(node, incoming->now_ms, &incoming->message, &request);
}

static void handle_error(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    pass_back(node, incoming, session);
    SPEC_NEVER("RFC5973-3.7.1-7", 2) {
        natfw_mutant_install_refused(node, session);
        return;
    }
    settle_refusal(node, incoming->now_ms, session, incoming->message.info);
}

void natfw_forwarder_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    session->outbound_peer = natfw_peer_of(incoming->received);
    if (natfw_class_of(incoming->message.info.code) == NATFW_SUCCESS)
        handle_success(node, incoming, session);
    else
        handle_error(node, incoming, session);
}

static void release_response(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct natfw_held_response *held = &session->held;
    struct gist_send_request request = {
        .data = held->octets,
        .length = held->length,
        .session_id = session->id,
        .mri = gist_mri_upstream(&session->rules.current.flow),
        .attributes = session->attributes,
        .has_hop_count = true,
        .hop_count = held->hop_count,
    };
    natfw_send_built(node, now_ms, &request);
    natfw_held_response_drop(held, &node->seams.allocator);
}

void natfw_forwarder_installed(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, enum natfw_middlebox_result result)
{
    if (result != NATFW_MIDDLEBOX_OK) {
        struct natfw_answer answer = {.code = natfw_code_of_middlebox(result),
            .sequence_number = session->held.sequence_number};
        natfw_held_response_drop(&session->held, &node->seams.allocator);
        terminate_session(node, now_ms, session, &session->rules.current.flow, &answer);
        return;
    }
    enum natfw_event_kind kind =
        session->state == NATFW_PENDING ? NATFW_EVENT_ESTABLISHED : NATFW_EVENT_REFRESHED;
    session->state = natfw_session_next(session->state, NATFW_INPUT_SUCCESS);
    natfw_known_peers_add(
        &node->known_peers, now_ms, &session->inbound_peer.address, session->expires_ms);
    natfw_known_peers_add(
        &node->known_peers, now_ms, &session->outbound_peer.address, session->expires_ms);
    session->granted_lifetime_s = session->held.lifetime_s;
    release_response(node, now_ms, session);
    natfw_tell(node, now_ms, kind, &session->id);
}

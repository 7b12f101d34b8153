/*
 * The NSLP forwarder at a firewall: remembers a rule when a CREATE passes, installs it when the
 * success RESPONSE comes back. RFC 5973 3.4, 3.5, 3.7.1, 3.7.3, 3.7.4, 3.10.
 */
#include "core/natfw/lifetime.h"
#include "core/natfw/node_internal.h"
#include "core/natfw/sequence.h"
#include "core/spec/spec.h"

#include <string.h>

/* Passes the request on with the lifetime accepted here, everything else as it came. */
static enum gist_send_result pass_on(struct natfw_node *node, const struct natfw_incoming *incoming,
    uint32_t lifetime_s, gist_message_handle handle)
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
        .hop_count = received->hop_count,
    };
    return natfw_send(node, incoming->now_ms, &message, &request);
}

/* RFC 5973 3.7.4: what is unknown here may be known further on (ruling A42). */
static void delete (
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (SPEC_ACT("RFC5973-3.7.4-i5", 1))
        (void)pass_on(node, incoming, 0, 0);
    if (SPEC_NEVER("RFC5973-3.7.4-i6", 1))
        natfw_refuse(node, incoming,
            (struct natfw_info){NATFW_SESSION_FAILURE, NATFW_TERMINATED_ASYNCHRONOUSLY, 0});
    if (!session)
        return;
    natfw_node_end_session(node, incoming->now_ms, session, NATFW_INPUT_DELETION);
    natfw_node_tell(node, incoming->now_ms, NATFW_EVENT_DELETED, &incoming->received->session_id,
        (struct natfw_info){0}, NULL);
}

/* Sets the rule aside, without letting it act. */
static bool reserve(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    enum natfw_middlebox_result result =
        middlebox->reserve(middlebox->context, &incoming->received->session_id, rule);
    if (result == NATFW_MIDDLEBOX_OK)
        return true;
    natfw_refuse(node, incoming, natfw_info_of_middlebox(result));
    return false;
}

static void extend_provisionally(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    uint64_t proposed_ms = incoming->now_ms + session->forwarded_lifetime_s * UINT64_C(1000);
    if (proposed_ms <= session->expires_ms)
        return;
    session->expires_ms = proposed_ms;
    if (session->rule_installed)
        middlebox->install(middlebox->context, &session->id, &session->rule, proposed_ms, 0);
}

static void forget_remembered(struct natfw_node *node, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    if (session->has_remembered)
        middlebox->remove(middlebox->context, &session->id, &session->remembered);
    session->has_remembered = false;
}

/* The newest request becomes the one that the session waits for. */
static void begin(
    const struct natfw_incoming *incoming, struct natfw_session *session, uint32_t lifetime_s)
{
    if (SPEC_ACT("RFC5973-3.5-7", 1))
        session->sequence_number = incoming->message.sequence_number;
    session->inbound_peer = incoming->received->sii_handle;
    session->attributes = incoming->received->attributes;
    session->forwarded_lifetime_s = lifetime_s;
    session->awaiting_response = true;
    session->ticket = natfw_session_next_ticket(session);
}

static void send_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (!SPEC_ACT("RFC5973-4.2.4-1", 1))
        return;
    enum gist_send_result sent =
        pass_on(node, incoming, session->forwarded_lifetime_s, session->ticket);
    if (sent != GIST_SENT)
        natfw_forwarder_unreachable(node, incoming->now_ms, session);
    else
        natfw_node_tell(node, incoming->now_ms, NATFW_EVENT_REQUESTED,
            &incoming->received->session_id, (struct natfw_info){0}, NULL);
}

static void create(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s)
{
    struct natfw_session *session =
        natfw_session_table_add(&node->sessions, &incoming->received->session_id);
    if (!session) {
        node->seams.middlebox.remove(
            node->seams.middlebox.context, &incoming->received->session_id, rule);
        natfw_refuse(node, incoming, natfw_info_of_middlebox(NATFW_MIDDLEBOX_EXHAUSTED));
        return;
    }
    session->role = NATFW_FORWARDER;
    session->remembered = *rule;
    session->has_remembered = true;
    session->expires_ms = incoming->now_ms + lifetime_s * UINT64_C(1000);
    begin(incoming, session, lifetime_s);
    if (SPEC_NEVER("RFC5973-3.7.1-7", 1))
        node->seams.middlebox.install(
            node->seams.middlebox.context, &session->id, rule, session->expires_ms, 0);
    if (SPEC_NEVER("RFC5973-3.4-2", 1))
        session->refresh_ms = incoming->now_ms + lifetime_s * UINT64_C(500);
    natfw_node_schedule(node, session);
    send_request(node, incoming, session);
}

/* A refresh, or an update where the rule differs (ruling A40). The old rule stays until the success
 * RESPONSE (ruling A39). */
static void change(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, const struct natfw_policy_rule *rule, uint32_t lifetime_s)
{
    bool is_active = session->rule_installed && natfw_policy_rule_equal(rule, &session->rule);
    if (is_active || !natfw_policy_rule_equal(rule, &session->remembered))
        forget_remembered(node, session);
    if (!is_active) {
        session->remembered = *rule;
        session->has_remembered = true;
    }
    if (!session->is_change)
        session->expires_before_ms = session->expires_ms;
    session->is_change = session->state != NATFW_PENDING || session->held_response != NULL;
    begin(incoming, session, lifetime_s);
    extend_provisionally(node, incoming, session);
    natfw_node_schedule(node, session);
    send_request(node, incoming, session);
}

static bool holds_rule(const struct natfw_session *session, const struct natfw_policy_rule *rule)
{
    return (session->rule_installed && natfw_policy_rule_equal(rule, &session->rule)) ||
           (session->has_remembered && natfw_policy_rule_equal(rule, &session->remembered));
}

void natfw_forwarder_request(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (incoming->message.lifetime_s == 0) {
        delete (node, incoming, session);
        return;
    }
    uint32_t lifetime_s;
    struct natfw_info refusal;
    if (!natfw_lifetime_accept(
            &node->config, incoming->message.lifetime_s, &lifetime_s, &refusal)) {
        natfw_refuse(node, incoming, refusal);
        return;
    }
    struct natfw_policy_rule rule = natfw_node_rule_of(incoming);
    refusal = natfw_judge_rule(node, incoming, &rule, lifetime_s, session != NULL);
    if (refusal.error_class != 0) {
        natfw_refuse(node, incoming, refusal);
        return;
    }
    if (!(session && holds_rule(session, &rule)) && !reserve(node, incoming, &rule))
        return;
    if (session)
        change(node, incoming, session, &rule, lifetime_s);
    else
        create(node, incoming, &rule, lifetime_s);
}

static void restore(struct natfw_node *node, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    forget_remembered(node, session);
    session->awaiting_response = session->is_change = false;
    session->state = natfw_session_next(session->state, NATFW_INPUT_CHANGE_REFUSED);
    session->expires_ms = session->expires_before_ms;
    if (session->rule_installed)
        middlebox->install(
            middlebox->context, &session->id, &session->rule, session->expires_ms, 0);
    natfw_node_schedule(node, session);
}

/* What an error RESPONSE does to the session, whoever made it. */
static void settle_refusal(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session, struct natfw_info info)
{
    struct gist_session_id id = session->id;
    if (natfw_session_ends_by(session, &info, node->config.error_response_kills_session))
        natfw_node_end_session(node, now_ms, session, NATFW_INPUT_ERROR);
    else
        restore(node, session);
    natfw_node_tell(node, now_ms, NATFW_EVENT_REFUSED, &id, info, NULL);
}

static struct gist_mri flow_of(const struct natfw_session *session)
{
    return session->has_remembered ? session->remembered.flow : session->rule.flow;
}

/* RFC 5973 3.7.1: nobody further on answers. */
void natfw_forwarder_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    const struct gist_mri flow = flow_of(session);
    struct natfw_answer answer = {
        .info = {.error_class = NATFW_PERMANENT_FAILURE, .code = NATFW_DID_NOT_REACH_NR},
        .sequence_number = session->sequence_number,
    };
    if (SPEC_ACT("RFC5973-3.7.1-2", 1))
        natfw_answer(node, now_ms, session, &flow, &answer);
    settle_refusal(node, now_ms, session, answer.info);
}

/* Tells both sides that the session is over, and ends it. RFC 5973 3.4, rulings A36, A100. */
static void terminate(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    const struct natfw_answer *answer)
{
    struct gist_session_id id = session->id;
    const struct gist_mri flow = flow_of(session);
    natfw_answer(node, now_ms, session, &flow, answer);
    if (session->state != NATFW_PENDING)
        natfw_notify(node, now_ms, session, true, NATFW_SESSION_TERMINATED);
    if (SPEC_ACT("RFC5973-3.4-14", 1))
        natfw_notify(node, now_ms, session, false, NATFW_SESSION_TERMINATED);
    natfw_node_end_session(node, now_ms, session, NATFW_INPUT_ERROR);
    natfw_node_tell(node, now_ms, NATFW_EVENT_REFUSED, &id, answer->info, NULL);
}

/* Keeps the RESPONSE as it is to go on, objects that are unknown here included. */
static bool hold_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct gist_allocator *allocator = &node->seams.allocator;
    size_t length = natfw_message_build(&incoming->message, node->scratch, sizeof(node->scratch));
    natfw_session_drop_held(allocator, session);
    session->held_response = allocator->allocate(allocator->context, length);
    if (!session->held_response)
        return false;
    memcpy(session->held_response, node->scratch, length);
    session->held_length = length;
    session->held_ticket = session->ticket;
    session->held_sequence_number = session->sequence_number;
    session->held_lifetime_s = incoming->message.lifetime_s;
    session->held_hop_count = incoming->received->hop_count;
    return true;
}

/* The RESPONSE waits until the rule that it promises is in. */
static void install(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    session->expires_ms = incoming->now_ms + incoming->message.lifetime_s * UINT64_C(1000);
    session->awaiting_response = false;
    session->is_change = false;
    natfw_node_schedule(node, session);
    if (session->has_remembered && session->rule_installed)
        middlebox->replace(middlebox->context, &session->id, &session->rule, &session->remembered,
            session->expires_ms, session->held_ticket);
    else
        middlebox->install(middlebox->context, &session->id,
            session->has_remembered ? &session->remembered : &session->rule, session->expires_ms,
            session->held_ticket);
    if (session->has_remembered)
        session->rule = session->remembered;
    session->has_remembered = false;
    session->rule_installed = true;
}

static void handle_success(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    struct natfw_answer answer = {
        .sequence_number = incoming->message.sequence_number, .has_lifetime = true};
    if (!natfw_lifetime_check_granted(&node->config, incoming->message.lifetime_s,
            session->forwarded_lifetime_s, &answer.info, &answer.lifetime_s)) {
        terminate(node, incoming->now_ms, session, &answer);
        return;
    }
    if (!hold_response(node, incoming, session)) {
        answer.info = natfw_info_of_middlebox(NATFW_MIDDLEBOX_EXHAUSTED);
        answer.has_lifetime = false;
        terminate(node, incoming->now_ms, session, &answer);
        return;
    }
    install(node, incoming, session);
}

/* Passes an error RESPONSE on as it came. RFC 5973 3.7.1. */
static void pass_back(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session)
{
    struct gist_send_request request = {
        .session_id = session->id,
        .mri = incoming->received->mri,
        .attributes = session->attributes,
        .hop_count = incoming->received->hop_count,
    };
    (void)natfw_send(node, incoming->now_ms, &incoming->message, &request);
}

static void handle_error(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    pass_back(node, incoming, session);
    if (SPEC_NEVER("RFC5973-3.7.1-7", 2)) {
        node->seams.middlebox.install(node->seams.middlebox.context, &session->id,
            &session->remembered, session->expires_ms, 0);
        return;
    }
    settle_refusal(node, incoming->now_ms, session, incoming->message.info);
}

void natfw_forwarder_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    session->outbound_peer = incoming->received->sii_handle;
    if (incoming->message.info.error_class == NATFW_SUCCESS)
        handle_success(node, incoming, session);
    else
        handle_error(node, incoming, session);
}

static void release_response(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct gist_send_request request = {
        .data = session->held_response,
        .length = session->held_length,
        .session_id = session->id,
        .mri = gist_mri_upstream(&session->rule.flow),
        .attributes = session->attributes,
        .hop_count = session->held_hop_count,
    };
    (void)gist_send_message(node->gist, now_ms, &request);
    natfw_session_drop_held(&node->seams.allocator, session);
}

void natfw_forwarder_installed(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, enum natfw_middlebox_result result)
{
    struct natfw_info info = natfw_info_of_middlebox(result);
    if (result != NATFW_MIDDLEBOX_OK) {
        struct natfw_answer answer = {
            .info = info, .sequence_number = session->held_sequence_number};
        terminate(node, now_ms, session, &answer);
        return;
    }
    enum natfw_event_kind kind =
        session->state == NATFW_PENDING ? NATFW_EVENT_ESTABLISHED : NATFW_EVENT_REFRESHED;
    session->state = natfw_session_next(session->state, NATFW_INPUT_SUCCESS);
    session->granted_lifetime_s = session->held_lifetime_s;
    release_response(node, now_ms, session);
    natfw_node_tell(node, now_ms, kind, &session->id, info, NULL);
}

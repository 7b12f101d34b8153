/*
 * The NSIS initiator: opens, refreshes, changes and deletes sessions for a data sender; see
 * initiator.h. RFC 5973 3.2.8, 3.4, 3.5, 3.7.1, 3.7.3, 3.7.4, 3.10, 4.3.1.
 */
#include "core/natfw/roles/initiator.h"

#include "core/natfw/roles/mutants.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/lifetime.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/sequence.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

/* CREATE goes downstream, path-coupled, from data sender to data receiver. RFC 5973 4.3.1. */
static struct gist_mri mri_of(const struct natfw_policy_rule *rule)
{
    struct gist_mri mri = rule->flow;
    mri.mrm = SPEC_VALUE("RFC5973-4.3.1-3", 1, GIST_MRM_PATH_COUPLED, GIST_MRM_LOOSE_END);
    mri.upstream = SPEC_VALUE("RFC5973-4.3.1-3", 2, false, true);
    mri.source = SPEC_VALUE("RFC5973-4.3.1-1", 1, rule->flow.source, rule->flow.destination);
    mri.has_destination_port =
        SPEC_VALUE("RFC5973-4.3.1-2", 1, rule->flow.has_destination_port, false);
    return mri;
}

/* The newest request, for this rule. */
static enum gist_send_result send_create(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_session *session, const struct natfw_policy_rule *rule)
{
    struct natfw_message message = {
        .type = NATFW_CREATE,
        .lifetime_s = SPEC_VALUE("RFC5973-3.4-3", 1, session->request.lifetime_s, 0),
        .sequence_number = session->request.sequence_number,
        .efi = {.action = (uint16_t)rule->action, .sub_ports = rule->sub_ports},
        .icmp_types = {.count = rule->icmp_type_count, .types = rule->icmp_types},
    };
    natfw_message_add(&message, NATFW_LT);
    natfw_message_add(&message, NATFW_EFI);
    SPEC_DO("RFC5973-3.5-1a", 1) {
        natfw_message_add(&message, NATFW_MSN);
    }
    if (rule->icmp_type_count > 0)
        natfw_message_add(&message, NATFW_ICMP_TYPES);
    struct gist_send_request request = {
        .session_id = session->id,
        .mri = mri_of(rule),
        .attributes = {.reliable = true, .secure = session->attributes.secure},
        .handle = session->request.handle,
    };
    return natfw_send(node, now_ms, &message, &request);
}

/* A random moment in [0.5 R, 1.5 R] from now, so that sessions do not refresh in step. */
static uint64_t refresh_time(struct natfw_node *node, uint64_t now_ms, uint32_t lifetime_s)
{
    uint16_t spread = UINT16_MAX / 2;
    (void)node->seams.crypto.random(node->seams.crypto.context, (uint8_t *)&spread, sizeof(spread));
    uint64_t period_ms = natfw_lifetime_refresh_period_ms(lifetime_s);
    return now_ms + period_ms / 2 + period_ms * spread / UINT16_MAX;
}

static void begin_request(
    struct natfw_node *node, struct natfw_session *session, uint32_t lifetime_s)
{
    struct natfw_request *request = &session->request;
    const struct gist_mri *flow = &natfw_rules_newest(&session->rules)->flow;
    session->onward = natfw_onward_route_now(&node->transport, &flow->destination);
    natfw_pace_drop(&session->pace);
    request->sequence_number = SPEC_VALUE("RFC5973-3.5-2b", 1,
        natfw_sequence_next(request->sequence_number), request->sequence_number);
    request->lifetime_s = lifetime_s;
    natfw_session_await_response(session);
}

/* The numbers that nobody else may guess. RFC 5973 3.2.8, 3.5. */
static bool draw(struct natfw_node *node, struct gist_session_id *id, uint32_t *sequence_number)
{
    const struct base_crypto *crypto = &node->seams.crypto;
    if (!crypto->random(crypto->context, id->octets, sizeof(id->octets)) ||
        !crypto->random(crypto->context, (uint8_t *)sequence_number, sizeof(*sequence_number)))
        return false;
    id->octets[0] = SPEC_VALUE("RFC5973-3.2.8-1a", 1, id->octets[0], 0);
    SPEC_NEVER("RFC5973-3.2.8-1b", 1) {
        natfw_mutant_count_ids(node, id);
    }
    *sequence_number = SPEC_VALUE("RFC5973-3.5-2a", 1, *sequence_number, 0);
    return true;
}

static bool may_be_asked(const struct natfw_open *open)
{
    return open->lifetime_s > 0 && open->rule.sub_ports <= 1 &&
           (open->rule.action == NATFW_ALLOW || open->rule.action == NATFW_DENY) &&
           open->rule.flow.source.version != 0 &&
           open->rule.flow.source.version == open->rule.flow.destination.version;
}

static enum natfw_result result_of(enum gist_send_result sent)
{
    switch (sent) {
    case GIST_SENT:
        return NATFW_OK;
    case GIST_SEND_NO_MEMORY:
        return NATFW_NO_MEMORY;
    case GIST_SEND_NO_ROUTE:
    case GIST_SEND_TO_SELF:
    case GIST_SEND_HOP_LIMIT:
        return NATFW_NO_ROUTE;
    default:
        return NATFW_INVALID;
    }
}

enum natfw_result natfw_node_open(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_open *open, struct gist_session_id *session_id)
{
    uint32_t sequence_number;
    if (!may_be_asked(open))
        return NATFW_INVALID;
    if (!draw(node, session_id, &sequence_number))
        return NATFW_NO_RANDOMNESS;
    struct natfw_session *session = natfw_session_table_add(&node->sessions, session_id);
    if (!session)
        return NATFW_NO_MEMORY;
    session->role = NATFW_INITIATOR;
    session->attributes.secure = open->secure;
    natfw_rules_ask(&session->rules, &open->rule);
    session->refreshing.keeps_alive = open->refresh;
    session->refreshing.lifetime_s = open->lifetime_s;
    session->expires_ms = now_ms + open->lifetime_s * UINT64_C(1000);
    session->request.sequence_number = sequence_number;
    begin_request(node, session, open->lifetime_s);
    natfw_session_schedule(node, session);
    enum natfw_result result = result_of(send_create(node, now_ms, session, &open->rule));
    if (result != NATFW_OK) {
        natfw_session_table_remove(&node->sessions, session);
        return result;
    }
    natfw_tell(node, now_ms, NATFW_EVENT_REQUESTED, session_id);
    return NATFW_OK;
}

/* Should no RESPONSE come, there is time for another request before the session ends. */
static uint64_t moment_to_repeat(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    /* What has no lifetime yet, though a NOTIFY came, is asked for as at first, and once. */
    if (session->granted_lifetime_s == 0)
        return NATFW_NO_DEADLINE;
    if (session->state == NATFW_TRANSITORY)
        return now_ms + NATFW_PACE_MS;
    return session->refreshing.keeps_alive ? refresh_time(node, now_ms, session->granted_lifetime_s)
                                           : NATFW_NO_DEADLINE;
}

/* Sends the request anew, with the next number; one that cannot be sent leaves no trace. The
 * session may have ended when this returns GIST_SENT. */
static enum gist_send_result send_again(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct natfw_refreshing *refreshing = &session->refreshing;
    const struct natfw_request before = session->request;
    uint32_t lifetime_s =
        refreshing->lifetime_s ? refreshing->lifetime_s : session->request.lifetime_s;
    session->request.is_change = session->granted_lifetime_s > 0;
    refreshing->due_ms = moment_to_repeat(node, now_ms, session);
    begin_request(node, session, lifetime_s);
    natfw_session_schedule(node, session);
    enum gist_send_result sent =
        send_create(node, now_ms, session, natfw_rules_newest(&session->rules));
    if (sent != GIST_SENT)
        session->request = before;
    return sent;
}

void natfw_initiator_refresh(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    send_again(node, now_ms, session);
}

void natfw_initiator_ask_anew(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct gist_mri flow = mri_of(natfw_rules_in_force(&session->rules));
    natfw_pace_spend(&session->pace, now_ms);
    /* The next node may take another one for us (RFC 5971 7.1.5): a handshake shows who we are. */
    gist_invalidate_routing_state(node->gist, now_ms, &flow, &session->id, GIST_ROUTING_TENTATIVE);
    if (send_again(node, now_ms, session) == GIST_SENT)
        return;
    natfw_pace_ask(&session->pace, now_ms);
    natfw_session_schedule(node, session);
}

static struct natfw_session *own_session(
    const struct natfw_node *node, const struct gist_session_id *id)
{
    struct natfw_session *session = natfw_session_table_find(&node->sessions, id);
    return session && session->role == NATFW_INITIATOR ? session : NULL;
}

enum natfw_result natfw_node_change(struct natfw_node *node, uint64_t now_ms,
    const struct gist_session_id *session_id, const struct natfw_open *open)
{
    struct natfw_session *session = own_session(node, session_id);
    if (!session)
        return NATFW_NO_SESSION;
    if (!may_be_asked(open))
        return NATFW_INVALID;
    const struct natfw_rules rules = session->rules;
    const struct natfw_refreshing refreshing = session->refreshing;
    if (natfw_rules_is_current(&session->rules, &open->rule))
        natfw_rules_refuse(&session->rules);
    else
        natfw_rules_ask(&session->rules, &open->rule);
    session->refreshing.keeps_alive = open->refresh;
    session->refreshing.lifetime_s = open->lifetime_s;
    enum natfw_result result = result_of(send_again(node, now_ms, session));
    if (result == NATFW_OK)
        return NATFW_OK;
    session->rules = rules;
    session->refreshing = refreshing;
    natfw_session_schedule(node, session);
    return result;
}

enum natfw_result natfw_node_close(
    struct natfw_node *node, uint64_t now_ms, const struct gist_session_id *session_id)
{
    struct natfw_session *session = own_session(node, session_id);
    if (!session)
        return NATFW_NO_SESSION;
    struct gist_session_id id = *session_id; /* may lie in the session that ends here */
    begin_request(node, session, 0);
    send_create(node, now_ms, session, natfw_rules_in_force(&session->rules));
    natfw_session_end(node, now_ms, session, NATFW_INPUT_DELETION);
    natfw_tell(node, now_ms, NATFW_EVENT_DELETED, &id);
    return NATFW_OK;
}

/* What the application hears of a success RESPONSE. */
static enum natfw_event_kind kind_of_success(const struct natfw_session *session)
{
    if (session->rules.state == NATFW_RULE_BEING_CHANGED)
        return NATFW_EVENT_UPDATED;
    return session->state == NATFW_PENDING ? NATFW_EVENT_ESTABLISHED : NATFW_EVENT_REFRESHED;
}

static void establish(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    /* Nobody may raise it on the way (3.4). */
    uint32_t granted_s = incoming->message.lifetime_s < session->request.lifetime_s
                             ? incoming->message.lifetime_s
                             : session->request.lifetime_s;
    enum natfw_event_kind kind = kind_of_success(session);
    session->request.is_change = false;
    session->granted_lifetime_s = granted_s;
    session->expires_ms = incoming->now_ms + granted_s * UINT64_C(1000);
    natfw_session_grant(node, incoming->now_ms, session);
    session->state = natfw_session_next(session->state, NATFW_INPUT_SUCCESS);
    natfw_known_peers_add(
        &node->known_peers, incoming->now_ms, &incoming->received->peer, session->expires_ms);
    session->refreshing.due_ms = session->refreshing.keeps_alive
                                     ? refresh_time(node, incoming->now_ms, granted_s)
                                     : NATFW_NO_DEADLINE;
    natfw_session_schedule(node, session);
    natfw_tell_info(node, incoming->now_ms, kind, &session->id, incoming->message.info, NULL);
}

/* A refused refresh or update leaves what was there to its end (ruling A38). */
static void settle_refusal(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    struct natfw_info info, const char *why)
{
    struct gist_session_id id = session->id;
    bool ends =
        natfw_session_ends_by(session, info.code, node->config.error_response_kills_session);
    session->last_answer = info.code;
    session->request.awaits_response = session->request.is_change = false;
    if (ends)
        natfw_session_end(node, now_ms, session, NATFW_INPUT_ERROR);
    else
        natfw_rules_refuse(&session->rules);
    natfw_tell_info(node, now_ms, NATFW_EVENT_REFUSED, &id, info, why);
}

void natfw_initiator_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    struct natfw_info info = incoming->message.info;
    session->last_answer = info.code;
    session->outbound_peer = natfw_peer_of(incoming->received);
    session->request.awaits_response = false;
    if (natfw_class_of(info.code) == NATFW_SUCCESS)
        establish(node, incoming, session);
    else
        settle_refusal(node, incoming->now_ms, session, info, NULL);
}

void natfw_initiator_unreachable(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    settle_refusal(node, now_ms, session, (struct natfw_info){.code = NATFW_DID_NOT_REACH_NR},
        "no NATFW node answers on the path");
}

/*
 * A NATFW node: takes messages from GIST, checks them as RFC 5973 3.3 says, and hands them to the
 * role that the session has here; see node.h.
 */
#include "core/natfw/node.h"

#include "core/natfw/message/message_parse.h"
#include "core/natfw/roles/aggregate.h"
#include "core/natfw/roles/checks.h"
#include "core/natfw/roles/forwarder.h"
#include "core/natfw/roles/initiator.h"
#include "core/natfw/roles/notification.h"
#include "core/natfw/roles/piggyback.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/roles/responder.h"
#include "core/natfw/roles/route_change.h"
#include "core/natfw/session/admission.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

#include <string.h>

struct natfw_node_config natfw_node_config_default(void)
{
    return (struct natfw_node_config){
        .forwarder = true,
        .responder = true,
        .lifetime_min_s = 1,
        .lifetime_max_s = 3600,
        .transitory_hold_s = 30,
        .sessions_max = 65536,
        .sessions_per_stranger_max = 1000,
        .sessions_per_peer_max = 16384,
        .owners_per_peer_max = 8,
    };
}

struct natfw_node *natfw_node_create(
    const struct natfw_node_config *config, const struct natfw_seams *seams)
{
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    const struct base_allocator *allocator = &seams->allocator;
    if (!seams->crypto.random(seams->crypto.context, hash_key, sizeof(hash_key)))
        return NULL;
    struct natfw_node *node = base_allocate(allocator, sizeof(*node));
    if (!node)
        return NULL;
    if (!base_shares_open(&node->shares, allocator, hash_key, 0)) {
        base_release(allocator, node, sizeof(*node));
        return NULL;
    }
    node->config = *config;
    node->seams = *seams;
    memcpy(node->known_peers.hash_key, hash_key, sizeof(hash_key));
    memset(node->piggybacked, 0, sizeof(node->piggybacked));
    node->piggybacked_next = 0;
    node->counters = (struct natfw_counters){0};
    natfw_session_table_open(&node->sessions, config->sessions_max, hash_key, allocator);
    base_table_open(&node->owners, allocator);
    return node;
}

void natfw_node_configure(struct natfw_node *node, const struct natfw_node_config *config)
{
    const struct natfw_node_config before = node->config;
    node->config = *config;
    node->config.forwarder = before.forwarder;
    node->config.responder = before.responder;
    node->sessions.count_max = config->sessions_max;
}

void natfw_node_destroy(struct natfw_node *node)
{
    if (!node)
        return;
    struct base_allocator allocator = node->seams.allocator;
    natfw_session_table_close(&node->sessions);
    base_table_close(&node->owners);
    base_shares_close(&node->shares);
    base_release(&allocator, node, sizeof(*node));
}

void natfw_node_attach(
    struct natfw_node *node, struct gist_node *gist, const struct gist_transport *transport)
{
    node->gist = gist;
    node->transport = *transport;
}

static bool flow_ends_here(struct natfw_node *node, const struct gist_mri *mri)
{
    return node->transport.is_local(node->transport.context, &mri->destination);
}

/* As forwarder or responder, by where the flow ends. */
static void take_part(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    bool ends_here = flow_ends_here(node, &incoming->received->mri);
    if (!(ends_here ? node->config.responder : node->config.forwarder)) {
        natfw_refuse(node, incoming, NATFW_AUTHORIZATION_FAILED);
        return;
    }
    if (ends_here)
        natfw_responder_request(node, incoming, session);
    else
        natfw_forwarder_request(node, incoming, session);
}

static void handle_create(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (session && !SPEC_HOLDS("RFC5973-3.7.1-1", 1, session->role != NATFW_INITIATOR)) {
        natfw_discard(node, incoming, "a CREATE for a session that this node started");
        return;
    }
    const struct gist_mri *mri = &incoming->received->mri;
    if (mri->mrm != GIST_MRM_PATH_COUPLED || mri->upstream) {
        natfw_discard(node, incoming, "a CREATE that does not travel with its flow");
        return;
    }
    if (!natfw_check_authentication(node, incoming))
        return;
    if (gist_session_id_is_zero(&incoming->received->session_id))
        natfw_aggregate_request(node, incoming);
    else if (session && session->attributes.reliable && !incoming->received->attributes.reliable)
        natfw_discard(node, incoming, "a request outside the session's association");
    else if (natfw_check_ownership(node, incoming, session) &&
             natfw_check_authorization(node, incoming, session != NULL) &&
             natfw_check_sequence(node, incoming, session))
        take_part(node, incoming, session);
}

/* Reservations are not made by this node: whoever asks for one is told so (ruling A94). */
static void handle_external(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    (void)session;
    if (!natfw_check_authentication(node, incoming))
        return;
    if (incoming->message.lifetime_s == 0) /* 3.7.4: a deletion is not answered */
        natfw_discard(node, incoming, "a deletion of a session that is not known");
    else
        natfw_refuse(node, incoming, NATFW_NO_EDGE_DEVICE);
}

static void handle_response(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    if (natfw_class_of(incoming->message.info.code) == NATFW_INFORMATIONAL) /* ruling A14 */
        natfw_discard(node, incoming, "a RESPONSE of class 1");
    else if (!session)
        natfw_discard(node, incoming, "a RESPONSE without a session");
    else if (session->role == NATFW_RESPONDER)
        natfw_responder_response(node, incoming);
    else if (!incoming->received->mri.upstream)
        natfw_discard(node, incoming, "a RESPONSE on its way to the responder");
    else if (!natfw_is_from_its_peer(session, incoming->received))
        natfw_discard(node, incoming, "a RESPONSE that is not from the session's outbound peer");
    else if (!session->request.awaits_response ||
             incoming->message.sequence_number != session->request.sequence_number)
        natfw_discard(node, incoming, "a RESPONSE to no current request"); /* ruling A33 */
    else if (session->role == NATFW_INITIATOR)
        natfw_initiator_response(node, incoming, session);
    else
        natfw_forwarder_response(node, incoming, session);
}

static void handle_message(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    static void (*const handlers[])(
        struct natfw_node *, const struct natfw_incoming *, struct natfw_session *) = {
        [NATFW_CREATE] = handle_create,
        [NATFW_EXTERNAL] = handle_external,
        [NATFW_RESPONSE] = handle_response,
        [NATFW_NOTIFY] = natfw_notification,
    };
    struct natfw_session *session =
        natfw_session_table_find(&node->sessions, &incoming->received->session_id);
    if (session && session->attributes.secure && !incoming->received->attributes.secure)
        natfw_discard(node, incoming, "a message of a secure session by another way");
    else
        handlers[incoming->message.type](node, incoming, session);
}

/* A fault in a RESPONSE or a NOTIFY must not be answered (ruling A02). */
static void handle_fault(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_info fault)
{
    if (natfw_is_answer(&incoming->message)) {
        SPEC_NEVER("RFC5973-3.2.7-1", 1) {
            natfw_refuse_info(node, incoming, fault);
            return;
        }
        natfw_discard(node, incoming, "a malformed RESPONSE or NOTIFY");
    } else {
        natfw_refuse_info(node, incoming, fault);
    }
}

/* GIST vouches for what came by its routing state. What was routed explicitly needs a reason: it is
 * about no session in particular, or the sender is our peer in this one. */
static bool comes_from_a_peer(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    const struct gist_received *received = incoming->received;
    if (received->routing_state_validated || gist_session_id_is_zero(&received->session_id))
        return true;
    const struct natfw_session *session =
        natfw_session_table_find(&node->sessions, &received->session_id);
    return session && natfw_is_from_its_peer(session, received);
}

static void handle_piggybacked(
    struct natfw_node *node, const struct natfw_incoming *incoming, bool valid)
{
    uint8_t type = incoming->message.type;
    if (valid && (type == NATFW_CREATE || type == NATFW_EXTERNAL))
        natfw_piggyback_remember(node, incoming);
    natfw_discard(node, incoming, "a message inside a Query");
}

static enum gist_peering receive_message(
    void *context, uint64_t now_ms, const struct gist_received *received)
{
    struct natfw_node *node = context;
    bool ends_here = flow_ends_here(node, &received->mri);
    if (received->routing_state_check &&
        !(ends_here ? node->config.responder : node->config.forwarder))
        return GIST_FORWARD;
    if (received->length == 0)
        return GIST_PEER;
    struct natfw_incoming incoming = {.now_ms = now_ms, .received = received};
    struct natfw_info fault;
    bool valid = natfw_message_parse(received->data, received->length, &incoming.message, &fault);
    if (received->routing_state_check)
        handle_piggybacked(node, &incoming, valid);
    else if (!comes_from_a_peer(node, &incoming))
        natfw_discard(node, &incoming, "a message from a node that is no peer of the session");
    else if (valid)
        handle_message(node, &incoming);
    else
        handle_fault(node, &incoming, fault);
    return GIST_PEER;
}

/* Of the place on a session's inbound side; the outbound one is whom our own Query finds. */
static bool may_take_place(void *context, uint64_t now_ms, const struct gist_received *message)
{
    struct natfw_node *node = context;
    struct natfw_incoming incoming = {.now_ms = now_ms, .received = message};
    const struct natfw_session *session =
        natfw_session_table_find(&node->sessions, &message->session_id);
    if (!session || session->role == NATFW_INITIATOR || message->mri.upstream ||
        natfw_may_speak_for(node, message, session))
        return true;
    natfw_discard(node, &incoming, "a handshake of a node that may not speak for the session");
    return false;
}

static void message_status(
    void *context, uint64_t now_ms, gist_message_handle handle, enum gist_message_status status)
{
    struct natfw_node *node = context;
    struct natfw_session *session = natfw_session_table_of_handle(&node->sessions, handle);
    (void)status; /* whatever it was, the request did not get on */
    if (!session || session->request.handle != handle || !session->request.awaits_response)
        return;
    if (session->role == NATFW_INITIATOR)
        natfw_initiator_unreachable(node, now_ms, session);
    else if (session->role == NATFW_FORWARDER)
        natfw_forwarder_unreachable(node, now_ms, session);
}

static void network_notification(void *context, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id, enum gist_notification notification)
{
    /* State is soft: what the other notifications tell of runs out by itself. */
    if (notification == GIST_NOTIFY_ROUTING_STATUS_GOOD)
        natfw_piggyback_refuse(context, now_ms, mri, session_id);
    if (notification == GIST_NOTIFY_ROUTE_CHANGED)
        natfw_route_reported(context, now_ms, mri, session_id);
}

static bool knows(
    void *context, uint64_t now_ms, const struct gist_address *peer, uint32_t interface)
{
    return natfw_knows(context, now_ms, peer, interface);
}

struct natfw_counters natfw_node_counters(const struct natfw_node *node)
{
    return node->counters;
}

struct gist_application natfw_node_application(struct natfw_node *node)
{
    return (struct gist_application){
        .context = node,
        .receive = receive_message,
        .may_take_place = may_take_place,
        .message_status = message_status,
        .network_notification = network_notification,
        .knows = knows,
    };
}

static void expire_session(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct gist_session_id id = session->id;
    natfw_answer_unfinished(node, now_ms, session);
    natfw_session_end(node, now_ms, session, NATFW_INPUT_LIFETIME_OVER);
    natfw_tell(node, now_ms, NATFW_EVENT_EXPIRED, &id);
}

static void attend(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    if (session->expires_ms <= now_ms)
        expire_session(node, now_ms, session);
    else if (session->pace.due_ms <= now_ms)
        natfw_route_change_due(node, now_ms, session);
    else
        natfw_initiator_refresh(node, now_ms, session);
}

void natfw_node_tick(struct natfw_node *node, uint64_t now_ms)
{
    struct natfw_session *session;
    for (unsigned count = 0;
         count < BASE_TIMERS_AT_ONCE && (session = natfw_session_table_earliest(&node->sessions)) &&
         session->deadline.deadline_ms <= now_ms;
         count++)
        attend(node, now_ms, session);
    natfw_route_walk(node, now_ms);
    natfw_ask_for_tick(node);
}

void natfw_node_middlebox_done(struct natfw_node *node, uint64_t now_ms, natfw_handle handle,
    enum natfw_middlebox_result result)
{
    struct natfw_session *session = natfw_session_table_of_handle(&node->sessions, handle);
    if (session && session->held.octets && session->held.handle == handle)
        natfw_forwarder_installed(node, now_ms, session, result);
}

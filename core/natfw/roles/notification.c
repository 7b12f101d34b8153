/*
 * NOTIFY: how it is sent, what the event that it tells of does to a session, and where it goes
 * next; see notification.h. RFC 5973 3.2.8, 3.7.5, 4.3.4, rulings A46, A47, A49, A50, A53.
 */
#include "core/natfw/roles/notification.h"

#include "core/natfw/roles/aggregate.h"
#include "core/natfw/roles/checks.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

#include <utlist.h>

/* Which directions an event may travel in, and whether it ends the session. RFC 5973 3.7.5. */
static const struct event {
    enum natfw_code code;
    bool outbound_too;
    bool ends_session;
} events[] = {
    {NATFW_ROUTE_CHANGE, .outbound_too = true},
    {NATFW_REAUTHENTICATION_REQUIRED, .outbound_too = false},
    {NATFW_GOING_DOWN, .outbound_too = true},
    {NATFW_SESSION_EXPIRED, .outbound_too = true, .ends_session = true},
    {NATFW_SESSION_TERMINATED, .outbound_too = true, .ends_session = true},
};

static const struct event unknown_event = {.outbound_too = true};

static const struct event *event_of(enum natfw_code code)
{
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i].code == code)
            return &events[i];
    return &unknown_event;
}

/* After a route change the routing state may lead to a new node, which knows nothing of the
 * session. Returns false where the very peer cannot be named any more. */
static bool address_explicitly(const struct natfw_session *session, struct gist_send_request *about)
{
    gist_sii_handle handle = session->outbound_peer.handle;
    about->sii_handle = SPEC_VALUE("RFC5973-3.7.5-4", 1, handle, 0);
    return handle != 0;
}

static enum gist_send_result send_notify(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_session *session, const struct natfw_message *message,
    const struct gist_send_request *about)
{
    struct gist_send_request request = *about;
    bool is_explicit = !about->mri.upstream && message->info.code == NATFW_ROUTE_CHANGE;
    if (is_explicit && !address_explicitly(session, &request)) {
        natfw_tell_unsent(node, now_ms, &request, message->info, GIST_SEND_NO_ROUTE);
        return GIST_SEND_NO_ROUTE;
    }
    request.attributes.reliable = true; /* NOTIFY goes over associations only, 3.7.5 */
    request.mri.mrm = SPEC_VALUE("RFC5973-4.3.4-1", 1, about->mri.mrm, GIST_MRM_LOOSE_END);
    return natfw_send(node, now_ms, message, &request);
}

static struct natfw_message notification(enum natfw_code code)
{
    enum natfw_code as_failure =
        (enum natfw_code)NATFW_CODE(NATFW_PERMANENT_FAILURE, natfw_number_of(code));
    struct natfw_message message = {.type = NATFW_NOTIFY};
    message.info.code = SPEC_VALUE("RFC5973-3.7.5-1", 1, code, as_failure);
    natfw_message_add(&message, NATFW_INFO);
    return message;
}

enum gist_send_result natfw_notify(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_session *session, bool inbound, enum natfw_code code)
{
    struct natfw_message message = notification(code);
    struct gist_send_request about = {
        .session_id = session->id,
        .mri = natfw_rules_in_force(&session->rules)->flow,
        .attributes = {.secure = session->attributes.secure},
    };
    about.mri.upstream = inbound;
    return send_notify(node, now_ms, session, &message, &about);
}

static void relay(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session, const struct gist_mri *flow, bool inbound)
{
    struct gist_send_request about = {
        .session_id = session->id,
        .mri = *flow,
        .attributes = {.secure = session->attributes.secure},
        .has_hop_count = true,
        .hop_count = incoming->received->hop_count,
    };
    about.mri.upstream = inbound;
    send_notify(node, incoming->now_ms, session, &incoming->message, &about);
}

/* Wild but for our own address, which has to be a real one (RFC 5971 5.8.1.1, ruling A53). */
static struct gist_mri wildcard_towards(
    const struct natfw_node *node, const struct gist_address *peer)
{
    struct gist_route route;
    struct gist_mri mri = {.mrm = GIST_MRM_PATH_COUPLED};
    bool has_route = node->transport.route(node->transport.context, peer, &route);
    mri.source = has_route ? route.local : (struct gist_address){.version = peer->version};
    mri.destination = mri.source;
    return mri;
}

enum gist_send_result natfw_notify_peer(struct natfw_node *node, uint64_t now_ms,
    const struct natfw_peer *peer, bool inbound, enum natfw_code code)
{
    struct natfw_message message = notification(code);
    struct gist_send_request request = {
        .mri = wildcard_towards(node, &peer->address),
        .attributes = {.reliable = true},
        .sii_handle = peer->handle,
    };
    request.mri.upstream = inbound;
    return natfw_send(node, now_ms, &message, &request);
}

/* An initiator asks the path anew (ruling A86). */
static void hold(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    if (session->role == NATFW_INITIATOR)
        natfw_pace_ask(&session->pace, now_ms);
    natfw_session_hold(node, now_ms, session);
}

static bool is_known_already(
    const struct natfw_incoming *incoming, const struct natfw_session *session)
{
    return incoming->message.info.code == NATFW_ROUTE_CHANGE && session->state == NATFW_TRANSITORY;
}

static const char *reason_to_discard(const struct natfw_incoming *incoming,
    const struct natfw_session *session, const struct event *event)
{
    const struct gist_received *received = incoming->received;
    if (!session && !gist_session_id_is_zero(&received->session_id))
        return "a NOTIFY without a session";
    if (session && !natfw_is_from_its_peer(session, received))
        return "a NOTIFY that is not from the session's peer";
    SPEC_ENSURE("RFC5973-3.7.5-11", 1, received->association != 0) {
        return "a NOTIFY outside a messaging association";
    }
    if (natfw_class_of(incoming->message.info.code) != NATFW_INFORMATIONAL)
        return "a NOTIFY whose class is not 1";
    if (!received->mri.upstream && !event->outbound_too)
        return "a NOTIFY that may only travel inbound";
    if (session && is_known_already(incoming, session))
        return "a route change of a session that is Transitory";
    return NULL;
}

static bool goes_inbound(const struct natfw_incoming *incoming, const struct event *event)
{
    if (!event->outbound_too)
        return SPEC_VALUE("RFC5973-3.7.5-5", 1, true, false);
    return incoming->received->mri.upstream;
}

/* What the event means for one session, and where it goes from here. */
static void take_event(struct natfw_node *node, const struct natfw_incoming *incoming,
    struct natfw_session *session, const struct gist_mri *flow, const struct event *event)
{
    struct gist_session_id id = session->id;
    if (session->role == NATFW_FORWARDER)
        relay(node, incoming, session, flow, goes_inbound(incoming, event));
    if (event->ends_session) {
        natfw_answer_unfinished(node, incoming->now_ms, session);
        natfw_session_end(node, incoming->now_ms, session, NATFW_INPUT_NOTIFY_END);
    } else {
        hold(node, incoming->now_ms, session);
    }
    natfw_tell_info(
        node, incoming->now_ms, NATFW_EVENT_NOTIFIED, &id, incoming->message.info, NULL);
}

/* One NOTIFY about all sessions with a peer, in place of one for each (ruling A53). The next nodes
 * have sessions with us that are not of that peer: they are told of each. */
static void take_aggregate(
    struct natfw_node *node, const struct natfw_incoming *incoming, const struct event *event)
{
    size_t count = 0;
    struct natfw_session *session, *next;
    DL_FOREACH_SAFE(node->sessions.all, session, next) {
        const struct gist_mri flow = natfw_rules_newest(&session->rules)->flow;
        if (!natfw_is_from_its_peer(session, incoming->received) ||
            !natfw_aggregate_covers(&incoming->received->mri, &flow) ||
            is_known_already(incoming, session))
            continue;
        take_event(node, incoming, session, &flow, event);
        count++;
    }
    if (count == 0)
        natfw_discard(node, incoming, "a NOTIFY about no session of its sender");
}

void natfw_notification(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct event *event = event_of(incoming->message.info.code);
    const char *why = reason_to_discard(incoming, session, event);
    if (why)
        natfw_discard(node, incoming, why);
    else if (session)
        take_event(node, incoming, session, &incoming->received->mri, event);
    else
        take_aggregate(node, incoming, event);
}

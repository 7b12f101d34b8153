/*
 * NOTIFY: what an asynchronous event does to a session, and where it goes next; see notification.h.
 * RFC 5973 3.2.8, 3.7.5, rulings A46, A47, A49, A50.
 */
#include "core/natfw/roles/notification.h"

#include "core/natfw/roles/checks.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

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

static void relay(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    struct gist_send_request request = {
        .session_id = incoming->received->session_id,
        .mri = incoming->received->mri,
        .attributes = {.reliable = true},
        .hop_count = incoming->received->hop_count,
    };
    (void)natfw_send(node, incoming->now_ms, &incoming->message, &request);
}

/* Transitory keeps the session, but not for ever: 30 s or more (3.2.8). */
static void hold(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    uint64_t hold_until_ms = now_ms + node->config.transitory_hold_s * UINT64_C(1000);
    session->state = natfw_session_next(session->state, NATFW_INPUT_NOTIFY_CHANGE);
    if (hold_until_ms < session->expires_ms)
        session->expires_ms = hold_until_ms;
    if (hold_until_ms < session->request.expires_before_ms)
        session->request.expires_before_ms = hold_until_ms;
    if (session->role == NATFW_INITIATOR)
        session->refreshing.due_ms = now_ms; /* ask the path anew (ruling A86) */
    natfw_session_schedule(node, session);
}

static const char *reason_to_discard(const struct natfw_incoming *incoming,
    const struct natfw_session *session, const struct event *event)
{
    const struct natfw_info *info = &incoming->message.info;
    if (!session)
        return "a NOTIFY without a session";
    if (!natfw_is_from_its_peer(session, incoming->received))
        return "a NOTIFY that is not from the session's peer";
    SPEC_ENSURE("RFC5973-3.7.5-11", 1, incoming->received->association != 0) {
        return "a NOTIFY outside a messaging association";
    }
    if (natfw_class_of(info->code) != NATFW_INFORMATIONAL)
        return "a NOTIFY whose class is not 1";
    if (!incoming->received->mri.upstream && !event->outbound_too)
        return "a NOTIFY that may only travel inbound";
    if (info->code == NATFW_ROUTE_CHANGE && session->state == NATFW_TRANSITORY)
        return "a route change of a session that is Transitory";
    return NULL;
}

void natfw_notification(
    struct natfw_node *node, const struct natfw_incoming *incoming, struct natfw_session *session)
{
    const struct event *event = event_of(incoming->message.info.code);
    const char *why = reason_to_discard(incoming, session, event);
    if (why) {
        natfw_discard(node, incoming, why);
        return;
    }
    if (session->role == NATFW_FORWARDER)
        relay(node, incoming);
    if (event->ends_session)
        natfw_session_end(node, incoming->now_ms, session, NATFW_INPUT_NOTIFY_END);
    else
        hold(node, incoming->now_ms, session);
    natfw_tell_info(node, incoming->now_ms, NATFW_EVENT_NOTIFIED, &incoming->received->session_id,
        incoming->message.info, NULL);
}

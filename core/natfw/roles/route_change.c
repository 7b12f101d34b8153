/*
 * A route change that this node notices; see route_change.h. RFC 5973 3.7.5, 3.9, RFC 5971 7.1,
 * rulings A46, A47, A49, A86.
 *
 * GIST tells of another peer, in either direction; this host's own routing, of another way to the
 * flow's end. A forwarder whose outbound path changes tells both sides, and the session is
 * Transitory until a request comes by the new path. An initiator sends that request.
 *
 * Who has another peer inbound tells that peer, no more: nothing has changed outbound, and the node
 * that was there before may only be late to notice that it is beside the path. Were the session
 * Transitory then, or nodes further out told so, they could end it while its initiator knows
 * nothing.
 */
#include "core/natfw/roles/route_change.h"

#include "core/natfw/roles/crossing.h"
#include "core/natfw/roles/initiator.h"
#include "core/natfw/roles/notification.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"
#include "core/spec/spec.h"

enum {
    /* Each may cost a few system calls, two messages and a Query. */
    SESSIONS_AT_ONCE = 32,
    /* By then the inbound peer has refreshed its routing state, and has an association with us. */
    UNSENT_PAUSE_MS = 30000
};

static bool tell_inbound(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    SPEC_DO("RFC5973-3.7.5-2", 1) {
        return natfw_notify(node, now_ms, session, true, NATFW_ROUTE_CHANGE) == GIST_SENT;
    }
    return true;
}

/* To whoever was next before the change: the one after it gets a request. */
static void tell_outbound(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    if (session->role != NATFW_FORWARDER || !natfw_peer_is_known(&session->outbound_peer))
        return;
    SPEC_DO("RFC5973-3.7.5-2", 2) {
        natfw_notify(node, now_ms, session, false, NATFW_ROUTE_CHANGE);
    }
}

/* Without a way inbound the session goes on as it is, and its initiator is told later. */
static void tell_peers(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    bool is_outbound = session->pace.is_outbound;
    natfw_pace_spend(&session->pace, now_ms);
    if (!tell_inbound(node, now_ms, session)) {
        natfw_pace_ask(&session->pace, now_ms + UNSENT_PAUSE_MS);
        session->pace.is_outbound = is_outbound;
    } else if (is_outbound) {
        tell_outbound(node, now_ms, session);
        natfw_session_hold(node, now_ms, session);
    }
    natfw_session_schedule(node, session);
}

static bool is_to_be_told(const struct natfw_session *session)
{
    return SPEC_HOLDS("RFC5973-3.7.5-2", 3, session->state != NATFW_TRANSITORY);
}

void natfw_route_change_due(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    if (session->role == NATFW_INITIATOR) {
        natfw_initiator_ask_anew(node, now_ms, session);
    } else if (is_to_be_told(session)) {
        tell_peers(node, now_ms, session);
    } else {
        natfw_pace_drop(&session->pace);
        natfw_session_schedule(node, session);
    }
}

/* What waits for its turn already, or would change nothing. */
static bool is_old_news(const struct natfw_session *session)
{
    return session->pace.due_ms != NATFW_NO_DEADLINE ||
           (session->role != NATFW_INITIATOR && !is_to_be_told(session));
}

/* Peers are told at once, so that it is before any request which comes by the new path. */
static void route_changed(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    bool outbound, const char *why)
{
    session->pace.is_outbound |= outbound;
    if (is_old_news(session))
        return;
    natfw_tell_info(
        node, now_ms, NATFW_EVENT_ROUTE_CHANGED, &session->id, (struct natfw_info){0}, why);
    natfw_pace_ask(&session->pace, now_ms);
    if (session->role != NATFW_INITIATOR && session->pace.due_ms <= now_ms)
        tell_peers(node, now_ms, session);
    else
        natfw_session_schedule(node, session);
}

void natfw_route_reported(struct natfw_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id)
{
    struct natfw_session *session = natfw_session_table_find(&node->sessions, session_id);
    if (session && gist_mri_same_flow(&natfw_rules_in_force(&session->rules)->flow, mri))
        route_changed(node, now_ms, session, !mri->upstream,
            mri->upstream ? "another node is next inbound" : "another node is next outbound");
}

/* 7.1.3: the peer that is known may be beside the path, and what it is sent be lost. */
static void find_next_node(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_session *session)
{
    struct gist_mri flow = natfw_rules_newest(&session->rules)->flow;
    flow.upstream = false;
    gist_invalidate_routing_state(node->gist, now_ms, &flow, &session->id, GIST_ROUTING_BAD);
}

/* Nobody would get the rule now, so nobody keeps it. The initiator hears of a route change, not of
 * an end: another firewall may be on its path. */
static void give_up(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct gist_session_id id = session->id;
    if (is_to_be_told(session)) {
        tell_inbound(node, now_ms, session);
        tell_outbound(node, now_ms, session);
    }
    natfw_answer_unfinished(node, now_ms, session);
    natfw_session_end(node, now_ms, session, NATFW_INPUT_DELETION);
    natfw_tell_info(node, now_ms, NATFW_EVENT_DELETED, &id, (struct natfw_info){0},
        "the flow leaves by the interface by which it came in");
}

/* Where the route is another one than when its newest request went on. */
static void look_at(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    const struct gist_mri *flow = &natfw_rules_newest(&session->rules)->flow;
    struct natfw_onward_route before = session->onward;
    if (session->role == NATFW_RESPONDER)
        return;
    session->onward = natfw_onward_route_now(&node->transport, &flow->destination);
    if (!natfw_onward_route_differs(&before, &session->onward))
        return;
    find_next_node(node, now_ms, session);
    if (session->role == NATFW_FORWARDER &&
        !natfw_flow_crosses(node, flow, session->inbound_peer.interface))
        give_up(node, now_ms, session);
    else
        route_changed(node, now_ms, session, true, "its route has changed here");
}

static void begin_walk(struct natfw_node *node, uint64_t now_ms)
{
    struct natfw_route_walk *walk = &node->route_walk;
    natfw_session_walk_begin(&node->sessions, &walk->sessions);
    walk->is_underway = true;
    walk->starts_over = false;
    walk->due_ms = now_ms;
}

void natfw_route_walk(struct natfw_node *node, uint64_t now_ms)
{
    struct natfw_route_walk *walk = &node->route_walk;
    if (!walk->is_underway)
        return;
    for (unsigned count = 0; count < SESSIONS_AT_ONCE && walk->sessions.next_session; count++)
        look_at(node, now_ms, natfw_session_walk_next(&walk->sessions));
    if (walk->sessions.next_session)
        return;
    natfw_session_walk_end(&node->sessions, &walk->sessions);
    walk->is_underway = false;
    if (walk->starts_over)
        begin_walk(node, now_ms);
}

void natfw_node_routes_changed(struct natfw_node *node, uint64_t now_ms)
{
    if (node->route_walk.is_underway) {
        node->route_walk.starts_over = true;
        return;
    }
    begin_walk(node, now_ms);
    natfw_ask_for_tick(node);
}

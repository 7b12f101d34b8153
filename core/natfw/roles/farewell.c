/*
 * What a node tells its peers before it goes: one NOTIFY for all sessions that it has with a peer,
 * both ways, where it can be routed to the peer explicitly, else one for each. RFC 5973 3.7.5,
 * ruling A53. An initiator makes no NOTIFY: its own sessions it deletes.
 */
#include "core/natfw/node.h"

#include "core/natfw/roles/notification.h"
#include "core/natfw/roles/reply.h"
#include "core/natfw/session/observer.h"
#include "core/natfw/session/session_life.h"

#include <utlist.h>

/* Who is to be told of the session in this direction; NULL: nobody. */
static const struct natfw_peer *peer_of(const struct natfw_session *session, bool inbound)
{
    const struct natfw_peer *peer = inbound ? &session->inbound_peer : &session->outbound_peer;
    bool has_one = inbound || session->role == NATFW_FORWARDER;
    return has_one && natfw_peer_is_known(peer) ? peer : NULL;
}

static void tell_peer(struct natfw_node *node, uint64_t now_ms, const struct natfw_peer *peer,
    bool inbound, enum natfw_code code)
{
    bool aggregated = natfw_notify_peer(node, now_ms, peer, inbound, code) == GIST_SENT;
    struct natfw_session *session;
    DL_FOREACH(node->sessions.all, session) {
        const struct natfw_peer *other = peer_of(session, inbound);
        if (!other || !natfw_peer_equal(other, peer))
            continue;
        session->peer_was_told = true;
        if (!aggregated)
            natfw_notify(node, now_ms, session, inbound, code);
    }
}

static void tell_peers(struct natfw_node *node, uint64_t now_ms, bool inbound, enum natfw_code code)
{
    struct natfw_session *session;
    DL_FOREACH(node->sessions.all, session)
        session->peer_was_told = false;
    DL_FOREACH(node->sessions.all, session) {
        const struct natfw_peer *peer = peer_of(session, inbound);
        if (peer && !session->peer_was_told)
            tell_peer(node, now_ms, peer, inbound, code);
    }
}

void natfw_node_warn_peers(struct natfw_node *node, uint64_t now_ms)
{
    tell_peers(node, now_ms, true, NATFW_GOING_DOWN);
    tell_peers(node, now_ms, false, NATFW_GOING_DOWN);
}

static void end_session(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    struct gist_session_id id = session->id;
    if (session->role == NATFW_INITIATOR) {
        natfw_node_close(node, now_ms, &id);
        return;
    }
    natfw_answer_unfinished(node, now_ms, session);
    natfw_session_end(node, now_ms, session, NATFW_INPUT_DELETION);
    natfw_tell_info(node, now_ms, NATFW_EVENT_DELETED, &id, (struct natfw_info){0},
        "this node ends its sessions");
}

void natfw_node_end_sessions(struct natfw_node *node, uint64_t now_ms)
{
    tell_peers(node, now_ms, true, NATFW_SESSION_TERMINATED);
    tell_peers(node, now_ms, false, NATFW_SESSION_TERMINATED);
    while (node->sessions.all)
        end_session(node, now_ms, node->sessions.all);
}

/* Taking a session along to the next start; see core/natfw/snapshot.h. */
#include "core/natfw/snapshot.h"

#include "core/natfw/session/admission.h"
#include "core/natfw/session/session_life.h"

/* A request may have been sent after the snapshot: its number must not be used again. */
enum { NUMBERS_LEFT_OUT = 8 };

bool natfw_node_snapshot(const struct natfw_node *node, const struct gist_session_id *id,
    struct natfw_snapshot *snapshot)
{
    const struct natfw_session *session = natfw_session_table_find(&node->sessions, id);
    if (!session || !natfw_rules_have_current(&session->rules))
        return false;
    *snapshot = (struct natfw_snapshot){
        .id = session->id,
        .role = session->role,
        .rule = session->rules.current,
        .lifetime_s = session->granted_lifetime_s,
        .expires_ms = session->expires_ms,
        .sequence_number = session->request.sequence_number,
        .inbound_peer = session->inbound_peer,
        .outbound_peer = session->outbound_peer,
        .reliable = session->attributes.reliable,
        .secure = session->attributes.secure,
        .keeps_alive = session->refreshing.keeps_alive,
        .refresh_lifetime_s = session->refreshing.lifetime_s,
    };
    return true;
}

static bool is_our_role(const struct natfw_node *node, enum natfw_role role)
{
    return role == NATFW_INITIATOR || (role == NATFW_FORWARDER && node->config.forwarder) ||
           (role == NATFW_RESPONDER && node->config.responder);
}

/* Its handle named an association that is gone. */
static struct natfw_peer without_handle(const struct natfw_peer *peer)
{
    struct natfw_peer known = *peer;
    known.handle = 0;
    return known;
}

/* Somewhere in the first half of the time that is left, so that not all sessions ask at once. */
static uint64_t moment_to_ask(struct natfw_node *node, uint64_t now_ms, uint64_t expires_ms)
{
    uint16_t spread = UINT16_MAX / 2;
    (void)node->seams.crypto.random(node->seams.crypto.context, (uint8_t *)&spread, sizeof(spread));
    return now_ms + (expires_ms - now_ms) / 2 * spread / UINT16_MAX;
}

static struct natfw_session *add(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_snapshot *snapshot)
{
    const struct natfw_peer *peer = &snapshot->inbound_peer;
    if (snapshot->role == NATFW_INITIATOR)
        return natfw_session_table_add(&node->sessions, &snapshot->id);
    natfw_known_peers_add(&node->known_peers, now_ms, &peer->address, snapshot->expires_ms);
    return natfw_session_admit_of(node, now_ms, &snapshot->id, &peer->address, peer->interface);
}

static void fill(struct natfw_session *session, const struct natfw_snapshot *snapshot)
{
    session->role = snapshot->role;
    session->state = NATFW_ESTABLISHED;
    natfw_rules_ask(&session->rules, &snapshot->rule);
    natfw_rules_grant(&session->rules);
    session->granted_lifetime_s = session->request.lifetime_s = snapshot->lifetime_s;
    session->expires_ms = snapshot->expires_ms;
    session->request.sequence_number =
        snapshot->sequence_number + (snapshot->role == NATFW_INITIATOR ? NUMBERS_LEFT_OUT : 0);
    session->inbound_peer = without_handle(&snapshot->inbound_peer);
    session->outbound_peer = without_handle(&snapshot->outbound_peer);
    session->attributes.reliable = snapshot->reliable;
    session->attributes.secure = snapshot->secure;
}

static bool remember_rule(struct natfw_node *node, const struct natfw_snapshot *snapshot)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    return middlebox->remember(middlebox->context, &snapshot->id, &snapshot->rule) ==
           NATFW_MIDDLEBOX_OK;
}

static void install_rule(struct natfw_node *node, struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    middlebox->install(middlebox->context, &session->id, &session->rules.current,
        session->expires_ms, NATFW_NO_HANDLE);
    natfw_session_owns(node, session);
}

static void resume_refreshing(struct natfw_node *node, uint64_t now_ms,
    struct natfw_session *session, const struct natfw_snapshot *snapshot)
{
    session->refreshing.keeps_alive = snapshot->keeps_alive;
    session->refreshing.lifetime_s = snapshot->refresh_lifetime_s;
    session->refreshing.due_ms = session->role == NATFW_INITIATOR && snapshot->keeps_alive
                                     ? moment_to_ask(node, now_ms, snapshot->expires_ms)
                                     : NATFW_NO_DEADLINE;
}

enum natfw_result natfw_node_restore(
    struct natfw_node *node, uint64_t now_ms, const struct natfw_snapshot *snapshot)
{
    if (snapshot->expires_ms <= now_ms || !is_our_role(node, snapshot->role) ||
        natfw_session_table_find(&node->sessions, &snapshot->id))
        return NATFW_INVALID;
    struct natfw_session *session = add(node, now_ms, snapshot);
    if (!session)
        return NATFW_NO_MEMORY;
    if (snapshot->role == NATFW_FORWARDER && !remember_rule(node, snapshot)) {
        natfw_session_dismiss(node, session);
        natfw_session_table_remove(&node->sessions, session);
        return NATFW_NO_MEMORY;
    }
    fill(session, snapshot);
    if (session->role == NATFW_FORWARDER)
        install_rule(node, session);
    resume_refreshing(node, now_ms, session, snapshot);
    natfw_session_schedule(node, session);
    return NATFW_OK;
}

/* The life of a session; see session_life.h. RFC 5973 3.2.8, 3.4, 3.7.4. */
#include "core/natfw/session/session_life.h"

#include "core/natfw/session/admission.h"
#include "core/natfw/session/view.h"
#include "core/spec/spec.h"

/* The last message of a session may have to wait for a new association. */
enum { FAREWELL_MS = 10000 };

void natfw_ask_for_tick(struct natfw_node *node)
{
    const struct natfw_session *earliest = natfw_session_table_earliest(&node->sessions);
    uint64_t deadline_ms = earliest ? earliest->deadline.deadline_ms : NATFW_NO_DEADLINE;
    if (node->route_walk.is_underway && node->route_walk.due_ms < deadline_ms)
        deadline_ms = node->route_walk.due_ms;
    node->seams.set_deadline(node->seams.deadline_context, deadline_ms);
}

void natfw_session_schedule(struct natfw_node *node, struct natfw_session *session)
{
    uint64_t deadline_ms = session->expires_ms;
    if (session->refreshing.due_ms < deadline_ms)
        deadline_ms = session->refreshing.due_ms;
    if (session->pace.due_ms < deadline_ms)
        deadline_ms = session->pace.due_ms;
    natfw_session_table_set_deadline(&node->sessions, session, deadline_ms);
    natfw_ask_for_tick(node);
}

void natfw_session_hold(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    uint64_t hold_until_ms = now_ms + node->config.transitory_hold_s * UINT64_C(1000);
    session->state = natfw_session_next(session->state, NATFW_INPUT_NOTIFY_CHANGE);
    if (hold_until_ms < session->expires_ms)
        session->expires_ms = hold_until_ms;
    if (hold_until_ms < session->request.expires_before_ms)
        session->request.expires_before_ms = hold_until_ms;
    natfw_session_schedule(node, session);
}

static void remove_rule(struct natfw_node *node, const struct natfw_session *session,
    const struct natfw_policy_rule *rule)
{
    node->seams.middlebox.remove(node->seams.middlebox.context, &session->id, rule);
}

static void remove_current(
    struct natfw_node *node, const struct natfw_session *session, enum natfw_session_input input)
{
    if (input == NATFW_INPUT_LIFETIME_OVER) {
        SPEC_NEVER("RFC5973-3.4-1a", 1) { /* left to the middlebox */
            return;
        }
    }
    if (input == NATFW_INPUT_DELETION) {
        SPEC_NEVER("RFC5973-3.7.4-1", 1) {
            return;
        }
    }
    remove_rule(node, session, &session->rules.current);
}

static void remove_next(
    struct natfw_node *node, const struct natfw_session *session, enum natfw_session_input input)
{
    if (input == NATFW_INPUT_LIFETIME_OVER) {
        SPEC_NEVER("RFC5973-3.4-1b", 1) {
            return;
        }
    }
    remove_rule(node, session, &session->rules.next);
}

/* In both directions. */
static void keep_routing_state(struct natfw_node *node, uint64_t now_ms,
    const struct gist_session_id *id, const struct gist_mri *flow, uint64_t lifetime_ms)
{
    struct gist_mri mri = *flow;
    for (int upstream = 0; upstream <= 1; upstream++) {
        mri.upstream = upstream;
        gist_set_state_lifetime(node->gist, now_ms, &mri, id, lifetime_ms);
    }
}

void natfw_session_grant(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session)
{
    const struct gist_mri before = natfw_rules_in_force(&session->rules)->flow;
    natfw_rules_grant(&session->rules);
    const struct gist_mri *flow = &natfw_rules_in_force(&session->rules)->flow;
    uint64_t lifetime_ms = session->expires_ms > now_ms ? session->expires_ms - now_ms : 0;
    if (!gist_mri_same_flow(&before, flow))
        keep_routing_state(node, now_ms, &session->id, &before, FAREWELL_MS);
    keep_routing_state(node, now_ms, &session->id, flow, lifetime_ms + FAREWELL_MS);
}

void natfw_session_end(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    enum natfw_session_input input)
{
    session->state = natfw_session_next(session->state, input);
    if (session->role == NATFW_FORWARDER && natfw_rules_have_current(&session->rules))
        remove_current(node, session, input);
    if (session->role == NATFW_FORWARDER && natfw_rules_have_next(&session->rules))
        remove_next(node, session, input);
    keep_routing_state(
        node, now_ms, &session->id, &natfw_rules_in_force(&session->rules)->flow, FAREWELL_MS);
    node->ended = natfw_session_view_of(session);
    node->ended.rule_installed = false;
    natfw_session_dismiss(node, session);
    natfw_session_table_remove(&node->sessions, session);
    natfw_ask_for_tick(node);
}

struct natfw_session *natfw_session_in_role(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session, enum natfw_role role)
{
    if (!session || session->role == role)
        return session;
    natfw_session_end(node, now_ms, session, NATFW_INPUT_DELETION);
    return NULL;
}

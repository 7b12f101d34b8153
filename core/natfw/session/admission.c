/* Shares of sessions and of rules; see admission.h. */
#include "core/natfw/session/admission.h"

#include "core/gist/message/mri_object.h"

enum { OF_SESSIONS, OF_RULE };

bool natfw_knows(struct natfw_node *node, uint64_t now_ms, const struct gist_address *address,
    uint32_t interface)
{
    const struct natfw_policy *policy = &node->seams.policy;
    return natfw_known_peers_have(&node->known_peers, now_ms, address) ||
           (policy->names && policy->names(policy->context, address, interface));
}

static struct gist_share share_of_sessions(struct natfw_node *node)
{
    const struct natfw_node_config *config = &node->config;
    return (struct gist_share){.shares = &node->shares,
        .what = OF_SESSIONS,
        .limits = gist_share_limits_of(config->sessions_max, config->sessions_per_stranger_max,
            config->sessions_per_peer_max)};
}

/* Of the owners of one rule, where who is known has no more than others. */
static struct gist_share share_of_rule(struct natfw_node *node, uint64_t rule)
{
    uint64_t limit = node->config.owners_per_peer_max;
    return (struct gist_share){.shares = &node->shares,
        .what = OF_RULE,
        .instance = rule,
        .limits = {.stranger = limit, .known = limit}};
}

struct natfw_session *natfw_session_admit_of(struct natfw_node *node, uint64_t now_ms,
    const struct gist_session_id *id, const struct gist_address *peer, uint32_t interface)
{
    struct gist_share share = share_of_sessions(node);
    struct gist_share_holder holder = {.address = *peer,
        .interface = interface,
        .known = natfw_knows(node, now_ms, peer, interface)};
    if (gist_share_take(&share, now_ms, &holder, 1) != GIST_SHARE_TAKEN) {
        node->counters.sessions_refused++;
        return NULL;
    }
    struct natfw_session *session = natfw_session_table_add(&node->sessions, id);
    if (!session) {
        gist_share_give_back(&share, now_ms, &holder, 1);
        return NULL;
    }
    session->holder = holder;
    session->is_admitted = true;
    return session;
}

struct natfw_session *natfw_session_admit(
    struct natfw_node *node, const struct natfw_incoming *incoming)
{
    const struct gist_received *received = incoming->received;
    return natfw_session_admit_of(
        node, incoming->now_ms, &received->session_id, &received->peer, received->interface);
}

/* What tells a rule from others; its direction does not count. */
static uint64_t hash_of(const struct natfw_node *node, const struct natfw_policy_rule *rule)
{
    uint8_t octets[GIST_MRI_VALUE_MAX + 2];
    struct gist_mri flow = gist_mri_upstream(&rule->flow);
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    wire_put_u8(&writer, (uint8_t)rule->action);
    wire_put_u8(&writer, rule->sub_ports);
    gist_mri_write(&writer, &flow);
    return base_hash(node->known_peers.hash_key, octets, wire_written(&writer));
}

bool natfw_may_own(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule)
{
    struct gist_share share = share_of_rule(node, hash_of(node, rule));
    struct gist_share_holder holder = {.address = incoming->received->peer};
    if (gist_share_take(&share, incoming->now_ms, &holder, 1) == GIST_SHARE_TAKEN) {
        gist_share_give_back(&share, incoming->now_ms, &holder, 1);
        return true;
    }
    node->counters.owners_refused++;
    return false;
}

/* natfw_may_own said yes for who sent the request; it may have been another peer's turn since. */
static bool take_rule(struct natfw_node *node, struct natfw_session *session, uint64_t rule)
{
    struct gist_share share = share_of_rule(node, rule);
    struct gist_share_holder holder = {.address = session->holder.address};
    return gist_share_take(&share, 0, &holder, 1) == GIST_SHARE_TAKEN;
}

static void give_rule_back(struct natfw_node *node, struct natfw_session *session, uint64_t rule)
{
    struct gist_share share = share_of_rule(node, rule);
    struct gist_share_holder holder = {.address = session->holder.address};
    gist_share_give_back(&share, 0, &holder, 1);
}

static bool is_among(uint64_t rule, const struct natfw_owned_rules *owned)
{
    for (size_t i = 0; i < owned->count; i++)
        if (owned->rules[i] == rule)
            return true;
    return false;
}

static void add_rule(struct natfw_owned_rules *owned, uint64_t rule)
{
    if (!is_among(rule, owned))
        owned->rules[owned->count++] = rule;
}

static void own_instead(
    struct natfw_node *node, struct natfw_session *session, const struct natfw_owned_rules *owned)
{
    const struct natfw_owned_rules before = session->owned;
    session->owned.count = 0;
    for (size_t i = 0; i < before.count; i++)
        if (!is_among(before.rules[i], owned))
            give_rule_back(node, session, before.rules[i]);
    for (size_t i = 0; i < owned->count; i++)
        if (is_among(owned->rules[i], &before) || take_rule(node, session, owned->rules[i]))
            add_rule(&session->owned, owned->rules[i]);
}

void natfw_session_owns(struct natfw_node *node, struct natfw_session *session)
{
    struct natfw_owned_rules owned = {0};
    if (natfw_rules_have_current(&session->rules))
        add_rule(&owned, hash_of(node, &session->rules.current));
    if (natfw_rules_have_next(&session->rules))
        add_rule(&owned, hash_of(node, &session->rules.next));
    own_instead(node, session, &owned);
}

void natfw_session_dismiss(struct natfw_node *node, struct natfw_session *session)
{
    struct gist_share share = share_of_sessions(node);
    own_instead(node, session, &(struct natfw_owned_rules){0});
    if (session->is_admitted)
        gist_share_give_back(&share, 0, &session->holder, 1);
}

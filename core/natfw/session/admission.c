/* Shares of sessions and of rules; see admission.h. */
#include "core/natfw/session/admission.h"

#include "core/base/container.h"
#include "core/gist/message/mri_object.h"

#include <string.h>

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
        .limits = gist_share_limits_of(config->sessions_max, config->sessions_per_stranger_max,
            config->sessions_per_peer_max)};
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

/* Those of a network are listed together. */
static uint64_t owner_hash(
    const struct natfw_node *node, const struct gist_address *peer, uint64_t rule)
{
    struct gist_address network = gist_share_network(peer);
    uint8_t octets[sizeof(rule) + sizeof(network.octets)];
    memcpy(octets, &rule, sizeof(rule));
    memcpy(octets + sizeof(rule), network.octets, sizeof(network.octets));
    return base_hash(node->known_peers.hash_key, octets, sizeof(octets));
}

/* Counted one by one: of many rules each has few owners, and a count of all would fill up. Of a
 * rule who is known has no more than others. */
static bool has_room(struct natfw_node *node, const struct gist_address *peer, uint64_t rule)
{
    const struct gist_address host = gist_share_host(peer), network = gist_share_network(peer);
    uint64_t limit = node->config.owners_per_peer_max, of_host = 0, of_network = 0;
    struct base_table_link *link =
        limit > 0 ? base_table_first(&node->owners, owner_hash(node, peer, rule)) : NULL;
    for (; link; link = base_table_next(link)) {
        const struct natfw_owned_rule *owned = BASE_CONTAINER(link, struct natfw_owned_rule, link);
        struct gist_address its_host = gist_share_host(owned->peer);
        struct gist_address its_network = gist_share_network(owned->peer);
        if (owned->rule != rule || !gist_address_equal(&its_network, &network))
            continue;
        of_network++;
        of_host += gist_address_equal(&its_host, &host);
    }
    return limit == 0 || (of_host < limit && of_network < GIST_SHARE_HOSTS_IN_NETWORK * limit);
}

bool natfw_may_own(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule)
{
    if (has_room(node, &incoming->received->peer, hash_of(node, rule)))
        return true;
    node->counters.owners_refused++;
    return false;
}

/* The rules, by their hashes, whose owner a session is to count as. */
struct wanted {
    uint64_t rules[NATFW_OWNED_RULES_MAX];
    size_t count;
};

static bool wants(const struct wanted *wanted, uint64_t rule)
{
    for (size_t i = 0; i < wanted->count; i++)
        if (wanted->rules[i] == rule)
            return true;
    return false;
}

static bool owns(const struct natfw_session *session, uint64_t rule)
{
    for (size_t i = 0; i < NATFW_OWNED_RULES_MAX; i++)
        if (session->owned[i].is_owned && session->owned[i].rule == rule)
            return true;
    return false;
}

/* natfw_may_own said yes for who sent the request; it may have been another peer's turn since. */
static void own(struct natfw_node *node, struct natfw_session *session, uint64_t rule)
{
    const struct gist_address *peer = &session->holder.address;
    struct natfw_owned_rule *owned = session->owned;
    if (owns(session, rule) || !has_room(node, peer, rule))
        return;
    while (owned->is_owned)
        owned++;
    owned->is_owned = true;
    owned->rule = rule;
    owned->peer = peer;
    base_table_insert(&node->owners, &owned->link, owner_hash(node, peer, rule));
}

static void own_instead(
    struct natfw_node *node, struct natfw_session *session, const struct wanted *wanted)
{
    for (size_t i = 0; i < NATFW_OWNED_RULES_MAX; i++) {
        struct natfw_owned_rule *owned = &session->owned[i];
        if (!owned->is_owned || wants(wanted, owned->rule))
            continue;
        base_table_remove(&node->owners, &owned->link);
        owned->is_owned = false;
    }
    for (size_t i = 0; i < wanted->count; i++)
        own(node, session, wanted->rules[i]);
}

void natfw_session_owns(struct natfw_node *node, struct natfw_session *session)
{
    struct wanted wanted = {0};
    if (natfw_rules_have_current(&session->rules))
        wanted.rules[wanted.count++] = hash_of(node, &session->rules.current);
    if (natfw_rules_have_next(&session->rules))
        wanted.rules[wanted.count++] = hash_of(node, &session->rules.next);
    own_instead(node, session, &wanted);
}

void natfw_session_dismiss(struct natfw_node *node, struct natfw_session *session)
{
    struct gist_share share = share_of_sessions(node);
    own_instead(node, session, &(struct wanted){0});
    if (session->is_admitted)
        gist_share_give_back(&share, 0, &session->holder, 1);
}

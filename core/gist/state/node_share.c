/* The shares of a GIST node, and their limits; see node_share.h. */
#include "core/gist/state/node_share.h"

enum { ANSWERS = 8 };        /* times what a known peer may say unasked */
enum { STRANGERS_PART = 8 }; /* of what may be sent, for the answers to those of one interface */

/* Each Query is answered, within the limit of what may be sent: known peers need some of that. */
static uint64_t interface_limit(const struct gist_node_config *config)
{
    uint64_t wanted = config->interface_queries_per_second;
    uint64_t most = config->datagrams_per_second / STRANGERS_PART;
    return most > 0 && wanted > most ? most : wanted;
}

static struct gist_share_limits limits_of(const struct gist_node *node, enum gist_share_of what)
{
    const struct gist_node_config *config = &node->config;
    switch (what) {
    case GIST_SHARE_OF_QUERIES:
    case GIST_SHARE_OF_ERRORS:
        return (struct gist_share_limits){.stranger = config->stranger_queries_per_second,
            .known = config->known_queries_per_second,
            .interface = interface_limit(config)};
    case GIST_SHARE_OF_MESSAGES: /* the next node takes those of all for ours: for one host's */
        return (struct gist_share_limits){.stranger = config->stranger_messages_per_second,
            .known = config->known_messages_per_second,
            .known_network = config->known_messages_per_second,
            .interface = config->interface_messages_per_second};
    case GIST_SHARE_OF_ANSWERS:
        return (struct gist_share_limits){
            .stranger = ANSWERS * (uint64_t)config->known_messages_per_second,
            .known = ANSWERS * (uint64_t)config->known_messages_per_second};
    case GIST_SHARE_OF_ROUTING_STATES:
        return gist_share_limits_of(config->routing_states_max,
            config->routing_states_per_stranger_max, config->routing_states_per_peer_max);
    case GIST_SHARE_OF_ASSOCIATIONS:
        return gist_share_limits_of(config->associations_max, config->associations_per_peer_max,
            config->associations_per_peer_max);
    case GIST_SHARE_OF_QUEUED_OCTETS:
        return gist_share_limits_of(config->queued_octets_max, config->queued_octets_per_peer_max,
            config->queued_octets_per_peer_max);
    case GIST_SHARE_OF_STREAM_OCTETS:
    case GIST_SHARE_KINDS:
        break;
    }
    return gist_share_limits_of(config->stream_octets_max, config->stream_octets_per_peer_max,
        config->stream_octets_per_peer_max);
}

static struct gist_share share_of(struct gist_node *node, enum gist_share_of what)
{
    return (struct gist_share){.shares = &node->shares[what], .limits = limits_of(node, what)};
}

void gist_node_shares_configure(struct gist_node *node)
{
    node->queued.share = share_of(node, GIST_SHARE_OF_QUEUED_OCTETS);
}

bool gist_node_shares_open(struct gist_node *node)
{
    gist_node_shares_configure(node);
    for (enum gist_share_of what = 0; what < GIST_SHARE_KINDS; what++) {
        uint64_t returns_per_ms = what <= GIST_SHARE_OF_ANSWERS ? GIST_SHARE_RATE_PER_MS : 0;
        if (!base_shares_open(
                &node->shares[what], &node->allocator, node->hash_key, returns_per_ms))
            return false;
    }
    return true;
}

void gist_node_shares_close(struct gist_node *node)
{
    for (enum gist_share_of what = 0; what < GIST_SHARE_KINDS; what++)
        base_shares_close(&node->shares[what]);
}

struct gist_share_holder gist_node_holder(
    struct gist_node *node, const struct gist_address *address, uint32_t interface)
{
    const struct gist_application *application = &node->application;
    return (struct gist_share_holder){.address = *address,
        .interface = interface,
        .known = application->knows &&
                 application->knows(application->context, node->now_ms, address, interface)};
}

enum gist_share_answer gist_node_share_take(struct gist_node *node,
    const struct gist_share_holder *holder, enum gist_share_of what, uint64_t amount)
{
    struct gist_share share = share_of(node, what);
    return gist_share_take(&share, node->now_ms, holder, amount);
}

void gist_node_share_give_back(struct gist_node *node, const struct gist_share_holder *holder,
    enum gist_share_of what, uint64_t amount)
{
    struct gist_share share = share_of(node, what);
    gist_share_give_back(&share, node->now_ms, holder, amount);
}

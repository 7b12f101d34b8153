/* A GIST node: its life, its entrances and its timers; see node.h. RFC 5971 6.1. */
#include "core/gist/node.h"

#include "core/gist/node/hearing.h"
#include "core/gist/node/inbound.h"
#include "core/gist/node/turn.h"
#include "core/gist/state/association.h"
#include "core/gist/state/node_share.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/authorisation.h"
#include "core/gist/transport/own_message.h"

#include "core/base/container.h"
#include "core/spec/spec.h"

#include <string.h>

struct gist_node_config gist_node_config_default(void)
{
    return (struct gist_node_config){
        .nslp_id = 33,
        .router_alert_v4 = 65,
        .router_alert_v6 = 68,
        .udp_port = GIST_PORT,
        .routing_state_validity_ms = 30000,
        .association_hold_ms = 30000,
        .query_timer_ms = 500,
        .query_timer_max_ms = 64 * 500,
        .query_attempts_max = 6,
        .datagrams_per_second = 1000,
        .datagram_burst = 1000,
        .cookie_rollover_ms = 30000,
        .flow_source_address = true,
        .ingress_filter = true,
        .opens_plain = true,
        .routing_states_max = 100000,
        .associations_max = 1000,
        .queued_octets_max = 16 << 20,
        .stream_octets_max = 16 << 20,
        .interface_queries_per_second = 1000,
        .stranger_queries_per_second = 200,
        .known_queries_per_second = 2000,
        .interface_messages_per_second = 400,
        .stranger_messages_per_second = 200,
        .known_messages_per_second = 4000,
        .session_messages_per_second = 20,
        .routing_states_per_stranger_max = 1000,
        .routing_states_per_peer_max = 50000,
        .associations_per_peer_max = 64,
        .stream_octets_per_peer_max = 1 << 20,
        .queued_octets_per_peer_max = 1 << 20,
        .association_confirm_ms = 10000,
    };
}

static struct gist_node_config bounded(const struct gist_node_config *config)
{
    struct gist_node_config bounds = *config;
    if (bounds.query_attempts_max == 0 || bounds.query_attempts_max > GIST_QUERY_ATTEMPTS_MAX)
        bounds.query_attempts_max = GIST_QUERY_ATTEMPTS_MAX;
    if (bounds.query_timer_ms == 0)
        bounds.query_timer_ms = 1;
    if (bounds.query_timer_max_ms < bounds.query_timer_ms)
        bounds.query_timer_max_ms = bounds.query_timer_ms;
    if (bounds.routing_state_validity_ms == 0) /* zero is reserved, A.3.3 */
        bounds.routing_state_validity_ms = 1;
    if (bounds.association_hold_ms == 0) /* and here, A.3.5 */
        bounds.association_hold_ms = 1;
    if (!bounds.opens_secure) /* it opens something */
        bounds.opens_plain = true;
    if (bounds.peer_identity_length > GIST_PEER_IDENTITY_MAX)
        bounds.peer_identity_length = GIST_PEER_IDENTITY_MAX;
    return bounds;
}

struct gist_node *gist_node_create(
    const struct gist_node_config *config, const struct gist_seams *seams, uint64_t now_ms)
{
    const struct base_allocator *allocator = &seams->allocator;
    struct gist_node *node = base_allocate(allocator, sizeof(*node));
    if (!node)
        return NULL;
    node->config = bounded(config);
    node->allocator = *allocator;
    node->crypto = seams->crypto;
    node->transport = seams->transport;
    node->application = seams->application;
    node->now_ms = now_ms;
    node->deadline_ms = GIST_NO_DEADLINE;
    node->queued = (struct gist_queue_store){
        .allocator = *allocator, .octets_max = node->config.queued_octets_max};
    node->bucket =
        base_token_bucket_full(SPEC_VALUE("RFC5971-5.3.3-14", 1, config->datagrams_per_second, 0),
            config->datagram_burst, now_ms);
    if (!node->crypto.random(node->crypto.context, node->hash_key, sizeof(node->hash_key)) ||
        !gist_cookie_rollover(
            &node->secrets, &node->crypto, now_ms, node->config.cookie_rollover_ms) ||
        !gist_node_shares_open(node)) {
        gist_node_shares_close(node);
        base_release(allocator, node, sizeof(*node));
        return NULL;
    }
    base_table_open(&node->routing_states, allocator);
    base_table_open(&node->peers, allocator);
    base_table_open(&node->peers_by_handle, allocator);
    base_table_open(&node->associations, allocator);
    return node;
}

void gist_node_configure(
    struct gist_node *node, uint64_t now_ms, const struct gist_node_config *config)
{
    const struct gist_node_config before = node->config;
    gist_node_enter(node, now_ms);
    node->config = bounded(config);
    node->config.nslp_id = before.nslp_id;
    node->config.router_alert_v4 = before.router_alert_v4;
    node->config.router_alert_v6 = before.router_alert_v6;
    memcpy(node->config.peer_identity, before.peer_identity, sizeof(before.peer_identity));
    node->config.peer_identity_length = before.peer_identity_length;
    node->config.udp_port = before.udp_port;
    node->config.association_port = before.association_port;
    node->config.secure_association_port = before.secure_association_port;
    node->queued.octets_max = node->config.queued_octets_max;
    gist_node_shares_configure(node);
    node->bucket =
        base_token_bucket_full(config->datagrams_per_second, config->datagram_burst, node->now_ms);
    gist_node_leave(node);
}

static enum gist_peering receive_nothing(
    void *context, uint64_t now_ms, const struct gist_received *message)
{
    (void)context;
    (void)now_ms;
    (void)message;
    return GIST_FORWARD;
}

void gist_node_destroy(struct gist_node *node)
{
    if (!node)
        return;
    node->application = (struct gist_application){.receive = receive_nothing};
    for (struct base_table_link *link; (link = base_table_any(&node->routing_states));)
        gist_routing_state_destroy(
            node, BASE_CONTAINER(link, struct gist_routing_state, link), GIST_STATUS_NO_NEXT_NODE);
    for (struct base_table_link *link; (link = base_table_any(&node->associations));)
        gist_association_destroy(node, BASE_CONTAINER(link, struct gist_association, link));
    gist_node_bury(node);
    gist_queue_clear(&node->queued, &node->held_back);
    gist_queue_clear(&node->queued, &node->held_queries);
    gist_node_shares_close(node);
    struct base_allocator allocator = node->allocator;
    base_release(&allocator, node, sizeof(*node));
}

void gist_node_tick(struct gist_node *node, uint64_t now_ms)
{
    gist_node_enter(node, now_ms);
    /* The transport's timer is spent, even when it came early: it is told the next deadline
     * although that may be the same. */
    node->deadline_ms = GIST_NO_DEADLINE;
    base_timers_run(&node->timers, node->now_ms, node);
    gist_node_leave(node);
}

void gist_node_receive_datagram(struct gist_node *node, uint64_t now_ms,
    const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    gist_node_enter(node, now_ms);
    node->counters.datagrams_received++;
    struct wire_reader reader = wire_reader_over(payload, length);
    uint32_t magic = wire_read_u32(&reader);
    if (!reader.failed && magic == GIST_MAGIC)
        gist_inbound_datagram(
            node, arrival, payload + GIST_MAGIC_LENGTH, length - GIST_MAGIC_LENGTH);
    else
        node->counters.messages_rejected++;
    gist_node_leave(node);
}

gist_association_id gist_node_association_accepted(struct gist_node *node, uint64_t now_ms,
    enum gist_stack stack, const struct gist_endpoint *peer, const struct gist_endpoint *local,
    uint32_t interface)
{
    (void)local;
    gist_node_enter(node, now_ms);
    struct gist_association *association =
        gist_accepts_stack(node, stack)
            ? gist_association_accept(node, stack, &peer->address, interface)
            : NULL;
    gist_association_id id = association ? association->id : 0;
    gist_node_leave(node);
    return id;
}

/* 4.4.1: whom it leads to is known now, and nothing has been said to it. */
static void connect_association(
    struct gist_node *node, struct gist_association *association, uint32_t interface)
{
    bool is_new = association->state == GIST_AWAITING_CONNECTION;
    gist_association_lead_by(node, association, interface);
    if (is_new) {
        SPEC_ENSURE("RFC5971-4.4.1-7a", 2, gist_is_authorised_for_all(node, association)) {
            gist_refuse_peer(node, association);
            return;
        }
    }
    gist_association_event(node, association, GIST_TG_CONNECTED, 0);
}

void gist_node_association_connected(
    struct gist_node *node, uint64_t now_ms, gist_association_id id, uint32_t interface)
{
    gist_node_enter(node, now_ms);
    struct gist_association *association = gist_association_find(node, id);
    if (association)
        connect_association(node, association, interface);
    gist_node_leave(node);
}

void gist_node_association_received(struct gist_node *node, uint64_t now_ms, gist_association_id id,
    const uint8_t *octets, size_t length)
{
    gist_node_enter(node, now_ms);
    struct gist_association *association = gist_association_find(node, id);
    if (association)
        gist_hear(node, association, octets, length);
    gist_node_leave(node);
}

void gist_node_association_closed(struct gist_node *node, uint64_t now_ms, gist_association_id id)
{
    gist_node_enter(node, now_ms);
    struct gist_association *association = gist_association_find(node, id);
    if (association) {
        association->told_closed = true;
        SPEC_DO("RFC5971-5.7.2-5", 1) {
            gist_association_fail(node, association);
        }
    }
    gist_node_leave(node);
}

void gist_node_authorise_anew(struct gist_node *node, uint64_t now_ms)
{
    gist_node_enter(node, now_ms);
    SPEC_DO("RFC5971-4.4.2-5", 1) {
        gist_authorise_anew(node);
    }
    gist_node_leave(node);
}

struct gist_counters gist_node_counters(const struct gist_node *node)
{
    struct gist_counters counters = node->counters;
    counters.routing_states = node->routing_states.count;
    counters.associations = node->associations.count;
    return counters;
}

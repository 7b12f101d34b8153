/* Query messages on their way out; see query_message.h. RFC 5971 5.1, 5.3.2, 5.8.1.2. */
#include "core/gist/transport/query_message.h"

#include "core/gist/state/hop_count.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

#include <string.h>

/* Retransmissions alternate between the flow's source and our own, 5.8.1.2; ruling A104 asks for
 * our own where both are ours. */
static bool use_own_source(struct gist_node *node, const struct gist_routing_state *state)
{
    if (!node->config.flow_source_address ||
        node->transport.is_local(node->transport.context, &state->mri.source))
        return true;
    return state->handshake.attempts % 2 == 1;
}

static uint8_t *next_cookie(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_handshake *handshake = &state->handshake;
    uint8_t *cookie = handshake->cookies[handshake->attempts % GIST_QUERY_ATTEMPTS_MAX];
    if (handshake->attempts > 0) {
        SPEC_NEVER("RFC5971-5.3.3-6", 1) {
            return memcpy(
                cookie, handshake->cookies[handshake->attempts - 1], GIST_QUERY_COOKIE_LENGTH);
        }
    }
    return node->crypto.random(node->crypto.context, cookie, GIST_QUERY_COOKIE_LENGTH) ? cookie
                                                                                       : NULL;
}

static struct gist_query_route query_route(
    struct gist_node *node, const struct gist_routing_state *state, bool own_source)
{
    bool v6 = state->mri.destination.version == 6;
    struct gist_query_route route = {
        .source = own_source ? state->own_address : state->mri.source,
        .destination = state->mri.destination,
        .source_port = node->config.udp_port,
        .ip_ttl = GIST_QUERY_TTL,
        .ds_field = state->mri.has_ds_field ? state->mri.ds_field : 0,
        .has_router_alert = SPEC_VALUE("RFC5971-5.3.2.1-4b", 1, true, false),
        .router_alert = v6 ? node->config.router_alert_v6 : node->config.router_alert_v4,
    };
    if (state->peer) {
        SPEC_NEVER("RFC5971-5.3.2-1", 1) {
            route.destination = state->peer->address;
        }
    }
    return route;
}

static struct gist_message build_query(struct gist_node *node,
    const struct gist_routing_state *state, bool own_source, const uint8_t *cookie)
{
    struct gist_message query = gist_own_message(node, GIST_QUERY, &state->mri, &state->session_id);
    query.header.hop_count = gist_hops_of_query(node, state);
    query.header.context_free = SPEC_VALUE("RFC5971-5.2.1-1", 2, true, false);
    query.header.reply_requested = SPEC_VALUE("RFC5971-A.1-1", 3, true, false);
    query.header.source_is_peer = own_source;
    SPEC_NEVER("RFC5971-5.8.1.1-2a", 1) {
        query.mri.destination.octets[3] = 0; /* the network's */
    }
    gist_add_own_nli(node, &query, &state->own_address);
    query.nli.ip_ttl = SPEC_VALUE("RFC5971-5.2.2-5", 1, GIST_QUERY_TTL, GIST_QUERY_TTL - 1);
    query.query_cookie = (struct gist_octets){cookie, GIST_QUERY_COOKIE_LENGTH};
    gist_message_add(&query, GIST_OBJECT_QUERY_COOKIE);
    return query;
}

bool gist_send_query(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_own_stack stack;
    bool own_source = use_own_source(node, state);
    uint8_t *cookie = next_cookie(node, state);
    state->handshake.attempts++;
    if (!cookie)
        return false;
    struct gist_message query = build_query(node, state, own_source, cookie);
    SPEC_ENSURE("RFC5971-4.3.1-i3", 1, query.header.hop_count > 0) {
        return false;
    }
    if (state->handshake.proposed) {
        SPEC_DO("RFC5971-5.1-5", 1) {
            gist_add_query_stack(node, &query, state->handshake.proposed_secure, &stack);
        }
    }
    struct gist_query_route route = query_route(node, state, own_source);
    bool sent = gist_datagram_query(node, &route, &query, state->handshake.attempts > 1);
    node->counters.queries_sent += sent;
    return sent;
}

/* Handshake and Data messages on their way out; see outbound.h. RFC 5971 5.1, 5.3, 5.8.1.2. */
#include "core/gist/outbound.h"

#include "core/gist/datagram.h"
#include "core/spec/spec.h"

#include <string.h>

static const uint8_t own_profiles[GIST_OWN_PROFILES_LENGTH] = {1, GIST_PROTOCOL_FORWARDS_TCP};

struct gist_stack_proposal gist_own_proposal(void)
{
    return (struct gist_stack_proposal){
        .profile_count = 1, .profiles = {own_profiles, sizeof(own_profiles)}};
}

static struct gist_nli nli_with(struct gist_node *node, const struct gist_address *own)
{
    struct gist_nli nli = {
        .validity_ms = gist_node_validity_ms(node),
        .peer_identity = {node->config.peer_identity, node->config.peer_identity_length},
        .interface_address = *own,
    };
    if (SPEC_NEVER("RFC5971-7.4-3c", 1))
        nli.interface_address.octets[0] |= 0xe0;
    return nli;
}

bool gist_own_nli(struct gist_node *node, const struct gist_address *peer, struct gist_nli *nli)
{
    struct gist_address own;
    uint32_t interface;
    if (!node->transport.route(node->transport.context, peer, &own, &interface))
        return false;
    *nli = nli_with(node, &own);
    return true;
}

static struct gist_message message_for(struct gist_node *node, enum gist_message_type type,
    const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    struct gist_message message = {
        .header = {.version = GIST_VERSION,
            .hop_count = GIST_DIRECT_HOPS,
            .nslp_id = node->config.nslp_id,
            .type = (uint8_t)type,
            .source_is_peer = true},
        .mri = *mri,
        .session_id = *session_id,
    };
    gist_message_add(&message, GIST_OBJECT_MRI);
    gist_message_add(&message, GIST_OBJECT_SESSION_ID);
    return message;
}

static void add_nli(struct gist_message *message, const struct gist_nli *nli)
{
    message->nli = *nli;
    gist_message_add(message, GIST_OBJECT_NLI);
}

/* Our Stack-Proposal with the configuration that goes with it; port 0: no options data. */
static void add_stack(
    struct gist_node *node, struct gist_message *message, uint8_t options[8], uint16_t port)
{
    uint8_t data[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    struct gist_protocol_options tcp = {.protocol = GIST_PROTOCOL_FORWARDS_TCP,
        .profile = 1,
        .data = {data, port != 0 ? sizeof(data) : 0}};
    struct wire_writer writer = wire_writer_over(options, 8);
    gist_protocol_options_write(&writer, &tcp);
    message->stack_proposal = gist_own_proposal();
    message->stack_configuration = (struct gist_stack_configuration){
        .options_count = 1,
        .hold_time_ms = node->config.association_hold_ms,
        .options = {options, wire_written(&writer)},
    };
    gist_message_add(message, GIST_OBJECT_STACK_PROPOSAL);
    gist_message_add(message, GIST_OBJECT_STACK_CONFIGURATION);
}

static bool over_association(struct gist_node *node, struct gist_association *association,
    const struct gist_message *message, gist_message_handle handle)
{
    struct gist_outgoing outgoing = {.data = node->scratch, .handle = handle};
    outgoing.length = gist_message_build(message, node->scratch, sizeof(node->scratch));
    return outgoing.length > 0 && gist_association_send(node, association, &outgoing);
}

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
    bool same = handshake->attempts > 0 && SPEC_NEVER("RFC5971-5.3.3-6", 1);
    if (same) {
        memcpy(cookie, handshake->cookies[handshake->attempts - 1], GIST_QUERY_COOKIE_LENGTH);
        return cookie;
    }
    return node->crypto.random(node->crypto.context, cookie, GIST_QUERY_COOKIE_LENGTH) ? cookie
                                                                                       : NULL;
}

static struct gist_query_route query_route(
    struct gist_node *node, const struct gist_routing_state *state, bool own_source)
{
    bool v6 = state->mri.destination.version == 6;
    return (struct gist_query_route){
        .source = own_source ? state->own_address : state->mri.source,
        .destination = state->peer && SPEC_NEVER("RFC5971-5.3.2-1", 1) ? state->peer->address
                                                                       : state->mri.destination,
        .source_port = node->config.udp_port,
        .ip_ttl = GIST_QUERY_TTL,
        .ds_field = state->mri.has_ds_field ? state->mri.ds_field : 0,
        .has_router_alert = true,
        .router_alert = v6 ? node->config.router_alert_v6 : node->config.router_alert_v4,
    };
}

bool gist_send_query(struct gist_node *node, struct gist_routing_state *state)
{
    uint8_t options[8];
    bool own_source = use_own_source(node, state);
    uint8_t *cookie = next_cookie(node, state);
    state->handshake.attempts++;
    if (!cookie)
        return false;
    struct gist_message query = message_for(node, GIST_QUERY, &state->mri, &state->session_id);
    query.header.hop_count =
        state->handshake.hop_count > 0 ? state->handshake.hop_count : GIST_QUERY_HOPS;
    query.header.context_free = SPEC_VALUE("RFC5971-5.2.1-1", 2, true, false);
    query.header.reply_requested = SPEC_VALUE("RFC5971-A.1-1", 3, true, false);
    query.header.source_is_peer = own_source;
    if (SPEC_NEVER("RFC5971-5.8.1.1-2a", 1))
        query.mri.destination.octets[3] = 0; /* the network's */
    struct gist_nli nli = nli_with(node, &state->own_address);
    nli.ip_ttl = SPEC_VALUE("RFC5971-5.2.2-5", 1, GIST_QUERY_TTL, GIST_QUERY_TTL - 1);
    add_nli(&query, &nli);
    query.query_cookie = (struct gist_octets){cookie, GIST_QUERY_COOKIE_LENGTH};
    gist_message_add(&query, GIST_OBJECT_QUERY_COOKIE);
    if (state->handshake.proposed && SPEC_ACT("RFC5971-5.1-5", 1))
        add_stack(node, &query, options, 0);
    struct gist_query_route route = query_route(node, state, own_source);
    bool sent = gist_datagram_query(node, &route, &query);
    node->counters.queries_sent += sent;
    return sent;
}

/* The IP distance that a downstream message in D-mode shows, 5.2.2; 0 when it shows none. */
static uint8_t distance_of(const struct gist_reception *query)
{
    uint8_t sent = query->message.nli.ip_ttl;
    if (query->message.mri.upstream || sent == 0 || query->arrival->ip_ttl > sent)
        return 0;
    return (uint8_t)(sent - query->arrival->ip_ttl);
}

static bool add_responder_cookie(struct gist_node *node, struct gist_message *response,
    const struct gist_reception *query, bool stack_offered,
    uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH])
{
    const struct gist_message *message = &query->message;
    struct gist_cookie_binding binding = {
        &message->nli, &message->mri, &message->session_id, node->config.nslp_id};
    struct gist_cookie_content content = {.interface = query->arrival->interface,
        .stack_offered = stack_offered,
        .ip_distance = distance_of(query)};
    if (!gist_cookie_rollover(
            &node->secrets, &node->crypto, node->now_ms, node->config.cookie_rollover_ms) ||
        !gist_responder_cookie_make(&node->secrets, &node->crypto, &binding, &content, cookie))
        return false;
    response->responder_cookie = (struct gist_octets){cookie, GIST_RESPONDER_COOKIE_LENGTH};
    gist_message_add(response, GIST_OBJECT_RESPONDER_COOKIE);
    return true;
}

static void keep_response(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_message *response)
{
    struct gist_handshake *handshake = &state->handshake;
    gist_release(node, handshake->response, handshake->response_length);
    handshake->response = NULL;
    handshake->response_length = gist_message_build(response, node->scratch, sizeof(node->scratch));
    if (handshake->response_length > 0)
        handshake->response = gist_allocate(node, handshake->response_length);
    if (handshake->response)
        memcpy(handshake->response, node->scratch, handshake->response_length);
    else
        handshake->response_length = 0;
}

static bool build_response(
    struct gist_node *node, const struct gist_reception *query, struct gist_message *response)
{
    const struct gist_message *received = &query->message;
    struct gist_mri mri = gist_mri_reversed(&received->mri);
    if (SPEC_NEVER("RFC5971-5.1-9", 1))
        mri = received->mri;
    *response = message_for(node, GIST_RESPONSE, &mri, &received->session_id);
    response->header.reply_requested = SPEC_VALUE("RFC5971-5.1-11a", 2, true, false);
    struct gist_nli nli;
    if (!gist_own_nli(node, &received->nli.interface_address, &nli))
        return false;
    if (mri.upstream)
        nli.ip_ttl = SPEC_VALUE("RFC5971-5.2.2-6", 1, distance_of(query), query->arrival->ip_ttl);
    add_nli(response, &nli);
    response->query_cookie = received->query_cookie;
    if (SPEC_NEVER("RFC5971-8.3-1", 1))
        response->query_cookie = response->nli.peer_identity;
    gist_message_add(response, GIST_OBJECT_QUERY_COOKIE);
    if (gist_message_has(received, GIST_OBJECT_NAT_TRAVERSAL)) {
        response->nat_traversal = received->nat_traversal;
        gist_message_add(response, GIST_OBJECT_NAT_TRAVERSAL);
    }
    return true;
}

bool gist_send_response(struct gist_node *node, const struct gist_reception *query,
    struct gist_association *association, struct gist_routing_state *state)
{
    uint8_t options[8];
    uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH];
    struct gist_message response;
    bool stack_offered = !association && node->config.association_port != 0 &&
                         gist_message_has(&query->message, GIST_OBJECT_STACK_PROPOSAL);
    if (!build_response(node, query, &response) ||
        !add_responder_cookie(node, &response, query, stack_offered, cookie))
        return false;
    if (stack_offered && SPEC_ACT("RFC5971-5.1-10b", 1))
        add_stack(node, &response, options, node->config.association_port);
    if (stack_offered && SPEC_NEVER("RFC5971-5.7.1-9", 1))
        response.stack_proposal = query->message.stack_proposal;
    if (state)
        keep_response(node, state, &response);
    if (association)
        return over_association(node, association, &response, 0);
    struct gist_endpoint peer = {query->message.nli.interface_address, query->arrival->source.port};
    return gist_datagram_send(node, &peer, &response);
}

bool gist_send_response_again(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_message response;
    struct gist_fault fault;
    if (!state->handshake.response || !gist_message_parse(state->handshake.response,
                                          state->handshake.response_length, &response, &fault))
        return false;
    if (state->association && !gist_message_has(&response, GIST_OBJECT_STACK_PROPOSAL))
        return over_association(node, state->association, &response, 0);
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    return gist_datagram_send(node, &peer, &response);
}

static void add_confirm_stack(struct gist_node *node, struct gist_routing_state *state,
    const struct gist_message *response, struct gist_message *confirm)
{
    if (!gist_message_has(response, GIST_OBJECT_STACK_PROPOSAL) || !SPEC_ACT("RFC5971-5.1-15", 1))
        return;
    confirm->stack_proposal = response->stack_proposal;
    gist_message_add(confirm, GIST_OBJECT_STACK_PROPOSAL);
    if (state->association->configured || !SPEC_ACT("RFC5971-5.1-16", 1))
        return;
    confirm->stack_configuration =
        (struct gist_stack_configuration){.hold_time_ms = node->config.association_hold_ms};
    gist_message_add(confirm, GIST_OBJECT_STACK_CONFIGURATION);
    state->association->configured = true;
}

bool gist_send_confirm(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_message *response)
{
    struct gist_message confirm = message_for(node, GIST_CONFIRM, &state->mri, &state->session_id);
    struct gist_nli nli = nli_with(node, &state->own_address);
    add_nli(&confirm, &nli);
    if (gist_message_has(response, GIST_OBJECT_RESPONDER_COOKIE) && SPEC_ACT("RFC5971-5.1-14", 1)) {
        confirm.responder_cookie = response->responder_cookie;
        gist_message_add(&confirm, GIST_OBJECT_RESPONDER_COOKIE);
    }
    if (state->association) {
        if (gist_message_has(&confirm, GIST_OBJECT_RESPONDER_COOKIE))
            add_confirm_stack(node, state, response, &confirm);
        return over_association(node, state->association, &confirm, 0);
    }
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    return SPEC_ACT("RFC5971-5.1-13", 1) && gist_datagram_send(node, &peer, &confirm);
}

static void add_nslp_data(struct gist_message *message, const uint8_t *data, size_t length)
{
    message->nslp_data = (struct gist_octets){data, length};
    gist_message_add(message, GIST_OBJECT_NSLP_DATA);
}

enum gist_delivery gist_send_data(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_outgoing *message)
{
    struct gist_message data = message_for(node, GIST_DATA, &state->mri, &state->session_id);
    data.header.hop_count = message->hop_count > 0 ? message->hop_count : GIST_QUERY_HOPS;
    add_nslp_data(&data, message->data, message->length);
    struct gist_nli nli = nli_with(node, &state->own_address);
    if (state->association) {
        if (SPEC_NEVER("RFC5971-5.1-17b", 1))
            add_nli(&data, &nli);
        return over_association(node, state->association, &data, message->handle)
                   ? GIST_DELIVERED
                   : GIST_NOT_DELIVERED;
    }
    if (message->reliable)
        return GIST_NEEDS_ASSOCIATION;
    if (SPEC_ACT("RFC5971-5.1-17a", 1))
        add_nli(&data, &nli);
    if (gist_message_build(&data, node->scratch, GIST_D_MODE_LENGTH_MAX) == 0)
        return GIST_NEEDS_ASSOCIATION;
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    return gist_datagram_send(node, &peer, &data) ? GIST_DELIVERED : GIST_NOT_DELIVERED;
}

bool gist_send_explicit_data(struct gist_node *node, struct gist_association *association,
    const struct gist_send_request *request)
{
    struct gist_message data = message_for(node, GIST_DATA, &request->mri, &request->session_id);
    data.header.hop_count = request->hop_count > 0 ? request->hop_count : GIST_QUERY_HOPS;
    data.header.explicitly_routed = true;
    add_nslp_data(&data, request->data, request->length);
    return over_association(node, association, &data, request->handle);
}

/* Written directly: a keepalive is no use of the association. */
void gist_send_hello(
    struct gist_node *node, struct gist_association *association, uint32_t hello_id)
{
    struct gist_message hello = {
        .header = {.version = GIST_VERSION,
            .hop_count = GIST_DIRECT_HOPS,
            .type = GIST_MA_HELLO,
            .source_is_peer = true},
        .hello_id = hello_id,
    };
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    if (association->peer && SPEC_NEVER("RFC5971-5.1-19", 1)) {
        struct gist_endpoint peer = {association->peer->address, node->config.udp_port};
        gist_datagram_send(node, &peer, &hello);
        return;
    }
    size_t length = gist_message_build(&hello, node->scratch, sizeof(node->scratch));
    if (!node->transport.association_write(
            node->transport.context, association->id, node->scratch, length))
        gist_association_fail(node, association);
}

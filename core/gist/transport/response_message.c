/* Response messages on their way out; see response_message.h. RFC 5971 5.1, 5.7.1, 8.5. */
#include "core/gist/transport/response_message.h"

#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"
#include "core/gist/state/association.h"
#include "core/gist/state/ip_distance.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

#include <string.h>

static bool add_responder_cookie(struct gist_node *node, struct gist_message *response,
    const struct gist_reception *query, bool stack_offered,
    uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH])
{
    const struct gist_message *message = &query->message;
    struct gist_cookie_binding binding = {
        &message->nli, &message->mri, &message->session_id, node->config.nslp_id};
    struct gist_cookie_content content = {.interface = query->arrival->interface,
        .stack_offered = stack_offered,
        .ip_distance = gist_ip_distance(query, 0),
        .hop_count = message->header.hop_count};
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
    base_release(&node->allocator, handshake->response, handshake->response_length);
    handshake->response = NULL;
    handshake->response_length = gist_message_build(response, node->scratch, sizeof(node->scratch));
    if (handshake->response_length > 0)
        handshake->response = base_allocate(&node->allocator, handshake->response_length);
    if (handshake->response)
        memcpy(handshake->response, node->scratch, handshake->response_length);
    else
        handshake->response_length = 0;
}

static bool build_response(
    struct gist_node *node, const struct gist_reception *query, struct gist_message *response)
{
    const struct gist_message *received = &query->message;
    struct gist_mri reversed = gist_mri_reversed(&received->mri);
    const struct gist_mri *mri = SPEC_VALUE("RFC5971-5.1-9", 1, &reversed, &received->mri);
    struct gist_address own;
    if (!gist_own_address(node, &received->nli.interface_address, &own))
        return false;
    *response = gist_own_message(node, GIST_RESPONSE, mri, &received->session_id);
    response->header.reply_requested = SPEC_VALUE("RFC5971-5.1-11a", 2, true, false);
    gist_add_own_nli(node, response, &own);
    if (mri->upstream)
        response->nli.ip_ttl =
            SPEC_VALUE("RFC5971-5.2.2-6", 1, gist_ip_distance(query, 0), query->arrival->ip_ttl);
    response->query_cookie =
        SPEC_VALUE("RFC5971-8.3-1", 1, received->query_cookie, response->nli.peer_identity);
    gist_message_add(response, GIST_OBJECT_QUERY_COOKIE);
    if (gist_message_has(received, GIST_OBJECT_NAT_TRAVERSAL)) {
        response->nat_traversal = received->nat_traversal;
        gist_message_add(response, GIST_OBJECT_NAT_TRAVERSAL);
    }
    return true;
}

static void add_stack(struct gist_node *node, struct gist_message *response,
    const struct gist_message *query, struct gist_own_stack *stack)
{
    SPEC_DO("RFC5971-5.1-10b", 1) {
        gist_add_response_stack(node, response, stack);
    }
    SPEC_NEVER("RFC5971-5.7.1-9", 1) {
        response->stack_proposal = query->stack_proposal;
    }
}

bool gist_send_response(struct gist_node *node, const struct gist_reception *query,
    struct gist_association *association, struct gist_routing_state *state)
{
    struct gist_own_stack stack;
    uint8_t cookie[GIST_RESPONDER_COOKIE_LENGTH];
    struct gist_message response;
    bool stack_offered =
        !association && gist_message_has(&query->message, GIST_OBJECT_STACK_PROPOSAL) &&
        (gist_accepts_stack(node, GIST_STACK_TCP) || gist_accepts_stack(node, GIST_STACK_TLS_TCP));
    if (!build_response(node, query, &response) ||
        !add_responder_cookie(node, &response, query, stack_offered, cookie))
        return false;
    if (stack_offered)
        add_stack(node, &response, &query->message, &stack);
    if (state)
        keep_response(node, state, &response);
    if (association)
        return gist_association_send(node, association, &response, 0, NULL);
    struct gist_endpoint peer = {
        SPEC_VALUE("RFC5971-7.2.1-5", 1, query->message.nli.interface_address,
            query->arrival->source.address),
        query->arrival->source.port};
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
        return gist_association_send(node, state->association, &response, 0, NULL);
    struct gist_endpoint peer = {state->peer->address, state->peer_port};
    return gist_datagram_send(node, &peer, &response);
}

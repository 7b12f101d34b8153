/* What every message of this node says of itself; see own_message.h. RFC 5971 5.1, 5.7. */
#include "core/gist/transport/own_message.h"

#include "core/gist/state/validity.h"
#include "core/spec/spec.h"

#include <string.h>

struct gist_message gist_own_message(struct gist_node *node, enum gist_message_type type,
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

bool gist_own_address(
    struct gist_node *node, const struct gist_address *peer, struct gist_address *own)
{
    struct gist_route route;
    if (!node->transport.route(node->transport.context, peer, &route))
        return false;
    *own = route.local;
    return true;
}

void gist_add_own_nli(
    struct gist_node *node, struct gist_message *message, const struct gist_address *own)
{
    message->nli = (struct gist_nli){
        .validity_ms = gist_validity_ms(node),
        .peer_identity = {node->config.peer_identity, node->config.peer_identity_length},
        .interface_address = *own,
    };
    SPEC_NEVER("RFC5971-7.4-3c", 1) {
        message->nli.interface_address.octets[0] |= 0xe0;
    }
    SPEC_NEVER("RFC5971-7.4-3b", 1) { /* the subnet's, as its routers have it */
        message->nli.interface_address.octets[3] = 0;
    }
    gist_message_add(message, GIST_OBJECT_NLI);
}

/* A stack, and where we accept it; port 0 in a Query. */
struct offer {
    enum gist_stack stack;
    uint16_t port;
};

static struct gist_stack_proposal write_profiles(
    const struct offer *offers, size_t count, struct gist_own_stack *stack)
{
    struct wire_writer writer = wire_writer_over(stack->profiles, sizeof(stack->profiles));
    for (size_t i = 0; i < count; i++) {
        struct gist_stack_profile profile = gist_stack_profile_of(offers[i].stack);
        gist_stack_profile_write(&writer, profile.layers, profile.layer_count);
    }
    return (struct gist_stack_proposal){
        .profile_count = (uint8_t)count, .profiles = {stack->profiles, wire_written(&writer)}};
}

/* TLS has no options of its own; those of TCP are tagged by the profile, 5.7.3. */
static struct gist_octets write_options(
    const struct offer *offers, size_t count, struct gist_own_stack *stack)
{
    struct wire_writer writer = wire_writer_over(stack->options, sizeof(stack->options));
    for (size_t i = 0; i < count; i++) {
        uint8_t data[2] = {(uint8_t)(offers[i].port >> 8), (uint8_t)offers[i].port};
        struct gist_protocol_options tcp = {.protocol = GIST_PROTOCOL_FORWARDS_TCP,
            .profile = (uint8_t)(i + 1),
            .data = {data, offers[i].port != 0 ? sizeof(data) : 0}};
        gist_protocol_options_write(&writer, &tcp);
    }
    return (struct gist_octets){stack->options, wire_written(&writer)};
}

static void add_stack(struct gist_node *node, struct gist_message *message,
    const struct offer *offers, size_t count, struct gist_own_stack *stack)
{
    message->stack_proposal = write_profiles(offers, count, stack);
    message->stack_configuration = (struct gist_stack_configuration){
        .options_count = (uint8_t)count,
        .hold_time_ms = node->config.association_hold_ms,
        .options = write_options(offers, count, stack),
    };
    gist_message_add(message, GIST_OBJECT_STACK_PROPOSAL);
    gist_message_add(message, GIST_OBJECT_STACK_CONFIGURATION);
}

void gist_add_query_stack(struct gist_node *node, struct gist_message *query, bool wants_security,
    struct gist_own_stack *stack)
{
    struct offer offers[2];
    size_t count = 0;
    if (node->config.opens_secure)
        offers[count++] = (struct offer){.stack = GIST_STACK_TLS_TCP};
    if (node->config.opens_plain && SPEC_HOLDS("RFC5971-5.7.1-8", 2, !wants_security))
        offers[count++] = (struct offer){
            .stack = SPEC_VALUE("RFC5971-5.7.1-8", 1, GIST_STACK_TCP, GIST_STACK_TLS_TCP)};
    if (count > 0)
        add_stack(node, query, offers, count, stack);
}

static size_t accepted_stacks(const struct gist_node *node, struct offer offers[2])
{
    size_t count = 0;
    if (node->config.secure_association_port != 0)
        offers[count++] = (struct offer){GIST_STACK_TLS_TCP, node->config.secure_association_port};
    if (node->config.association_port != 0)
        offers[count++] = (struct offer){GIST_STACK_TCP, node->config.association_port};
    return count;
}

void gist_add_response_stack(
    struct gist_node *node, struct gist_message *response, struct gist_own_stack *stack)
{
    struct offer offers[2];
    size_t count = accepted_stacks(node, offers);
    add_stack(node, response, offers, count, stack);
}

bool gist_accepts_stack(const struct gist_node *node, enum gist_stack stack)
{
    return stack == GIST_STACK_TLS_TCP ? node->config.secure_association_port != 0
                                       : node->config.association_port != 0;
}

bool gist_is_own_proposal(struct gist_node *node, const struct gist_stack_proposal *proposal)
{
    struct offer offers[2];
    struct gist_own_stack stack;
    size_t count = accepted_stacks(node, offers);
    struct gist_stack_proposal own = write_profiles(offers, count, &stack);
    return proposal->profile_count == own.profile_count &&
           proposal->profiles.length == own.profiles.length &&
           memcmp(proposal->profiles.octets, own.profiles.octets, own.profiles.length) == 0;
}

void gist_add_nslp_data(struct gist_message *message, const uint8_t *data, size_t length)
{
    message->nslp_data = (struct gist_octets){data, length};
    gist_message_add(message, GIST_OBJECT_NSLP_DATA);
}

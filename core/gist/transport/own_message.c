/* What every message of this node says of itself; see own_message.h. RFC 5971 5.1, 5.7. */
#include "core/gist/transport/own_message.h"

#include "core/gist/state/validity.h"
#include "core/spec/spec.h"

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

struct gist_stack_proposal gist_own_proposal(void)
{
    static const uint8_t reliable[] = {1, GIST_PROTOCOL_FORWARDS_TCP, 0, 0};
    static const uint8_t secure[] = {1, GIST_PROTOCOL_TLS, 0, 0};
    return (struct gist_stack_proposal){.profile_count = 1,
        .profiles = {SPEC_VALUE("RFC5971-5.7.1-8", 1, reliable, secure), sizeof(reliable)}};
}

void gist_add_own_stack(struct gist_node *node, struct gist_message *message,
    uint8_t options[GIST_OWN_OPTIONS_MAX], uint16_t port)
{
    uint8_t data[2] = {(uint8_t)(port >> 8), (uint8_t)port};
    struct gist_protocol_options tcp = {.protocol = GIST_PROTOCOL_FORWARDS_TCP,
        .profile = 1,
        .data = {data, port != 0 ? sizeof(data) : 0}};
    struct wire_writer writer = wire_writer_over(options, GIST_OWN_OPTIONS_MAX);
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

void gist_add_nslp_data(struct gist_message *message, const uint8_t *data, size_t length)
{
    message->nslp_data = (struct gist_octets){data, length};
    gist_message_add(message, GIST_OBJECT_NSLP_DATA);
}

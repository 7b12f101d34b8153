/* Error messages on their way out. RFC 5971 5.6, A.4. */
#include "core/gist/datagram.h"
#include "core/gist/outbound.h"
#include "core/spec/spec.h"

enum { INFO_OBJECT_MAX = 200, INFOS_MAX = 512 };

static struct gist_error_data describe(const struct gist_reception *reception,
    const struct gist_fault *fault, struct wire_writer *infos)
{
    const struct gist_message *message = &reception->message;
    /* A.4.4.1: what follows a common header that makes no sense is not quoted. */
    bool quote =
        fault->code != GIST_COMMON_HEADER_PARSE_ERROR || SPEC_NEVER("RFC5971-A.4.4.1-1", 1);
    struct gist_error_data error = {
        .error_class = fault->error_class,
        .code = fault->code,
        .subcode = fault->subcode,
        .has_session_id = quote && gist_message_has(message, GIST_OBJECT_SESSION_ID) &&
                          SPEC_ACT("RFC5971-A.4.1-1b", 1),
        .has_mri =
            quote && gist_message_has(message, GIST_OBJECT_MRI) && SPEC_ACT("RFC5971-A.4.1-1b", 2),
        .d_mode = reception->arrival != NULL,
        .q_mode = reception->arrival && reception->arrival->q_mode,
        .original = message->header,
        .session_id = message->session_id,
        .mri = message->mri,
    };
    error.original.hop_count = reception->received_hop_count;
    error.info_count = gist_additional_infos_write(infos, fault, INFO_OBJECT_MAX);
    error.infos = (struct gist_octets){infos->data, wire_written(infos)};
    return error;
}

/* Where an Error in D-mode goes: to the sender by its NLI, or to the IP source if that is it. */
static bool find_destination(const struct gist_reception *reception, const struct gist_fault *fault,
    struct gist_endpoint *endpoint)
{
    const struct gist_message *message = &reception->message;
    bool by_source = fault->code == GIST_OBJECT_TYPE_ERROR &&
                     fault->subcode == GIST_UNTRANSLATED_OBJECT && SPEC_ACT("RFC5971-7.2.1-3", 1);
    *endpoint = reception->arrival->source;
    if (gist_message_has(message, GIST_OBJECT_NLI) && !by_source && SPEC_ACT("RFC5971-5.6-3", 1)) {
        endpoint->address = message->nli.interface_address;
        return true;
    }
    return SPEC_HOLDS("RFC5971-5.6-4", 1, message->header.source_is_peer);
}

static void over_association(
    struct gist_node *node, struct gist_association *association, const struct gist_message *error)
{
    struct gist_outgoing outgoing = {.data = node->scratch};
    outgoing.length = gist_message_build(error, node->scratch, sizeof(node->scratch));
    if (outgoing.length > 0 && gist_association_send(node, association, &outgoing))
        node->counters.errors_sent++;
}

static void as_datagram(struct gist_node *node, const struct gist_reception *reception,
    const struct gist_fault *fault, struct gist_message *error)
{
    struct gist_endpoint destination;
    if (!find_destination(reception, fault, &destination) ||
        !gist_own_nli(node, &destination.address, &error->nli))
        return;
    if (SPEC_ACT("RFC5971-5.1-18", 1))
        gist_message_add(error, GIST_OBJECT_NLI);
    node->counters.errors_sent += gist_datagram_send(node, &destination, error);
    if (SPEC_NEVER("RFC5971-5.6-2b", 1))
        gist_datagram_send(node, &destination, error);
}

void gist_send_error(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault)
{
    if (fault->code == GIST_NO_ERROR)
        return;
    if (!SPEC_HOLDS("RFC5971-5.6-1", 1, reception->message.header.type != GIST_ERROR))
        return;
    uint8_t infos[INFOS_MAX];
    struct wire_writer writer = wire_writer_over(infos, sizeof(infos));
    struct gist_message error = {
        .header = {.version = GIST_VERSION,
            .hop_count = GIST_DIRECT_HOPS,
            .type = GIST_ERROR,
            .source_is_peer = true},
        .error = describe(reception, fault, &writer),
    };
    gist_message_add(&error, GIST_OBJECT_ERROR);
    if (gist_message_has(&reception->message, GIST_OBJECT_NAT_TRAVERSAL)) {
        error.nat_traversal = reception->message.nat_traversal;
        gist_message_add(&error, GIST_OBJECT_NAT_TRAVERSAL);
    }
    if (reception->arrival)
        as_datagram(node, reception, fault, &error);
    else if (SPEC_ACT("RFC5971-5.6-5", 1))
        over_association(node, reception->association, &error);
}

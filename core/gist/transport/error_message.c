/* Error messages on their way out; see error_message.h. RFC 5971 5.6, A.4. */
#include "core/gist/transport/error_message.h"

#include "core/gist/state/node_share.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/transport/association_machine.h"
#include "core/gist/transport/datagram.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

enum { INFO_OBJECT_MAX = 200, INFOS_MAX = 512 }; /* octets */

/* Two objects with their headers, and the short infos. */
_Static_assert(INFOS_MAX >= 2 * (INFO_OBJECT_MAX + 8) + 3 * 8, "room for what A.4.2 can ask");

static struct gist_error_data describe(const struct gist_reception *reception,
    const struct gist_fault *fault, struct wire_writer *infos)
{
    const struct gist_message *message = &reception->message;
    /* A.4.4.1: what follows a common header that makes no sense is not quoted. */
    bool quote =
        SPEC_VALUE("RFC5971-A.4.4.1-1", 1, fault->code != GIST_COMMON_HEADER_PARSE_ERROR, true);
    bool has_session_id = quote && gist_message_has(message, GIST_OBJECT_SESSION_ID);
    bool has_mri = quote && gist_message_has(message, GIST_OBJECT_MRI);
    struct gist_error_data error = {
        .error_class = fault->error_class,
        .code = fault->code,
        .subcode = fault->subcode,
        .has_session_id = SPEC_VALUE("RFC5971-A.4.1-1b", 1, has_session_id, false),
        .has_mri = SPEC_VALUE("RFC5971-A.4.1-1b", 2, has_mri, false),
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

/* An object that a NAT did not translate: its NLI would not lead back, 7.2.1. */
static bool is_untranslated(const struct gist_fault *fault)
{
    return fault->code == GIST_OBJECT_TYPE_ERROR && fault->subcode == GIST_UNTRANSLATED_OBJECT;
}

/* Where an Error in D-mode goes: to the sender by its NLI, or to the IP source if that is it. */
static bool find_destination(const struct gist_reception *reception, const struct gist_fault *fault,
    struct gist_endpoint *endpoint)
{
    const struct gist_message *message = &reception->message;
    bool by_source = SPEC_VALUE("RFC5971-7.2.1-3", 1, is_untranslated(fault), false);
    *endpoint = reception->arrival->source;
    if (gist_message_has(message, GIST_OBJECT_NLI) && !by_source) {
        SPEC_DO("RFC5971-5.6-3", 1) {
            endpoint->address = message->nli.interface_address;
            return true;
        }
    }
    SPEC_ENSURE("RFC5971-5.6-4", 1, message->header.source_is_peer) {
        return false;
    }
    return true;
}

/* Whoever sends nonsense, perhaps in the name of others, has so many answers. */
static bool has_share(struct gist_node *node, const struct gist_arrival *arrival)
{
    struct gist_share_holder holder =
        gist_node_holder(node, &arrival->source.address, arrival->interface);
    return gist_node_share_take(node, &holder, GIST_SHARE_OF_ERRORS, 1) == GIST_SHARE_TAKEN;
}

static void as_datagram(struct gist_node *node, const struct gist_reception *reception,
    const struct gist_fault *fault, struct gist_message *error)
{
    struct gist_endpoint destination;
    struct gist_address own;
    if (!find_destination(reception, fault, &destination) ||
        !gist_own_address(node, &destination.address, &own))
        return;
    if (!has_share(node, reception->arrival)) {
        node->counters.errors_refused++;
        return;
    }
    SPEC_DO("RFC5971-5.1-18", 1) {
        gist_add_own_nli(node, error, &own);
    }
    node->counters.errors_sent += gist_datagram_send(node, &destination, error);
    SPEC_NEVER("RFC5971-5.6-2b", 1) {
        gist_datagram_send(node, &destination, error);
    }
}

static struct gist_message build_error(const struct gist_reception *reception,
    const struct gist_fault *fault, struct wire_writer *infos)
{
    struct gist_message error = {
        .header = {.version = GIST_VERSION,
            .hop_count = GIST_DIRECT_HOPS,
            .type = GIST_ERROR,
            .source_is_peer = true},
        .error = describe(reception, fault, infos),
    };
    gist_message_add(&error, GIST_OBJECT_ERROR);
    if (gist_message_has(&reception->message, GIST_OBJECT_NAT_TRAVERSAL)) {
        error.nat_traversal = reception->message.nat_traversal;
        gist_message_add(&error, GIST_OBJECT_NAT_TRAVERSAL);
    }
    return error;
}

void gist_send_error(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault)
{
    if (fault->code == GIST_NO_ERROR)
        return;
    SPEC_ENSURE("RFC5971-5.6-1", 1, reception->message.header.type != GIST_ERROR) {
        return;
    }
    SPEC_NEVER("RFC5971-5.6-2a", 1) {
        gist_routing_state_create(
            node, GIST_QUERYING, &reception->message.mri, &reception->message.session_id);
    }
    uint8_t infos[INFOS_MAX];
    struct wire_writer writer = wire_writer_over(infos, sizeof(infos));
    struct gist_message error = build_error(reception, fault, &writer);
    if (reception->arrival)
        as_datagram(node, reception, fault, &error);
    else {
        SPEC_DO("RFC5971-5.6-5", 1) {
            node->counters.errors_sent +=
                gist_association_send(node, reception->association, &error, 0, NULL);
        }
    }
}

void gist_reject_fault(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault)
{
    node->counters.messages_rejected++;
    gist_send_error(node, reception, fault);
}

void gist_reject(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode)
{
    struct gist_fault fault = gist_fault_of(code, subcode);
    gist_reject_fault(node, reception, &fault);
}

void gist_reject_object(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode, enum gist_object_type type)
{
    struct gist_octets object = reception->message.objects[type];
    struct gist_fault fault = gist_fault_of(code, subcode);
    if (code == GIST_OBJECT_TYPE_ERROR)
        fault = gist_fault_of_object_type(subcode, (uint16_t)type);
    else
        fault.objects[0] =
            (struct gist_faulty_object){object.octets, object.length, GIST_OBJECT_HEADER_LENGTH};
    gist_reject_fault(node, reception, &fault);
}

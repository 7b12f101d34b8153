/*
 * GIST messages parsed and built; see message.h. RFC 5971 5.1, A.1, A.2.
 *
 * Parsing goes by the figures: the common header, the frames of the objects, each object in the
 * order that the message's grammar gives, then what is missing, then what one object says of
 * another.
 */
#include "core/gist/message.h"

#include "core/gist/grammar.h"
#include "core/spec/spec.h"

#include <string.h>

bool gist_message_has(const struct gist_message *message, enum gist_object_type type)
{
    return message->present & UINT32_C(1) << type;
}

void gist_message_add(struct gist_message *message, enum gist_object_type type)
{
    message->present |= UINT32_C(1) << type;
}

/* The first fault found is the one reported. */
static void report(struct gist_fault *fault, struct gist_fault found)
{
    if (fault->code == GIST_NO_ERROR)
        *fault = found;
}

static void check_header(const struct gist_common_header *header, struct gist_fault *fault)
{
    bool query = header->type == GIST_QUERY;
    bool never_reply =
        header->type == GIST_CONFIRM || header->type == GIST_DATA || header->type == GIST_ERROR;
    if (!SPEC_HOLDS("RFC5971-A.1-5", 1, header->version == GIST_VERSION))
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_UNKNOWN_VERSION));
    if (header->type >= GIST_MESSAGE_TYPE_COUNT)
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_UNKNOWN_TYPE));
    if (!SPEC_HOLDS("RFC5971-A.1-4", 1, !header->explicitly_routed || header->type == GIST_DATA))
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_E_FLAG));
    if (!SPEC_HOLDS("RFC5971-A.1-1", 1, !query || header->reply_requested) ||
        !SPEC_HOLDS("RFC5971-A.1-1", 2, !never_reply || !header->reply_requested))
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_R_FLAG));
    if (!SPEC_HOLDS("RFC5971-5.2.1-1", 1, !query || header->context_free) ||
        (header->context_free && !query && header->type != GIST_DATA))
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_C_FLAG));
}

/* Adds up the objects, in words, as their headers tell; A.4.2, Message Length Info. */
static size_t calculate_length(const uint8_t *octets, size_t length)
{
    struct wire_reader reader = wire_reader_over(octets, length);
    size_t words = 0;
    while (wire_remaining(&reader) >= GIST_OBJECT_HEADER_LENGTH) {
        wire_skip(&reader, 2);
        size_t value = wire_read_u16(&reader) & 0xfff;
        words += 1 + value;
        wire_skip(&reader, 4 * value);
    }
    return words + (wire_remaining(&reader) > 0);
}

static bool check_length(const uint8_t *octets, size_t length,
    const struct gist_common_header *header, struct gist_fault *fault)
{
    size_t words =
        calculate_length(octets + GIST_COMMON_HEADER_LENGTH, length - GIST_COMMON_HEADER_LENGTH);
    bool right = words == header->length && length == gist_common_header_message_length(header);
    if (right)
        return true;
    struct gist_fault found =
        gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_INCORRECT_MESSAGE_LENGTH);
    found.has_calculated_length = true;
    found.calculated_length = (uint16_t)(words > 0xffff ? 0xffff : words);
    report(fault, found);
    return false;
}

static bool read_octets(struct wire_reader *value, struct gist_octets *octets)
{
    octets->length = wire_remaining(value);
    octets->octets = wire_read_view(value, octets->length);
    return octets->length > 0;
}

static bool read_value(
    struct gist_message *message, uint16_t type, struct wire_reader *value, uint8_t *subcode)
{
    *subcode = GIST_INCORRECT_LENGTH;
    switch ((enum gist_object_type)type) {
    case GIST_OBJECT_MRI:
        return gist_mri_read(value, &message->mri, subcode);
    case GIST_OBJECT_SESSION_ID:
        wire_read_bytes(value, message->session_id.octets, sizeof(message->session_id.octets));
        return wire_finished(value);
    case GIST_OBJECT_NLI:
        return gist_nli_read(value, &message->nli, subcode);
    case GIST_OBJECT_STACK_PROPOSAL:
        return gist_stack_proposal_read(value, &message->stack_proposal, subcode);
    case GIST_OBJECT_STACK_CONFIGURATION:
        return gist_stack_configuration_read(value, &message->stack_configuration, subcode);
    case GIST_OBJECT_QUERY_COOKIE:
        return read_octets(value, &message->query_cookie);
    case GIST_OBJECT_RESPONDER_COOKIE:
        return read_octets(value, &message->responder_cookie);
    case GIST_OBJECT_NAT_TRAVERSAL:
        return gist_nat_traversal_read(value, &message->nat_traversal, subcode);
    case GIST_OBJECT_NSLP_DATA:
        return read_octets(value, &message->nslp_data);
    case GIST_OBJECT_ERROR:
        return gist_error_data_read(value, &message->error, subcode);
    case GIST_OBJECT_HELLO_ID:
        message->hello_id = wire_read_u32(value);
        return wire_finished(value);
    case GIST_OBJECT_TYPE_COUNT:
        break;
    }
    return false;
}

/* Whether the object is one to read; false when it is unknown or has no place here. */
static bool check_object(const struct gist_message *message, const struct gist_object *object,
    unsigned *place, struct gist_fault *fault)
{
    if (!SPEC_HOLDS("RFC5971-A.2.1-4", 1, object->extensibility != GIST_RESERVED)) {
        report(fault, gist_fault_of_object_type(GIST_INVALID_EXTENSIBILITY_FLAGS, object->type));
        return false;
    }
    if (object->type >= GIST_OBJECT_TYPE_COUNT) {
        if (!SPEC_HOLDS("RFC5971-A.2.1-1", 1, object->extensibility != GIST_MANDATORY))
            report(fault, gist_fault_of_object_type(GIST_UNRECOGNISED_OBJECT, object->type));
        return false;
    }
    if (!SPEC_HOLDS(
            "RFC5971-5.1-2", 1, !gist_message_has(message, (enum gist_object_type)object->type))) {
        report(fault, gist_fault_of_object_type(GIST_DUPLICATE_OBJECT, object->type));
        return false;
    }
    unsigned found = gist_grammar_place(message->header.type, object->type);
    if (!SPEC_HOLDS("RFC5971-5.1-2", 2, found > 0) ||
        !SPEC_HOLDS("RFC5971-5.1-1", 1, found == 0 || found > *place)) {
        report(fault, gist_fault_of_object_type(GIST_INVALID_OBJECT_TYPE, object->type));
        return true;
    }
    *place = found;
    return true;
}

static void read_object(
    struct gist_message *message, struct gist_object *object, struct gist_fault *fault)
{
    uint8_t subcode;
    if (!read_value(message, object->type, &object->value, &subcode)) {
        report(fault, gist_object_fault(object, subcode, object->value.position));
        return;
    }
    gist_message_add(message, (enum gist_object_type)object->type);
    message->objects[object->type] = object->whole;
}

static void check_missing(const struct gist_message *message, struct gist_fault *fault)
{
    int missing = gist_grammar_missing(message->header.type, message->present);
    if (!SPEC_HOLDS("RFC5971-5.1-2", 3, missing < 0))
        report(fault, gist_fault_of_object_type(GIST_MISSING_OBJECT, (uint16_t)missing));
}

static struct gist_faulty_object whole_object(
    const struct gist_message *message, enum gist_object_type type, uint16_t offset)
{
    struct gist_octets octets = message->objects[type];
    return (struct gist_faulty_object){octets.octets, octets.length, offset};
}

static struct gist_fault value_fault(
    const struct gist_message *message, uint8_t subcode, enum gist_object_type type)
{
    struct gist_fault fault = gist_fault_of(GIST_OBJECT_VALUE_ERROR, subcode);
    fault.objects[0] = whole_object(message, type, GIST_OBJECT_HEADER_LENGTH);
    return fault;
}

/* What the parts of a message say of each other. */
static void check_relations(const struct gist_message *message, struct gist_fault *fault)
{
    uint8_t type = message->header.type;
    if (type == GIST_RESPONSE && !SPEC_HOLDS("RFC5971-5.1-11a", 1,
                                     message->header.reply_requested ||
                                         !gist_message_has(message, GIST_OBJECT_RESPONDER_COOKIE)))
        report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_R_FLAG));
    if (message->header.context_free && gist_message_has(message, GIST_OBJECT_MRI) &&
        message->mri.mrm == GIST_MRM_LOOSE_END && message->mri.upstream)
        report(fault, value_fault(message, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_MRI));
    if (type == GIST_MA_HELLO && !SPEC_HOLDS("RFC5971-5.2.2-9b", 1,
                                     !message->header.reply_requested || message->hello_id != 0))
        report(fault, value_fault(message, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_HELLO_ID));
    if (!gist_message_has(message, GIST_OBJECT_STACK_PROPOSAL) ||
        !gist_message_has(message, GIST_OBJECT_STACK_CONFIGURATION))
        return;
    if (SPEC_HOLDS("RFC5971-5.7.1-2", 1,
            gist_stack_consistent(
                &message->stack_proposal, &message->stack_configuration, type != GIST_CONFIRM)))
        return;
    struct gist_fault found = value_fault(message, GIST_STACK_MISMATCH, GIST_OBJECT_STACK_PROPOSAL);
    found.objects[1] =
        whole_object(message, GIST_OBJECT_STACK_CONFIGURATION, GIST_OBJECT_HEADER_LENGTH);
    if (SPEC_NEVER("RFC5971-A.4.4.10-1", 1)) {
        found.objects[0] = found.objects[1];
        found.objects[1] =
            whole_object(message, GIST_OBJECT_STACK_PROPOSAL, GIST_OBJECT_HEADER_LENGTH);
    }
    report(fault, found);
}

bool gist_message_parse(
    const uint8_t *octets, size_t length, struct gist_message *message, struct gist_fault *fault)
{
    memset(message, 0, sizeof(*message));
    *fault = (struct gist_fault){0};
    struct wire_reader reader = wire_reader_over(octets, length);
    message->header = gist_common_header_read(&reader);
    if (reader.failed)
        return false;
    check_header(&message->header, fault);
    if (!check_length(octets, length, &message->header, fault))
        return false;
    if (fault->code != GIST_NO_ERROR && fault->subcode == GIST_UNKNOWN_VERSION)
        return false;
    unsigned place = 0;
    while (wire_remaining(&reader) > 0) {
        struct gist_object object = gist_object_read(&reader);
        if (check_object(message, &object, &place, fault))
            read_object(message, &object, fault);
    }
    if (message->header.type < GIST_MESSAGE_TYPE_COUNT) {
        check_missing(message, fault);
        check_relations(message, fault);
    }
    return fault->code == GIST_NO_ERROR;
}

/*
 * GIST messages parsed; see message_parse.h. RFC 5971 5.1, A.1, A.2.
 *
 * Parsing goes by the figures: the common header, the frames of the objects, each object in the
 * order that the message's grammar gives, then what is missing, then what one object says of
 * another.
 */
#include "core/gist/message/message_parse.h"

#include "core/gist/message/grammar.h"
#include "core/spec/spec.h"

#include <string.h>

/* The first fault found is the one reported. */
static void report(struct gist_fault *fault, struct gist_fault found)
{
    if (fault->code == GIST_NO_ERROR)
        *fault = found;
}

static void report_header(struct gist_fault *fault, uint8_t subcode)
{
    report(fault, gist_fault_of(GIST_COMMON_HEADER_PARSE_ERROR, subcode));
}

static void check_header(const struct gist_common_header *header, struct gist_fault *fault)
{
    bool query = header->type == GIST_QUERY;
    bool never_reply =
        header->type == GIST_CONFIRM || header->type == GIST_DATA || header->type == GIST_ERROR;
    SPEC_ENSURE("RFC5971-A.1-5", 1, header->version == GIST_VERSION) {
        report_header(fault, GIST_UNKNOWN_VERSION);
    }
    if (header->type >= GIST_MESSAGE_TYPE_COUNT)
        report_header(fault, GIST_UNKNOWN_TYPE);
    SPEC_ENSURE("RFC5971-A.1-4", 1, !header->explicitly_routed || header->type == GIST_DATA) {
        report_header(fault, GIST_INVALID_E_FLAG);
    }
    SPEC_ENSURE("RFC5971-A.1-1", 1, !query || header->reply_requested) {
        report_header(fault, GIST_INVALID_R_FLAG);
    }
    SPEC_ENSURE("RFC5971-A.1-1", 2, !never_reply || !header->reply_requested) {
        report_header(fault, GIST_INVALID_R_FLAG);
    }
    SPEC_ENSURE("RFC5971-5.2.1-1", 1, !query || header->context_free) {
        report_header(fault, GIST_INVALID_C_FLAG);
    }
    if (header->context_free && !query && header->type != GIST_DATA)
        report_header(fault, GIST_INVALID_C_FLAG);
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
    if (words == header->length && length == gist_common_header_message_length(header))
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

static void report_object(
    struct gist_fault *fault, uint8_t subcode, const struct gist_object *object)
{
    report(fault, gist_fault_of_object_type(subcode, object->type));
}

/* An object that is known may have no place here, or come too early: read it all the same. */
static void check_place(const struct gist_message *message, const struct gist_object *object,
    unsigned *place, struct gist_fault *fault)
{
    unsigned found = gist_grammar_place(message->header.type, object->type);
    SPEC_ENSURE("RFC5971-5.1-2", 2, found > 0) {
        report_object(fault, GIST_INVALID_OBJECT_TYPE, object);
        return;
    }
    SPEC_ENSURE("RFC5971-5.1-1", 1, found == 0 || found > *place) {
        report_object(fault, GIST_INVALID_OBJECT_TYPE, object);
        return;
    }
    *place = found;
}

/* Whether the object is one to read; false when it is unknown or came before. */
static bool check_object(const struct gist_message *message, const struct gist_object *object,
    unsigned *place, struct gist_fault *fault)
{
    SPEC_ENSURE("RFC5971-A.2.1-4", 1, object->extensibility != GIST_RESERVED) {
        report_object(fault, GIST_INVALID_EXTENSIBILITY_FLAGS, object);
        return false;
    }
    if (object->type >= GIST_OBJECT_TYPE_COUNT) {
        SPEC_ENSURE("RFC5971-A.2.1-1", 1, object->extensibility != GIST_MANDATORY) {
            report_object(fault, GIST_UNRECOGNISED_OBJECT, object);
        }
        return false;
    }
    bool came_before = gist_message_has(message, (enum gist_object_type)object->type);
    SPEC_ENSURE("RFC5971-5.1-2", 1, !came_before) {
        report_object(fault, GIST_DUPLICATE_OBJECT, object);
        return false;
    }
    check_place(message, object, place, fault);
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
    SPEC_ENSURE("RFC5971-5.1-2", 3, missing < 0) {
        report(fault, gist_fault_of_object_type(GIST_MISSING_OBJECT, (uint16_t)missing));
    }
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

/* Both objects, the Stack-Proposal first: A.4.4.10. */
static struct gist_fault stack_mismatch(const struct gist_message *message)
{
    struct gist_faulty_object proposal =
        whole_object(message, GIST_OBJECT_STACK_PROPOSAL, GIST_OBJECT_HEADER_LENGTH);
    struct gist_faulty_object configuration =
        whole_object(message, GIST_OBJECT_STACK_CONFIGURATION, GIST_OBJECT_HEADER_LENGTH);
    struct gist_fault fault = gist_fault_of(GIST_OBJECT_VALUE_ERROR, GIST_STACK_MISMATCH);
    size_t first = SPEC_VALUE("RFC5971-A.4.4.10-1", 1, 0, 1);
    fault.objects[first] = proposal;
    fault.objects[1 - first] = configuration;
    return fault;
}

/* What the parts of a message say of each other. */
static void check_relations(const struct gist_message *message, struct gist_fault *fault)
{
    uint8_t type = message->header.type;
    if (type == GIST_RESPONSE && gist_message_has(message, GIST_OBJECT_RESPONDER_COOKIE)) {
        SPEC_ENSURE("RFC5971-5.1-11a", 1, message->header.reply_requested) {
            report_header(fault, GIST_INVALID_R_FLAG);
        }
    }
    if (message->header.context_free && gist_message_has(message, GIST_OBJECT_MRI) &&
        message->mri.mrm == GIST_MRM_LOOSE_END && message->mri.upstream)
        report(fault, value_fault(message, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_MRI));
    if (type == GIST_MA_HELLO && message->header.reply_requested) {
        SPEC_ENSURE("RFC5971-5.2.2-9b", 1, message->hello_id != 0) {
            report(fault, value_fault(message, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_HELLO_ID));
        }
    }
    if (!gist_message_has(message, GIST_OBJECT_STACK_PROPOSAL) ||
        !gist_message_has(message, GIST_OBJECT_STACK_CONFIGURATION))
        return;
    bool consistent = gist_stack_consistent(
        &message->stack_proposal, &message->stack_configuration, type != GIST_CONFIRM);
    SPEC_ENSURE("RFC5971-5.7.1-2", 1, consistent) {
        report(fault, stack_mismatch(message));
    }
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

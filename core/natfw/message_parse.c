/*
 * Parses NATFW messages. RFC 5973 4; the checks stand in the order of ruling A11, so that a message
 * with several faults is answered for the first of them.
 */
#include "core/natfw/message.h"

#include "core/natfw/object.h"
#include "core/spec/spec.h"

#include <string.h>

struct parse {
    struct wire_reader objects; /* each pass reads a copy */
    struct natfw_message *message;
    struct natfw_info *fault;
};

static bool fault(struct parse *parse, uint8_t error_class, uint8_t code, uint16_t object_type)
{
    *parse->fault =
        (struct natfw_info){.error_class = error_class, .code = code, .object_type = object_type};
    return false;
}

static bool protocol_error(struct parse *parse, uint8_t code, uint16_t object_type)
{
    return fault(parse, NATFW_PROTOCOL_ERROR, code, object_type);
}

/* Figure 20: the header. Only requests use the flags; reserved bits are of no concern. */
static bool header(struct parse *parse, struct wire_reader *octets)
{
    struct natfw_message *message = parse->message;
    message->type = wire_read_u8(octets);
    uint8_t flags = wire_read_u8(octets);
    uint16_t reserved = wire_read_u16(octets);
    if (octets->failed)
        return protocol_error(parse, NATFW_WRONG_MESSAGE_LENGTH, 0);
    if (!SPEC_HOLDS(
            "RFC5973-4.1-3", 1, message->type >= NATFW_CREATE && message->type <= NATFW_NOTIFY))
        return protocol_error(parse, NATFW_ILLEGAL_MESSAGE_TYPE, 0);
    if (((flags & 0x3f) || reserved) && SPEC_NEVER("RFC5973-4.1-2b", 1))
        return protocol_error(parse, NATFW_BAD_FLAGS, 0);

    bool request = message->type == NATFW_CREATE || message->type == NATFW_EXTERNAL;
    bool proxy = flags & 0x80;
    bool end_to_end = flags & 0x40;
    if (!request && proxy && SPEC_NEVER("RFC5973-4.1-6", 1))
        return protocol_error(parse, NATFW_BAD_FLAGS, 0);
    if (!request && end_to_end && SPEC_NEVER("RFC5973-4.1-10", 1))
        return protocol_error(parse, NATFW_BAD_FLAGS, 0);
    message->proxy = request && proxy;
    message->end_to_end = request && end_to_end && SPEC_HOLDS("RFC5973-4.1-8", 1, message->proxy);
    return true;
}

/* A message ends where its last object ends. Rulings A06, A22. */
static bool lengths(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (!SPEC_HOLDS("RFC5973-4.2-1", 1, !object.value.failed))
            return protocol_error(parse, NATFW_WRONG_OBJECT_LENGTH, object.type);
        if (natfw_object_is_known(object.type) &&
            !SPEC_HOLDS("RFC5973-4.2-1", 2, natfw_object_length_fits(&object)))
            return protocol_error(parse, NATFW_WRONG_OBJECT_LENGTH, object.type);
    }
    if (objects.failed)
        return protocol_error(parse, NATFW_WRONG_MESSAGE_LENGTH, 0);
    return true;
}

static bool treatments(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object))
        if (!SPEC_HOLDS("RFC5973-4.2-3b", 1, object.treatment != NATFW_TREAT_INVALID))
            return protocol_error(parse, NATFW_INVALID_COMBINATION, object.type);
    return true;
}

/* The bits A and B count for unknown objects only (ruling A09). */
static bool unknown_objects(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        bool understood = natfw_object_is_known(object.type) ||
                          object.treatment == NATFW_TREAT_OPTIONAL ||
                          object.treatment == NATFW_TREAT_FORWARD;
        if (!SPEC_HOLDS("RFC5973-4.2-2", 1, understood))
            return protocol_error(parse, NATFW_UNKNOWN_OBJECT, object.type);
    }
    return true;
}

static bool duplicates(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (!natfw_object_is_known(object.type))
            continue;
        bool first = !natfw_message_has(parse->message, object.type);
        if (!SPEC_HOLDS("RFC5973-4.3-4", 1, first))
            return protocol_error(parse, NATFW_DUPLICATE_OBJECT, object.type);
        if (!first)
            continue;
        natfw_message_add(parse->message, object.type);
        natfw_object_read(&object, parse->message);
    }
    return true;
}

static bool presence(struct parse *parse)
{
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++)
        if (natfw_message_has(parse->message, type) &&
            !SPEC_HOLDS(
                "RFC5973-4.3-3", 1, natfw_object_presence(parse->message, type) != NATFW_ABSENT))
            return protocol_error(parse, NATFW_ILLEGAL_OBJECT, type);
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++)
        if (!natfw_message_has(parse->message, type) &&
            !SPEC_HOLDS(
                "RFC5973-4.3-2", 1, natfw_object_presence(parse->message, type) != NATFW_MANDATORY))
            return protocol_error(parse, NATFW_MANDATORY_OBJECT_MISSING, type);
    return true;
}

/* The IP-Ver nibble of NATFW_EXTERNAL_IP and NATFW_EXTERNAL_BINDING. */
static bool ip_versions(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (object.type != NATFW_EXTERNAL_IP && object.type != NATFW_EXTERNAL_BINDING)
            continue;
        wire_skip(&object.value, 2);
        if (wire_read_u8(&object.value) >> 4 != 4)
            return protocol_error(parse, NATFW_UNKNOWN_FIELD_VALUE, object.type);
    }
    return true;
}

static bool has_ports(uint8_t protocol)
{
    switch (protocol) {
    case 6:   /* TCP */
    case 17:  /* UDP */
    case 33:  /* DCCP */
    case 132: /* SCTP */
    case 136: /* UDP-Lite */
        return true;
    default:
        return false;
    }
}

/* RFC 5973 4.2.8, rulings A24 and A26. */
static bool dtinfo_values(struct parse *parse)
{
    const struct natfw_dtinfo *dtinfo = &parse->message->dtinfo;
    if (!natfw_message_has(parse->message, NATFW_DTINFO))
        return true;
    if (!SPEC_HOLDS("RFC5973-4.2.8-3", 1, !(dtinfo->has_ports && dtinfo->has_spi)))
        return protocol_error(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    bool needs_protocol = dtinfo->has_ports || dtinfo->has_spi;
    if (!SPEC_HOLDS("RFC5973-4.2.8-5", 1, !needs_protocol || dtinfo->has_protocol))
        return protocol_error(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    if (dtinfo->has_ports && dtinfo->has_protocol && !has_ports(dtinfo->protocol))
        return protocol_error(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    if (dtinfo->sender_prefix > 32)
        return protocol_error(parse, NATFW_UNKNOWN_FIELD_VALUE, NATFW_DTINFO);
    if (dtinfo->sender_prefix > 0 && dtinfo->sender_address == 0)
        return protocol_error(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    return true;
}

/* A deletion needs the object, but its content does not count (ruling A90). */
static bool efi_values(struct parse *parse)
{
    const struct natfw_efi *efi = &parse->message->efi;
    if (!natfw_message_has(parse->message, NATFW_EFI) || parse->message->lifetime_s == 0)
        return true;
    if (!SPEC_HOLDS("RFC5973-4.2.4-3", 1, efi->action == 1 || efi->action == 2))
        return fault(parse, NATFW_SESSION_FAILURE, NATFW_UNKNOWN_ACTION, NATFW_EFI);
    if (!SPEC_HOLDS("RFC5973-4.2.4-4b", 1, efi->sub_ports <= 1))
        return fault(parse, NATFW_SESSION_FAILURE, NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI);
    return true;
}

static bool icmp_values(struct parse *parse)
{
    if (natfw_message_has(parse->message, NATFW_ICMP_TYPES) &&
        parse->message->icmp_types.count == 0)
        return protocol_error(parse, NATFW_UNKNOWN_FIELD_VALUE, NATFW_ICMP_TYPES);
    return true;
}

static void salvage_sequence_number(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object))
        if (object.type == NATFW_MSN && !object.value.failed && natfw_object_length_fits(&object)) {
            natfw_object_read(&object, parse->message);
            return;
        }
}

bool natfw_message_parse(const uint8_t *octets, size_t length, struct natfw_message *message,
    struct natfw_info *fault_out)
{
    static bool (*const checks[])(struct parse *) = {lengths, treatments, unknown_objects,
        duplicates, presence, ip_versions, dtinfo_values, efi_values, icmp_values};

    memset(message, 0, sizeof(*message));
    *fault_out = (struct natfw_info){0};
    struct wire_reader reader = wire_reader_over(octets, length);
    struct parse parse = {.message = message, .fault = fault_out};
    bool right = header(&parse, &reader);
    parse.objects = wire_read_part(&reader, wire_remaining(&reader));
    if (!reader.failed) {
        message->received_objects = parse.objects.data;
        message->received_length = parse.objects.length;
    }
    for (size_t i = 0; right && i < sizeof(checks) / sizeof(checks[0]); i++)
        right = checks[i](&parse);
    if (!right)
        salvage_sequence_number(&parse);
    return right;
}

/*
 * Parses NATFW messages. RFC 5973 4; the checks stand in the order of ruling A11, so that a message
 * with several faults is answered for the first of them.
 */
#include "core/natfw/message/message_parse.h"

#include "core/natfw/message/object.h"
#include "core/spec/spec.h"

#include <string.h>

struct parse {
    struct wire_reader objects; /* each pass reads a copy */
    struct natfw_message *message;
    struct natfw_info *fault;
};

static bool refuse_message(struct parse *parse, enum natfw_code code, uint16_t object_type)
{
    *parse->fault = (struct natfw_info){.code = code, .object_type = object_type};
    return false;
}

/* P and E of a request; E only counts with P. */
static bool read_flags(struct natfw_message *message, uint8_t flags)
{
    message->proxy = flags & NATFW_FLAG_P;
    message->end_to_end = (flags & NATFW_FLAG_E) && SPEC_HOLDS("RFC5973-4.1-8", 1, message->proxy);
    return true;
}

/* P and E of RESPONSE and NOTIFY mean nothing. */
static bool ignore_flags(struct parse *parse, uint8_t flags)
{
    if (flags & NATFW_FLAG_P) {
        SPEC_NEVER("RFC5973-4.1-6", 1) {
            return refuse_message(parse, NATFW_BAD_FLAGS, 0);
        }
    }
    if (flags & NATFW_FLAG_E) {
        SPEC_NEVER("RFC5973-4.1-10", 1) {
            return refuse_message(parse, NATFW_BAD_FLAGS, 0);
        }
    }
    return true;
}

/* Figure 20: the header. Reserved bits are of no concern. */
static bool check_header(struct parse *parse, struct wire_reader *octets)
{
    struct natfw_message *message = parse->message;
    message->type = wire_read_u8(octets);
    uint8_t flags = wire_read_u8(octets);
    uint16_t reserved = wire_read_u16(octets);
    if (octets->failed)
        return refuse_message(parse, NATFW_WRONG_MESSAGE_LENGTH, 0);
    SPEC_ENSURE("RFC5973-4.1-3", 1,
        message->type >= NATFW_CREATE && message->type <= NATFW_NOTIFY) {
        return refuse_message(parse, NATFW_ILLEGAL_MESSAGE_TYPE, 0);
    }
    if ((flags & NATFW_FLAGS_RESERVED) || reserved) {
        SPEC_NEVER("RFC5973-4.1-2b", 1) {
            return refuse_message(parse, NATFW_BAD_FLAGS, 0);
        }
    }
    return natfw_is_request(message) ? read_flags(message, flags) : ignore_flags(parse, flags);
}

/* A message ends where its last object ends. Rulings A06, A22. */
static bool check_lengths(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        SPEC_ENSURE("RFC5973-4.2-1", 1, !object.value.failed) {
            return refuse_message(parse, NATFW_WRONG_OBJECT_LENGTH, object.type);
        }
        if (!natfw_object_is_known(object.type))
            continue;
        SPEC_ENSURE("RFC5973-4.2-1", 2, natfw_object_length_fits(&object)) {
            return refuse_message(parse, NATFW_WRONG_OBJECT_LENGTH, object.type);
        }
    }
    if (objects.failed)
        return refuse_message(parse, NATFW_WRONG_MESSAGE_LENGTH, 0);
    return true;
}

static bool check_treatments(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        SPEC_ENSURE("RFC5973-4.2-3b", 1, object.treatment != NATFW_TREAT_INVALID) {
            return refuse_message(parse, NATFW_INVALID_COMBINATION, object.type);
        }
    }
    return true;
}

/* The bits A and B count for unknown objects only (ruling A09). */
static bool check_unknown_objects(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        bool understood = natfw_object_is_known(object.type) ||
                          object.treatment == NATFW_TREAT_OPTIONAL ||
                          object.treatment == NATFW_TREAT_FORWARD;
        SPEC_ENSURE("RFC5973-4.2-2", 1, understood) {
            return refuse_message(parse, NATFW_UNKNOWN_OBJECT, object.type);
        }
    }
    return true;
}

/* Reads each known object; none may come twice. */
static bool read_objects(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (!natfw_object_is_known(object.type))
            continue;
        bool first = !natfw_message_has(parse->message, object.type);
        SPEC_ENSURE("RFC5973-4.3-4", 1, first) {
            return refuse_message(parse, NATFW_DUPLICATE_OBJECT, object.type);
        }
        natfw_message_add(parse->message, object.type);
        natfw_object_read(&object, parse->message);
    }
    return true;
}

static bool check_presence(struct parse *parse)
{
    const struct natfw_message *message = parse->message;
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        bool absent = natfw_object_presence(message, type) == NATFW_ABSENT;
        SPEC_ENSURE("RFC5973-4.3-3", 1, !(natfw_message_has(message, type) && absent)) {
            return refuse_message(parse, NATFW_ILLEGAL_OBJECT, type);
        }
    }
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        bool mandatory = natfw_object_presence(message, type) == NATFW_MANDATORY;
        SPEC_ENSURE("RFC5973-4.3-2", 1, natfw_message_has(message, type) || !mandatory) {
            return refuse_message(parse, NATFW_MANDATORY_OBJECT_MISSING, type);
        }
    }
    return true;
}

/* The IP-Ver nibble of NATFW_EXTERNAL_IP and NATFW_EXTERNAL_BINDING. */
static bool check_ip_versions(struct parse *parse)
{
    struct wire_reader objects = parse->objects;
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (object.type != NATFW_EXTERNAL_IP && object.type != NATFW_EXTERNAL_BINDING)
            continue;
        wire_skip(&object.value, 2);
        if (wire_read_u8(&object.value) >> 4 != 4)
            return refuse_message(parse, NATFW_UNKNOWN_FIELD_VALUE, object.type);
    }
    return true;
}

static bool protocol_has_ports(uint8_t protocol)
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
static bool check_dtinfo(struct parse *parse)
{
    const struct natfw_dtinfo *dtinfo = &parse->message->dtinfo;
    if (!natfw_message_has(parse->message, NATFW_DTINFO))
        return true;
    SPEC_ENSURE("RFC5973-4.2.8-3", 1, !(dtinfo->has_ports && dtinfo->has_spi)) {
        return refuse_message(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    }
    bool needs_protocol = dtinfo->has_ports || dtinfo->has_spi;
    SPEC_ENSURE("RFC5973-4.2.8-5", 1, !needs_protocol || dtinfo->has_protocol) {
        return refuse_message(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    }
    if (dtinfo->has_ports && dtinfo->has_protocol && !protocol_has_ports(dtinfo->protocol))
        return refuse_message(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    if (dtinfo->sender_prefix > 32)
        return refuse_message(parse, NATFW_UNKNOWN_FIELD_VALUE, NATFW_DTINFO);
    if (dtinfo->sender_prefix > 0 && dtinfo->sender_address == 0)
        return refuse_message(parse, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    return true;
}

/* A deletion needs the object, but its content does not count (ruling A90). */
static bool check_efi(struct parse *parse)
{
    const struct natfw_efi *efi = &parse->message->efi;
    if (!natfw_message_has(parse->message, NATFW_EFI) || parse->message->lifetime_s == 0)
        return true;
    SPEC_ENSURE("RFC5973-4.2.4-3", 1, efi->action == 1 || efi->action == 2) {
        return refuse_message(parse, NATFW_UNKNOWN_ACTION, NATFW_EFI);
    }
    SPEC_ENSURE("RFC5973-4.2.4-4b", 1, efi->sub_ports <= 1) {
        return refuse_message(parse, NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI);
    }
    return true;
}

static bool check_icmp_types(struct parse *parse)
{
    if (natfw_message_has(parse->message, NATFW_ICMP_TYPES) &&
        parse->message->icmp_types.count == 0)
        return refuse_message(parse, NATFW_UNKNOWN_FIELD_VALUE, NATFW_ICMP_TYPES);
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

/* Ruling A11. */
static bool (*const checks[])(struct parse *) = {
    check_lengths,
    check_treatments,
    check_unknown_objects,
    read_objects,
    check_presence,
    check_ip_versions,
    check_dtinfo,
    check_efi,
    check_icmp_types,
};

static bool check_objects(struct parse *parse)
{
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
        if (!checks[i](parse))
            return false;
    return true;
}

bool natfw_message_parse(
    const uint8_t *octets, size_t length, struct natfw_message *message, struct natfw_info *fault)
{
    memset(message, 0, sizeof(*message));
    *fault = (struct natfw_info){0};
    struct wire_reader reader = wire_reader_over(octets, length);
    struct parse parse = {.message = message, .fault = fault};
    bool valid = check_header(&parse, &reader);
    parse.objects = wire_read_part(&reader, wire_remaining(&reader));
    if (!reader.failed) {
        message->received_objects = parse.objects.data;
        message->received_length = parse.objects.length;
    }
    valid = valid && check_objects(&parse);
    if (!valid)
        salvage_sequence_number(&parse);
    return valid;
}

/* Builds NATFW messages. RFC 5973 4. */
#include "core/natfw/message/message_build.h"

#include "core/natfw/message/message_parse.h"
#include "core/natfw/message/object.h"
#include "core/spec/spec.h"

/* Figure 20. Only requests have flags, and E only with P. */
static uint8_t flags_of(const struct natfw_message *message)
{
    bool request = natfw_is_request(message);
    bool proxy = message->proxy && SPEC_HOLDS("RFC5973-4.1-5", 1, request);
    bool end_to_end = message->end_to_end && SPEC_HOLDS("RFC5973-4.1-9", 1, request) &&
                      SPEC_HOLDS("RFC5973-4.1-8", 2, message->proxy);
    return (uint8_t)((proxy ? SPEC_VALUE("RFC5973-4.1-4", 1, NATFW_FLAG_P, 0) : 0) |
                     (end_to_end ? NATFW_FLAG_E : 0));
}

static void write_header(struct wire_writer *writer, const struct natfw_message *message)
{
    wire_put_u8(writer, message->type);
    wire_put_u8(writer, flags_of(message));
    wire_put_u16(writer, SPEC_VALUE("RFC5973-4.1-2a", 1, 0, 1));
}

/* Writes a known object that the message has, unless it is there already. */
static void write_once(
    struct wire_writer *writer, const struct natfw_message *message, uint16_t type, bool *written)
{
    if (natfw_message_has(message, type) && !written[type - NATFW_OBJECT_FIRST])
        natfw_object_write(writer, message, type);
    written[type - NATFW_OBJECT_FIRST] = true;
}

/* What came keeps its place, with its present value; what is not understood, and marked so, is
 * carried on unchanged. RFC 5973 4.2, 4.3. */
static void write_received_objects(
    struct wire_writer *writer, const struct natfw_message *message, bool *written)
{
    struct wire_reader objects =
        wire_reader_over(message->received_objects, message->received_length);
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (natfw_object_is_known(object.type))
            write_once(writer, message, object.type, written);
        else if (object.treatment == NATFW_TREAT_FORWARD && !object.value.failed)
            wire_put_bytes(writer, object.start, 4 + object.length);
    }
}

size_t natfw_message_write(const struct natfw_message *message, uint8_t *octets, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(octets, capacity);
    bool written[NATFW_OBJECT_KINDS] = {false};
    SPEC_DO("RFC5973-4.1-1", 1) {
        write_header(&writer, message);
    }
    write_received_objects(&writer, message, written);
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++)
        write_once(&writer, message, type, written);
    return wire_written(&writer);
}

static bool refuse_to_build(struct natfw_info *fault, enum natfw_code code, uint16_t object_type)
{
    *fault = (struct natfw_info){.code = code, .object_type = object_type};
    return false;
}

static bool check_presence(const struct natfw_message *message, struct natfw_info *fault)
{
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        enum natfw_presence presence = natfw_object_presence(message, type);
        bool has = natfw_message_has(message, type);
        if (presence == NATFW_ABSENT && has)
            return refuse_to_build(fault, NATFW_ILLEGAL_OBJECT, type);
        SPEC_ENSURE("RFC5973-4.3-1a", 1, presence != NATFW_MANDATORY || has) {
            return refuse_to_build(fault, NATFW_MANDATORY_OBJECT_MISSING, type);
        }
    }
    return true;
}

/* NATFW_INFO: what its bits hold, and no RESPONSE that only informs (4.2.5, ruling A14). */
static bool check_info(const struct natfw_message *message, struct natfw_info *fault)
{
    const struct natfw_info *info = &message->info;
    unsigned error_class = natfw_class_of(info->code);
    bool informs = message->type == NATFW_RESPONSE && error_class == NATFW_INFORMATIONAL;
    if (error_class <= 0xf && info->object_type <= 0xfff && !informs)
        return true;
    return refuse_to_build(fault, NATFW_UNKNOWN_FIELD_VALUE, NATFW_INFO);
}

static bool check_dtinfo(const struct natfw_dtinfo *dtinfo, struct natfw_info *fault)
{
    SPEC_ENSURE("RFC5973-4.2.8-2", 1, !(dtinfo->has_ports && dtinfo->has_spi)) {
        return refuse_to_build(fault, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    }
    return true;
}

static bool check_efi(const struct natfw_efi *efi, struct natfw_info *fault)
{
    SPEC_ENSURE("RFC5973-4.2.4-4a", 1, efi->sub_ports <= 1) {
        return refuse_to_build(fault, NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI);
    }
    return true;
}

static bool may_be_built(const struct natfw_message *message, struct natfw_info *fault)
{
    if (message->type < NATFW_CREATE || message->type > NATFW_NOTIFY)
        return refuse_to_build(fault, NATFW_ILLEGAL_MESSAGE_TYPE, 0);
    return check_presence(message, fault) &&
           (!natfw_message_has(message, NATFW_INFO) || check_info(message, fault)) &&
           (!natfw_message_has(message, NATFW_DTINFO) || check_dtinfo(&message->dtinfo, fault)) &&
           (!natfw_message_has(message, NATFW_EFI) || check_efi(&message->efi, fault));
}

/* What is built is read again. */
static bool is_refused(const uint8_t *octets, size_t length, struct natfw_info *fault)
{
    struct natfw_message parsed;
    return !natfw_message_parse(octets, length, &parsed, fault) && !spec_is_mutated();
}

size_t natfw_message_build_or_tell(
    const struct natfw_message *message, uint8_t *octets, size_t capacity, struct natfw_info *fault)
{
    *fault = (struct natfw_info){0};
    if (!may_be_built(message, fault))
        return 0;
    size_t length = natfw_message_write(message, octets, capacity);
    return length > 0 && !is_refused(octets, length, fault) ? length : 0;
}

size_t natfw_message_build(const struct natfw_message *message, uint8_t *octets, size_t capacity)
{
    struct natfw_info fault;
    return natfw_message_build_or_tell(message, octets, capacity, &fault);
}

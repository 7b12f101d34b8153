/* Builds NATFW messages. RFC 5973 4. */
#include "core/natfw/message.h"

#include "core/natfw/object.h"
#include "core/spec/spec.h"

static bool is_request(const struct natfw_message *message)
{
    return message->type == NATFW_CREATE || message->type == NATFW_EXTERNAL;
}

/* Figure 20. */
static void write_header(struct wire_writer *writer, const struct natfw_message *message)
{
    bool proxy = message->proxy && SPEC_HOLDS("RFC5973-4.1-5", 1, is_request(message));
    bool end_to_end = message->end_to_end && SPEC_HOLDS("RFC5973-4.1-9", 1, is_request(message)) &&
                      SPEC_HOLDS("RFC5973-4.1-8", 2, message->proxy);
    wire_put_u8(writer, message->type);
    wire_put_u8(writer,
        (uint8_t)((proxy ? SPEC_VALUE("RFC5973-4.1-4", 1, 0x80, 0) : 0) | (end_to_end ? 0x40 : 0)));
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
    if (SPEC_ACT("RFC5973-4.1-1", 1))
        write_header(&writer, message);
    write_received_objects(&writer, message, written);
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++)
        write_once(&writer, message, type, written);
    return wire_written(&writer);
}

static bool refuse(
    struct natfw_info *fault, uint8_t error_class, uint8_t code, uint16_t object_type)
{
    *fault =
        (struct natfw_info){.error_class = error_class, .code = code, .object_type = object_type};
    return false;
}

static bool objects_may_be_built(const struct natfw_message *message, struct natfw_info *fault)
{
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        enum natfw_presence presence = natfw_object_presence(message, type);
        bool has = natfw_message_has(message, type);
        if (presence == NATFW_ABSENT && has)
            return refuse(fault, NATFW_PROTOCOL_ERROR, NATFW_ILLEGAL_OBJECT, type);
        if (!SPEC_HOLDS("RFC5973-4.3-1a", 1, presence != NATFW_MANDATORY || has))
            return refuse(fault, NATFW_PROTOCOL_ERROR, NATFW_MANDATORY_OBJECT_MISSING, type);
    }
    return true;
}

/* NATFW_INFO: what its bits hold, and no RESPONSE that only informs (4.2.5, ruling A14). */
static bool info_may_be_built(const struct natfw_message *message, struct natfw_info *fault)
{
    const struct natfw_info *info = &message->info;
    if (!natfw_message_has(message, NATFW_INFO))
        return true;
    bool informs = message->type == NATFW_RESPONSE && info->error_class == NATFW_INFORMATIONAL;
    if (info->error_class <= 0xf && info->object_type <= 0xfff && !informs)
        return true;
    return refuse(fault, NATFW_PROTOCOL_ERROR, NATFW_UNKNOWN_FIELD_VALUE, NATFW_INFO);
}

static bool may_be_built(const struct natfw_message *message, struct natfw_info *fault)
{
    if (message->type < NATFW_CREATE || message->type > NATFW_NOTIFY)
        return refuse(fault, NATFW_PROTOCOL_ERROR, NATFW_ILLEGAL_MESSAGE_TYPE, 0);
    if (!objects_may_be_built(message, fault) || !info_may_be_built(message, fault))
        return false;
    const struct natfw_dtinfo *dtinfo = &message->dtinfo;
    if (natfw_message_has(message, NATFW_DTINFO) &&
        !SPEC_HOLDS("RFC5973-4.2.8-2", 1, !(dtinfo->has_ports && dtinfo->has_spi)))
        return refuse(fault, NATFW_PROTOCOL_ERROR, NATFW_INVALID_COMBINATION, NATFW_DTINFO);
    return !natfw_message_has(message, NATFW_EFI) ||
           SPEC_HOLDS("RFC5973-4.2.4-4a", 1, message->efi.sub_ports <= 1) ||
           refuse(fault, NATFW_SESSION_FAILURE, NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI);
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

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

/* What is not understood and marked so is carried on unchanged. RFC 5973 4.2. */
static void write_forwarded_objects(struct wire_writer *writer, const struct natfw_message *message)
{
    struct wire_reader objects =
        wire_reader_over(message->received_objects, message->received_length);
    struct natfw_object object;
    while (natfw_object_next(&objects, &object))
        if (!natfw_object_is_known(object.type) && object.treatment == NATFW_TREAT_FORWARD &&
            !object.value.failed)
            wire_put_bytes(writer, object.start, 4 + object.length);
}

static bool may_be_built(const struct natfw_message *message)
{
    if (message->type < NATFW_CREATE || message->type > NATFW_NOTIFY)
        return false;
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++) {
        enum natfw_presence presence = natfw_object_presence(message, type);
        bool has = natfw_message_has(message, type);
        if (presence == NATFW_ABSENT && has)
            return false;
        if (!SPEC_HOLDS("RFC5973-4.3-1a", 1, presence != NATFW_MANDATORY || has))
            return false;
    }
    const struct natfw_dtinfo *dtinfo = &message->dtinfo;
    if (natfw_message_has(message, NATFW_DTINFO) &&
        !SPEC_HOLDS("RFC5973-4.2.8-2", 1, !(dtinfo->has_ports && dtinfo->has_spi)))
        return false;
    return !natfw_message_has(message, NATFW_EFI) ||
           SPEC_HOLDS("RFC5973-4.2.4-4a", 1, message->efi.sub_ports <= 1);
}

size_t natfw_message_build(const struct natfw_message *message, uint8_t *octets, size_t capacity)
{
    if (!may_be_built(message))
        return 0;
    struct wire_writer writer = wire_writer_over(octets, capacity);
    if (SPEC_ACT("RFC5973-4.1-1", 1))
        write_header(&writer, message);
    for (uint16_t type = NATFW_OBJECT_FIRST; type <= NATFW_OBJECT_LAST; type++)
        if (natfw_message_has(message, type))
            natfw_object_write(&writer, message, type);
    write_forwarded_objects(&writer, message);
    return wire_written(&writer);
}

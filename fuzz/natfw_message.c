/*
 * Fuzzes the NATFW codec. RFC 5973 4.
 *
 * Of an accepted input x:
 *   - build(parse(x)) is x in its plain form: what is reserved or not significant is zero, AB=00,
 *     unknown optional objects (AB=01) are gone;
 *   - parse(build(parse(x))) is accepted and says the same, and builds the same octets again;
 *   - nothing is built into one octet too few.
 *   - the attributes of a SESSION_AUTH (RFC 5981) are written again as they came, if it is sound.
 * Only a deletion whose NATFW_EFI does not count (ruling A90), and a RESPONSE that only informs
 * (ruling A14), may be accepted and not be built. Of a rejected input: there is an error class and
 * code to answer it with.
 */
#include "core/natfw/message/message.h"
#include "core/natfw/message/message_build.h"
#include "core/natfw/message/message_parse.h"
#include "core/natfw/message/object.h"
#include "core/natfw/message/session_auth.h"
#include "fuzz/target.h"

#include <string.h>

enum { PLAIN_MAX = 1 << 17 }; /* octets */

static uint8_t plain[PLAIN_MAX];
static uint8_t built[PLAIN_MAX];
static uint8_t rebuilt[PLAIN_MAX];

static void plain_header(struct wire_writer *writer, const uint8_t *octets)
{
    bool request = octets[0] == NATFW_CREATE || octets[0] == NATFW_EXTERNAL;
    uint8_t flags = request ? octets[1] & 0xc0 : 0;
    wire_put_u8(writer, octets[0]);
    wire_put_u8(writer, flags & 0x80 ? flags : 0);
    wire_put_u16(writer, 0);
}

/* Clears what the figures 22 to 30 call reserved, and what other fields make insignificant. */
static void plain_value(uint16_t type, uint8_t *value, size_t length)
{
    switch (type) {
    case NATFW_EXTERNAL_IP:
    case NATFW_EXTERNAL_BINDING:
        value[2] &= 0xf0;
        value[3] = 0;
        break;
    case NATFW_INFO:
        value[0] &= 0x0f;
        value[2] &= 0x0f;
        break;
    case NATFW_DTINFO:
        value[0] &= 0xe0;
        value[1] = 0;
        if (!(value[0] & 0x80))
            value[3] = 0;
        if (value[2] == 0)
            memset(value + length - 4, 0, 4);
        break;
    case NATFW_ICMP_TYPES:
        memset(value + 1 + value[0], 0, length - 1 - value[0]);
        break;
    default:
        break;
    }
}

static void plain_object(struct wire_writer *writer, const struct natfw_object *object)
{
    wire_put_u16(writer, object->type);
    wire_put_u16(writer, (uint16_t)(object->length / 4));
    uint8_t *value = writer->data + writer->position;
    wire_put_bytes(writer, object->value.data, object->length);
    if (!writer->failed)
        plain_value(object->type, value, object->length);
}

static size_t make_plain(const uint8_t *octets, size_t length)
{
    struct wire_writer writer = wire_writer_over(plain, sizeof(plain));
    plain_header(&writer, octets);
    struct wire_reader objects = wire_reader_over(octets + 4, length - 4);
    struct natfw_object object;
    while (natfw_object_next(&objects, &object)) {
        if (natfw_object_is_known(object.type))
            plain_object(&writer, &object);
        else if (object.treatment == NATFW_TREAT_FORWARD)
            wire_put_bytes(&writer, object.start, 4 + object.length);
    }
    return wire_written(&writer);
}

static void check_same(const struct natfw_message *a, const struct natfw_message *b)
{
    CHECK(a->type == b->type && a->proxy == b->proxy && a->end_to_end == b->end_to_end);
    CHECK(memcmp(a->has, b->has, sizeof(a->has)) == 0);
    CHECK(a->lifetime_s == b->lifetime_s && a->sequence_number == b->sequence_number);
    CHECK(a->nonce == b->nonce && natfw_class_of(a->info.code) == natfw_class_of(b->info.code));
    CHECK(a->info.code == b->info.code && a->info.object_type == b->info.object_type);
    CHECK(a->efi.action == b->efi.action && a->efi.sub_ports == b->efi.sub_ports);
    CHECK(a->external_address.port == b->external_address.port &&
          a->external_address.address == b->external_address.address);
    CHECK(a->external_binding.port == b->external_binding.port &&
          a->external_binding.address_count == b->external_binding.address_count);
    CHECK(a->dtinfo.has_protocol == b->dtinfo.has_protocol &&
          a->dtinfo.has_ports == b->dtinfo.has_ports && a->dtinfo.has_spi == b->dtinfo.has_spi &&
          a->dtinfo.sender_prefix == b->dtinfo.sender_prefix &&
          a->dtinfo.protocol == b->dtinfo.protocol && a->dtinfo.spi == b->dtinfo.spi &&
          a->dtinfo.receiver_port == b->dtinfo.receiver_port &&
          a->dtinfo.sender_port == b->dtinfo.sender_port);
    CHECK(a->icmp_types.count == b->icmp_types.count);
}

static void check_session_auth(const struct natfw_message *message)
{
    struct wire_reader attributes;
    if (!natfw_session_auth_find(message, &attributes))
        return;
    bool sound = natfw_session_auth_is_sound(attributes);
    const uint8_t *octets = attributes.data;
    struct wire_writer writer = wire_writer_over(rebuilt, sizeof(rebuilt));
    uint8_t entity = 0;
    struct natfw_auth_attribute attribute;
    while (natfw_auth_attribute_next(&attributes, &attribute)) {
        struct natfw_auth_value value;
        bool read = natfw_auth_value_read(&attribute, entity, &value);
        CHECK(read || !sound);
        entity = natfw_auth_entity(&attribute, entity);
        natfw_auth_attribute_write(&writer, &attribute);
    }
    CHECK(!sound || (wire_written(&writer) == attributes.length &&
                        memcmp(rebuilt, octets, attributes.length) == 0));
}

static void check_accepted(
    const uint8_t *octets, size_t length, const struct natfw_message *message)
{
    check_session_auth(message);
    size_t written = natfw_message_build(message, built, sizeof(built));
    if (written == 0) {
        CHECK((message->lifetime_s == 0 && message->efi.sub_ports > 1) ||
              (message->type == NATFW_RESPONSE &&
                  natfw_class_of(message->info.code) == NATFW_INFORMATIONAL));
        return;
    }
    CHECK(written == make_plain(octets, length));
    CHECK(memcmp(built, plain, written) == 0);
    CHECK(natfw_message_build(message, rebuilt, written - 1) == 0);

    struct natfw_message again;
    struct natfw_info fault;
    CHECK(natfw_message_parse(built, written, &again, &fault));
    check_same(message, &again);
    CHECK(natfw_message_build(&again, rebuilt, sizeof(rebuilt)) == written);
    CHECK(memcmp(rebuilt, built, written) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
    struct natfw_message message;
    struct natfw_info fault;
    if (length > PLAIN_MAX)
        return 0;
    if (natfw_message_parse(octets, length, &message, &fault)) {
        CHECK(fault.code == NATFW_NO_CODE);
        check_accepted(octets, length, &message);
    } else {
        CHECK(natfw_class_of(fault.code) == NATFW_PROTOCOL_ERROR ||
              natfw_class_of(fault.code) == NATFW_SESSION_FAILURE);
        CHECK(fault.code != 0);
    }
    return 0;
}

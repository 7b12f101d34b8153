/* NATFW objects: their frame, their lengths, and which message carries which. RFC 5973 4.2, 4.3. */
#include "core/natfw/message/object.h"

#include "core/natfw/message/mutants.h"
#include "core/spec/spec.h"

enum { WORD = 4 };

/* Figure 21. */
bool natfw_object_next(struct wire_reader *objects, struct natfw_object *object)
{
    if (wire_remaining(objects) == 0)
        return false;
    object->start = objects->data + objects->position;
    uint16_t flags_and_type = wire_read_u16(objects);
    uint16_t reserved_and_length = wire_read_u16(objects);
    if (objects->failed)
        return false;
    object->treatment = (enum natfw_treatment)(flags_and_type >> 14);
    object->type = flags_and_type & 0x0fff;
    object->length = (size_t)(reserved_and_length & 0x0fff) * WORD;
    object->value = wire_read_part(objects, object->length);
    return true;
}

/* The columns of RFC 5973 4.3: M mandatory, O optional, P mandatory with the P flag. What else a
 * RESPONSE carries depends on its NATFW_INFO; without that, only the lack of it is sure. */
enum column {
    CREATE,
    EXTERNAL,
    RESPONSE_SUCCESS,
    RESPONSE_OTHER,
    RESPONSE_UNTOLD,
    NOTIFY,
    COLUMNS
};

static const char presence[NATFW_OBJECT_KINDS][COLUMNS + 1] = {
    /*                                      CREATE EXTERNAL RESPONSE(2) RESPONSE untold NOTIFY */
    [NATFW_LT - NATFW_OBJECT_FIRST] = "MMMOO-",
    [NATFW_EXTERNAL_IP - NATFW_OBJECT_FIRST] = "--O-O-",
    [NATFW_EXTERNAL_BINDING - NATFW_OBJECT_FIRST] = "-OO-O-",
    [NATFW_EFI - NATFW_OBJECT_FIRST] = "MM----",
    [NATFW_INFO - NATFW_OBJECT_FIRST] = "--MMMM",
    [NATFW_NONCE - NATFW_OBJECT_FIRST] = "PP----",
    [NATFW_MSN - NATFW_OBJECT_FIRST] = "MMMMM-",
    [NATFW_DTINFO - NATFW_OBJECT_FIRST] = "-M----",
    [NATFW_ICMP_TYPES - NATFW_OBJECT_FIRST] = "OO----",
};

static enum column response_column(const struct natfw_message *message)
{
    if (!natfw_message_has(message, NATFW_INFO))
        return RESPONSE_UNTOLD;
    return natfw_class_of(message->info.code) == NATFW_SUCCESS ? RESPONSE_SUCCESS : RESPONSE_OTHER;
}

static enum column column_of(const struct natfw_message *message)
{
    switch (message->type) {
    case NATFW_CREATE:
        return CREATE;
    case NATFW_EXTERNAL:
        return EXTERNAL;
    case NATFW_RESPONSE:
        return response_column(message);
    default:
        return NOTIFY;
    }
}

enum natfw_presence natfw_object_presence(
    const struct natfw_message *message, enum natfw_object_type type)
{
    switch (presence[type - NATFW_OBJECT_FIRST][column_of(message)]) {
    case 'M':
        return NATFW_MANDATORY;
    case 'P':
        return message->proxy ? NATFW_MANDATORY : NATFW_OPTIONAL;
    case 'O':
        return NATFW_OPTIONAL;
    default:
        return NATFW_ABSENT;
    }
}

/* P and S exclude each other, so that one word of ports or SPI is there, or none (ruling A22). */
static bool dtinfo_length_fits(const struct natfw_object *object)
{
    struct wire_reader value = object->value;
    uint8_t flags = wire_read_u8(&value);
    bool ports = flags & 0x40;
    bool spi = flags & 0x20;
    if (ports && spi)
        return true; /* 3/0x09 is told first */
    return object->length == (ports || spi ? 3 : 2) * WORD;
}

static bool icmp_types_length_fits(const struct natfw_object *object)
{
    struct wire_reader value = object->value;
    size_t count = wire_read_u8(&value);
    return object->length == (count + 1 + 3) / 4 * WORD;
}

bool natfw_object_length_fits(const struct natfw_object *object)
{
    switch (object->type) {
    case NATFW_EXTERNAL_IP:
        return object->length == 2 * WORD;
    case NATFW_EXTERNAL_BINDING:
        return object->length >= 1 * WORD;
    case NATFW_DTINFO:
        return object->length > 0 && dtinfo_length_fits(object);
    case NATFW_ICMP_TYPES:
        return object->length > 0 && icmp_types_length_fits(object);
    default:
        return object->length == 1 * WORD;
    }
}

/* Figure 23. */
static void read_external_ip(struct wire_reader *value, struct natfw_external_address *external)
{
    external->port = wire_read_u16(value);
    external->has_port = SPEC_VALUE("RFC5973-4.2.2-2", 1, external->port != 0, true);
    wire_skip(value, 2); /* IP-Ver, checked as a field value; reserved */
    external->address = wire_read_u32(value);
}

/* Figure 24. */
static void read_external_binding(struct wire_reader *value, struct natfw_external_binding *binding)
{
    binding->port = wire_read_u16(value);
    binding->has_port = SPEC_VALUE("RFC5973-4.2.3-2", 1, binding->port != 0, true);
    wire_skip(value, 2);
    binding->address_count = wire_remaining(value) / WORD;
    binding->addresses = wire_read_view(value, binding->address_count * WORD);
}

/* Figure 26. The leading bits of both halves are reserved. */
static void read_info(struct wire_reader *value, struct natfw_info *info)
{
    uint8_t reserved_and_class = wire_read_u8(value);
    unsigned error_class =
        SPEC_VALUE("RFC5973-4.2.5-1b", 1, reserved_and_class & 0x0f, reserved_and_class);
    info->code = (enum natfw_code)NATFW_CODE(error_class, wire_read_u8(value));
    info->object_type = wire_read_u16(value) & 0x0fff;
}

/* Figure 29. */
static void read_dtinfo(struct wire_reader *value, struct natfw_dtinfo *dtinfo)
{
    uint8_t flags = wire_read_u8(value);
    wire_skip(value, 1);
    dtinfo->has_protocol = flags & 0x80;
    dtinfo->has_ports = flags & 0x40;
    dtinfo->has_spi = flags & 0x20;
    dtinfo->sender_prefix = wire_read_u8(value);
    uint8_t protocol = wire_read_u8(value);
    dtinfo->protocol = dtinfo->has_protocol ? SPEC_VALUE("RFC5973-4.2.8-7a", 1, protocol, 0)
                                            : SPEC_VALUE("RFC5973-4.2.8-7c", 1, 0, protocol);
    if (dtinfo->has_ports) {
        dtinfo->receiver_port = wire_read_u16(value);
        dtinfo->sender_port = wire_read_u16(value);
        SPEC_NEVER("RFC5973-4.2.8-6", 1) {
            natfw_mutant_swap_ports(dtinfo);
        }
    } else if (dtinfo->has_spi) {
        dtinfo->spi = wire_read_u32(value);
    }
    dtinfo->sender_address = wire_read_u32(value);
}

/* Figure 30. */
static void read_icmp_types(struct wire_reader *value, struct natfw_icmp_types *icmp_types)
{
    icmp_types->count = wire_read_u8(value);
    icmp_types->types = wire_read_view(value, icmp_types->count);
    if (!icmp_types->types)
        icmp_types->count = 0;
    else if (icmp_types->count > 1)
        icmp_types->count =
            SPEC_VALUE("RFC5973-4.2.9-1", 1, icmp_types->count, (uint8_t)(icmp_types->count - 1));
}

void natfw_object_read(const struct natfw_object *object, struct natfw_message *message)
{
    struct wire_reader value = object->value;
    switch ((enum natfw_object_type)object->type) {
    case NATFW_LT:
        message->lifetime_s = wire_read_u32(&value);
        break;
    case NATFW_EXTERNAL_IP:
        read_external_ip(&value, &message->external_address);
        break;
    case NATFW_EXTERNAL_BINDING:
        read_external_binding(&value, &message->external_binding);
        break;
    case NATFW_EFI:
        message->efi.action = wire_read_u16(&value);
        message->efi.sub_ports = wire_read_u16(&value);
        break;
    case NATFW_INFO:
        read_info(&value, &message->info);
        break;
    case NATFW_NONCE:
        message->nonce = wire_read_u32(&value);
        break;
    case NATFW_MSN:
        message->sequence_number = wire_read_u32(&value);
        break;
    case NATFW_DTINFO:
        read_dtinfo(&value, &message->dtinfo);
        break;
    case NATFW_ICMP_TYPES:
        read_icmp_types(&value, &message->icmp_types);
        break;
    }
}

/* IP-Ver stands in the upper four bits of its half word. RFC 5973 4.2.2, 4.2.3. */
static void write_external_ip(
    struct wire_writer *writer, const struct natfw_external_address *external)
{
    wire_put_u16(writer,
        external->has_port ? external->port : SPEC_VALUE("RFC5973-4.2.2-1", 1, 0, external->port));
    wire_put_u16(writer, SPEC_VALUE("RFC5973-4.2.2-3", 1, 4, 6) << 12);
    wire_put_u32(writer, external->address);
}

static void write_external_binding(
    struct wire_writer *writer, const struct natfw_external_binding *binding)
{
    wire_put_u16(writer,
        binding->has_port ? binding->port : SPEC_VALUE("RFC5973-4.2.3-1", 1, 0, binding->port));
    wire_put_u16(writer, SPEC_VALUE("RFC5973-4.2.3-3", 1, 4, 6) << 12);
    wire_put_bytes(writer, binding->addresses, binding->address_count * WORD);
}

static void write_info(struct wire_writer *writer, const struct natfw_info *info)
{
    unsigned reserved = SPEC_VALUE("RFC5973-4.2.5-1a", 1, 0, 0x80);
    wire_put_u8(writer, (uint8_t)(reserved | (natfw_class_of(info->code) & 0x0f)));
    wire_put_u8(writer, (uint8_t)natfw_number_of(info->code));
    wire_put_u16(writer, info->object_type & 0x0fff);
}

static void write_dtinfo(struct wire_writer *writer, const struct natfw_dtinfo *dtinfo)
{
    bool needs_protocol = dtinfo->has_ports || dtinfo->has_spi;
    bool interpret =
        dtinfo->has_protocol || SPEC_VALUE("RFC5973-4.2.8-4a", 1, needs_protocol, false);
    wire_put_u8(writer, (uint8_t)((interpret ? 0x80 : 0) | (dtinfo->has_ports ? 0x40 : 0) |
                                  (dtinfo->has_spi ? 0x20 : 0)));
    wire_put_u8(writer, 0);
    wire_put_u8(writer, dtinfo->sender_prefix);
    wire_put_u8(writer, interpret ? SPEC_VALUE("RFC5973-4.2.8-4b", 1, dtinfo->protocol, 0)
                                  : SPEC_VALUE("RFC5973-4.2.8-7b", 1, 0, dtinfo->protocol));
    if (dtinfo->has_ports) {
        wire_put_u16(writer, dtinfo->receiver_port);
        wire_put_u16(writer, dtinfo->sender_port);
    } else if (dtinfo->has_spi) {
        wire_put_u32(writer, dtinfo->spi);
    }
    wire_put_u32(writer, dtinfo->sender_prefix == 0
                             ? SPEC_VALUE("RFC5973-4.2.8-8", 1, 0, dtinfo->sender_address)
                             : dtinfo->sender_address);
}

static void write_icmp_types(struct wire_writer *writer, const struct natfw_icmp_types *icmp_types)
{
    wire_put_u8(writer, icmp_types->count);
    wire_put_bytes(writer, icmp_types->types, icmp_types->count);
    wire_pad_to_word(writer);
}

static void write_value(
    struct wire_writer *writer, const struct natfw_message *message, enum natfw_object_type type)
{
    switch (type) {
    case NATFW_LT:
        wire_put_u32(writer, message->lifetime_s);
        break;
    case NATFW_EXTERNAL_IP:
        write_external_ip(writer, &message->external_address);
        break;
    case NATFW_EXTERNAL_BINDING:
        write_external_binding(writer, &message->external_binding);
        break;
    case NATFW_EFI:
        wire_put_u16(writer, message->efi.action);
        wire_put_u16(writer, message->efi.sub_ports);
        break;
    case NATFW_INFO:
        write_info(writer, &message->info);
        break;
    case NATFW_NONCE:
        wire_put_u32(writer, message->nonce);
        break;
    case NATFW_MSN:
        wire_put_u32(writer, message->sequence_number);
        break;
    case NATFW_DTINFO:
        write_dtinfo(writer, &message->dtinfo);
        break;
    case NATFW_ICMP_TYPES:
        write_icmp_types(writer, &message->icmp_types);
        break;
    }
}

/* Every object of this memo has AB=00. RFC 5973 4.3. */
void natfw_object_write(
    struct wire_writer *writer, const struct natfw_message *message, enum natfw_object_type type)
{
    wire_put_u16(writer, (uint16_t)(SPEC_VALUE("RFC5973-4.2-3a", 1, 0, 0xc000) | type));
    size_t length_position = writer->position;
    wire_put_u16(writer, 0);
    size_t value_position = writer->position;
    write_value(writer, message, type);
    if (!writer->failed)
        wire_patch_u16(
            writer, length_position, (uint16_t)((writer->position - value_position) / WORD));
}

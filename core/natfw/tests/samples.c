/* core/natfw: a valid message of every kind is parsed and built again as it was, and what RFC 5973
 * and RFC 5981 forbid is not built, or not sound. */
#include "core/natfw/tests/samples.h"
#include "core/natfw/message/message_build.h"

#include "core/natfw/message/session_auth.h"
#include "core/natfw/tests/octets.h"

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

Test(samples, each_is_built_again_octet_by_octet)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct octets octets = octets_of(samples[i].hex);
        struct natfw_message message;
        uint8_t built[512];
        cr_assert(parses(samples[i].hex, &message), "%s", samples[i].name);
        size_t length = natfw_message_build(&message, built, sizeof(built));
        cr_assert_eq(length, octets.length, "%s", samples[i].name);
        cr_assert_arr_eq(built, octets.data, length, "%s", samples[i].name);
    }
}

/* The classes and codes of 4.2.5, by class: the highest code, and what has none. */
static bool is_code(unsigned error_class, unsigned code)
{
    static const uint8_t highest[16] = {[1] = 5, [2] = 1, [3] = 11, [4] = 1, [5] = 7, [7] = 18};
    return code >= 1 && code <= highest[error_class] &&
           !(error_class == 5 && (code == 3 || code == 5));
}

struct cover {
    bool message[NATFW_NOTIFY + 1];
    bool object[NATFW_OBJECT_KINDS];
    bool code[16][256];
    bool attribute[NATFW_AUTH_AUTHENTICATION_DATA + 1][16];
};

static void cover_message(struct cover *cover, const struct natfw_message *message)
{
    cover->message[message->type] = true;
    for (size_t i = 0; i < NATFW_OBJECT_KINDS; i++)
        cover->object[i] = cover->object[i] || message->has[i];
    if (natfw_message_has(message, NATFW_INFO))
        cover->code[natfw_class_of(message->info.code)][natfw_number_of(message->info.code)] = true;
    struct wire_reader attributes;
    if (!natfw_session_auth_find(message, &attributes))
        return;
    cr_assert(natfw_session_auth_is_sound(attributes));
    struct natfw_auth_attribute attribute;
    while (natfw_auth_attribute_next(&attributes, &attribute))
        cover->attribute[attribute.type][attribute.subtype] = true;
}

static void expect_attributes(const struct cover *cover)
{
    static const uint8_t first[] = {1, 1, 0, 1, 1, 1, 1, 0, 0};
    static const uint8_t last[] = {
        0, NATFW_AUTH_ENTITY_HMAC_SIGNED, 0, NATFW_AUTH_SPI, NATFW_AUTH_SPI, 1, 1, 0, 0};
    for (unsigned type = 1; type <= NATFW_AUTH_AUTHENTICATION_DATA; type++)
        for (unsigned subtype = first[type]; subtype <= last[type]; subtype++)
            cr_assert(cover->attribute[type][subtype], "no sample of %u/%u", type, subtype);
}

/* A new type, code or attribute without a sample fails here. */
Test(samples, cover_every_message_object_code_and_attribute)
{
    static struct cover cover;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct natfw_message message;
        cr_assert(parses(samples[i].hex, &message), "%s", samples[i].name);
        cover_message(&cover, &message);
    }
    for (unsigned type = NATFW_CREATE; type <= NATFW_NOTIFY; type++)
        cr_assert(cover.message[type], "no sample of message %u", type);
    for (unsigned i = 0; i < NATFW_OBJECT_KINDS; i++)
        cr_assert(cover.object[i], "no sample of object 0x%03x", NATFW_OBJECT_FIRST + i);
    for (unsigned error_class = 0; error_class < 16; error_class++)
        for (unsigned code = 0; code < 256; code++)
            cr_assert(!is_code(error_class, code) || cover.code[error_class][code],
                "no sample of %u/0x%02x", error_class, code);
    expect_attributes(&cover);
}

/* What the texts forbid: a sample, how it is spoiled, and what is told of it. */

#define SPOIL(name, ...)                                                                           \
    static void name(struct natfw_message *m)                                                      \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
#define REMOVE(type) m->has[(type)-NATFW_OBJECT_FIRST] = false
#define ADD(type)    natfw_message_add(m, type)

SPOIL(type_zero, m->type = 0)
SPOIL(type_five, m->type = 5)
SPOIL(no_lifetime, REMOVE(NATFW_LT))
SPOIL(no_efi, REMOVE(NATFW_EFI))
SPOIL(no_msn, REMOVE(NATFW_MSN))
SPOIL(no_nonce, REMOVE(NATFW_NONCE))
SPOIL(no_dtinfo, REMOVE(NATFW_DTINFO))
SPOIL(no_info, REMOVE(NATFW_INFO))
SPOIL(with_info, ADD(NATFW_INFO); m->info = (struct natfw_info){.code = NATFW_ALL_PROCESSED})
SPOIL(with_msn, ADD(NATFW_MSN))
SPOIL(with_dtinfo, ADD(NATFW_DTINFO))
SPOIL(with_external, ADD(NATFW_EXTERNAL_IP))
SPOIL(with_binding, ADD(NATFW_EXTERNAL_BINDING))
SPOIL(with_efi, ADD(NATFW_EFI))
SPOIL(no_success, m->info.code = NATFW_ILLEGAL_MESSAGE_TYPE)
SPOIL(unknown_action, m->efi.action = 3)
SPOIL(many_ports, m->efi.sub_ports = 2)
SPOIL(ports_and_spi, m->dtinfo.has_spi = true)
SPOIL(ports_of_icmp, m->dtinfo.protocol = 1)
SPOIL(long_prefix, m->dtinfo.sender_prefix = 33)
SPOIL(prefix_of_nothing, m->dtinfo.sender_address = 0)
SPOIL(no_icmp_types, m->icmp_types.count = 0)
SPOIL(class_too_big, m->info.code = (enum natfw_code)NATFW_CODE(16, 1))
SPOIL(type_too_big, m->info.object_type = 0x1000)
SPOIL(informational, m->info.code = NATFW_ROUTE_CHANGE)

static const char create[] = "CREATE", proxy[] = "CREATE by proxy, ICMP",
                  external[] = "EXTERNAL with ports", answer[] = "RESPONSE to EXTERNAL",
                  success[] = "RESPONSE 2/0x01 Success: all processed",
                  notify[] = "NOTIFY with SESSION_AUTH 2";

static const struct forbidden {
    const char *sample;
    void (*spoil)(struct natfw_message *message);
    struct natfw_info told;
} forbidden[] = {
    {create, type_zero, {NATFW_ILLEGAL_MESSAGE_TYPE, 0}},
    {create, type_five, {NATFW_ILLEGAL_MESSAGE_TYPE, 0}},
    {create, no_lifetime, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_LT}},
    {create, no_efi, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_EFI}},
    {create, no_msn, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_MSN}},
    {proxy, no_nonce, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_NONCE}},
    {external, no_lifetime, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_LT}},
    {external, no_efi, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_EFI}},
    {external, no_msn, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_MSN}},
    {external, no_dtinfo, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_DTINFO}},
    {success, no_lifetime, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_LT}},
    {success, no_msn, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_MSN}},
    {success, no_info, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_INFO}},
    {notify, no_info, {NATFW_MANDATORY_OBJECT_MISSING, NATFW_INFO}},
    {create, with_info, {NATFW_ILLEGAL_OBJECT, NATFW_INFO}},
    {create, with_dtinfo, {NATFW_ILLEGAL_OBJECT, NATFW_DTINFO}},
    {create, with_external, {NATFW_ILLEGAL_OBJECT, NATFW_EXTERNAL_IP}},
    {create, with_binding, {NATFW_ILLEGAL_OBJECT, NATFW_EXTERNAL_BINDING}},
    {external, with_external, {NATFW_ILLEGAL_OBJECT, NATFW_EXTERNAL_IP}},
    {success, with_efi, {NATFW_ILLEGAL_OBJECT, NATFW_EFI}},
    {notify, with_msn, {NATFW_ILLEGAL_OBJECT, NATFW_MSN}},
    {answer, no_success, {NATFW_ILLEGAL_OBJECT, NATFW_EXTERNAL_IP}},
    {create, unknown_action, {NATFW_UNKNOWN_ACTION, NATFW_EFI}},
    {create, many_ports, {NATFW_SUB_PORTS_NOT_PERMITTED, NATFW_EFI}},
    {external, ports_and_spi, {NATFW_INVALID_COMBINATION, NATFW_DTINFO}},
    {external, ports_of_icmp, {NATFW_INVALID_COMBINATION, NATFW_DTINFO}},
    {external, long_prefix, {NATFW_UNKNOWN_FIELD_VALUE, NATFW_DTINFO}},
    {external, prefix_of_nothing, {NATFW_INVALID_COMBINATION, NATFW_DTINFO}},
    {proxy, no_icmp_types, {NATFW_UNKNOWN_FIELD_VALUE, NATFW_ICMP_TYPES}},
    {success, class_too_big, {NATFW_UNKNOWN_FIELD_VALUE, NATFW_INFO}},
    {success, type_too_big, {NATFW_UNKNOWN_FIELD_VALUE, NATFW_INFO}},
    {success, informational, {NATFW_UNKNOWN_FIELD_VALUE, NATFW_INFO}},
};

static const char *hex_of_sample(const char *name)
{
    for (size_t i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].name, name) == 0)
            return samples[i].hex;
    cr_assert(false, "no sample is called %s", name);
    abort();
}

Test(samples, what_the_text_forbids_is_not_built)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        const struct forbidden *row = &forbidden[i];
        struct natfw_message message;
        cr_assert(parses(hex_of_sample(row->sample), &message));
        row->spoil(&message);
        uint8_t built[512];
        struct natfw_info fault;
        size_t length = natfw_message_build_or_tell(&message, built, sizeof(built), &fault);
        cr_assert_eq(length, 0, "row %zu, %s: it is built", i, row->sample);
        cr_assert(fault.code == row->told.code && fault.object_type == row->told.object_type,
            "row %zu, %s: %u/0x%02x, object 0x%03x", i, row->sample, natfw_class_of(fault.code),
            natfw_number_of(fault.code), fault.object_type);
    }
}

/* Lists of attributes that RFC 5981 forbids, each beside one that it allows. */
Test(samples, a_session_authorisation_that_the_text_forbids_is_not_sound)
{
    static const char *const lists[][2] = {
        {"00080101c0000235", "00040101"},                 /* 3.2.1: a length above 4 */
        {"00080101c0000235", "000c0101c000023500000000"}, /* of the sub-type's size */
        {"00080101c0000235", "00080102c0000235"},
        {"00080103c0000235", "0008010bc0000235"}, /* an unknown sub-type */
        {"00080101c0000235", "00080901c0000235"}, /* an unknown X-Type */
        {"0006010361620000", "0006010361620001"}, /* 3.2: padding is zero */
        {"0008020031323334", "0008020131323334"}, /* 3.2.2: sub-type 0 */
        {"00080301c0000201", "00060301c0000000"},
        {"000603030fa00000", "000703030fa00100"},                 /* 3.2.3: 16 bits a port */
        {"000603030fa00000", "000603030fa00000000603030fa00000"}, /* once */
        {"000604040fa00000", "000604040fa00000000604040fa00000"},
        {"000603030fa00000000603040fa00000", "0006030500000000"},
        {"0008040500000100", "0006040500000000"},
        {"000c0501e000000000000000", "00080501e0000000"}, /* 3.2.5 */
        {"000c0601e000000000000000", "000c0602e000000000000000"},
        {"000807000001000c0008080031323334", "000807000001000c"}, /* 3.2.7: with its data */
        {"000807000001000c0008080031323334", "000807000002000c0008080031323334"},
        {"0008080031323334", "000808003132333400080101c0000235"}, /* 3.2.8: the last */
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct octets sound = octets_of(lists[i][0]);
        struct octets wrong = octets_of(lists[i][1]);
        cr_assert(natfw_session_auth_is_sound(wire_reader_over(sound.data, sound.length)),
            "sound, row %zu", i);
        cr_assert_not(natfw_session_auth_is_sound(wire_reader_over(wrong.data, wrong.length)),
            "wrong, row %zu", i);
    }
}

/* RFC 5981 4.4: HMAC_SIGNED without one of what it needs, X-Type by X-Type. */
Test(samples, hmac_signed_needs_address_time_list_and_data)
{
    struct natfw_message message;
    struct wire_reader all;
    cr_assert(parses(hex_of_sample("CREATE with SESSION_AUTH 10"), &message));
    cr_assert(natfw_session_auth_find(&message, &all));
    static const bool needed[] = {false, false, false, true, false, true, false, true, true};
    for (unsigned left_out = 1; left_out <= NATFW_AUTH_AUTHENTICATION_DATA; left_out++) {
        uint8_t octets[512];
        struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
        struct wire_reader attributes = all;
        struct natfw_auth_attribute attribute;
        while (natfw_auth_attribute_next(&attributes, &attribute))
            if (attribute.type != left_out)
                natfw_auth_attribute_write(&writer, &attribute);
        struct wire_reader rest = wire_reader_over(octets, writer.position);
        cr_assert_eq(natfw_session_auth_is_sound(rest), !needed[left_out], "without %u", left_out);
    }
}

static uint16_t item(const struct natfw_auth_value *value, size_t i)
{
    return (uint16_t)(value->items[2 * i] << 8 | value->items[2 * i + 1]);
}

/* What the sample with every attribute says, by X-Type and SubType. */
static bool is_as_sampled(unsigned kind, const struct natfw_auth_value *value)
{
    switch (kind) {
    case 0x10a:
        return value->transform_id == 5;
    case 0x200:
        return value->octets.length == 7 && memcmp(value->octets.data, "1234567", 7) == 0;
    case 0x301:
        return value->address_length == 4 && memcmp(value->address, "\xc0\x00\x02\x0a", 4) == 0;
    case 0x302:
    case 0x402:
        return value->address_length == 16 && value->address[15] == (kind == 0x302 ? 10 : 11);
    case 0x303:
        return value->count == 3 && item(value, 0) == 4000 && item(value, 2) == 4002;
    case 0x304:
        return value->count == 1 && item(value, 0) == 80;
    case 0x305:
    case 0x405:
        return value->spi == (kind == 0x305 ? 256 : 257);
    case 0x401:
        return value->address_length == 4 && memcmp(value->address, "\xcb\x00\x71\x0a", 4) == 0;
    case 0x403:
        return value->count == 1 && item(value, 0) == 5000;
    case 0x404:
        return value->count == 2 && item(value, 0) == 443 && item(value, 1) == 8443;
    case 0x501:
        return value->seconds == 3900000000 && value->fraction == 5;
    case 0x601:
        return value->seconds == 3900000300 && value->fraction == 0;
    case 0x700:
        return value->count == 2 && item(value, 0) == NATFW_LT && item(value, 1) == NATFW_EFI;
    case 0x800:
        return value->has_key_id && value->key_id == 3 && value->octets.length == 9 &&
               memcmp(value->octets.data, "signature", 9) == 0;
    default:
        return false;
    }
}

Test(samples, every_attribute_is_read_by_its_type_and_written_again)
{
    struct natfw_message message;
    struct wire_reader attributes;
    cr_assert(parses(hex_of_sample("CREATE with SESSION_AUTH 10"), &message));
    cr_assert(natfw_session_auth_find(&message, &attributes));
    struct wire_reader original = attributes;
    uint8_t octets[512];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    struct natfw_auth_attribute attribute;
    uint8_t entity = 0;
    while (natfw_auth_attribute_next(&attributes, &attribute)) {
        struct natfw_auth_value value;
        unsigned kind = (unsigned)attribute.type << 8 | attribute.subtype;
        cr_assert(natfw_auth_value_read(&attribute, entity, &value), "0x%03x", kind);
        cr_assert(is_as_sampled(kind, &value), "0x%03x", kind);
        entity = natfw_auth_entity(&attribute, entity);
        natfw_auth_attribute_write(&writer, &attribute);
    }
    cr_assert_eq(wire_written(&writer), original.length);
    cr_assert_arr_eq(octets, original.data, original.length);
}

/* 4.1.1, 4.2, 4.3, 4.4: by the entity before it. */
Test(samples, authentication_data_begins_with_a_key_id_where_a_key_is_shared)
{
    static const uint8_t data[] = {0, 0, 0, 3, 0xca, 0xfe};
    struct natfw_auth_attribute attribute = {
        .type = NATFW_AUTH_AUTHENTICATION_DATA, .value = data, .length = sizeof(data)};
    for (uint8_t entity = 0; entity <= NATFW_AUTH_ENTITY_HMAC_SIGNED; entity++) {
        struct natfw_auth_value value;
        bool shared = (entity >= 1 && entity <= 6) || entity == 10;
        cr_assert(natfw_auth_value_read(&attribute, entity, &value));
        cr_assert_eq(value.has_key_id, shared, "entity %u", entity);
        cr_assert_eq(value.octets.length, shared ? 2 : 6, "entity %u", entity);
    }
}

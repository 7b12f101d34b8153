/* core/gist: a valid message of every kind is parsed and built again as it was, and what RFC 5971
 * forbids is not built. */
#include "core/gist/tests/samples.h"

#include "core/gist/message/message.h"
#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]), SUBCODES = 6 };

struct octets {
    uint8_t data[1024];
    size_t length;
};

static struct octets octets_of(const char *hex)
{
    struct octets octets = {.length = 0};
    for (; hex[0] && hex[1]; hex += 2) {
        const char digits[3] = {hex[0], hex[1], '\0'};
        octets.data[octets.length++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return octets;
}

static struct gist_message parsed(const struct octets *octets, const char *name)
{
    struct gist_message message;
    struct gist_fault fault;
    cr_assert(gist_message_parse(octets->data, octets->length, &message, &fault), "%s: %s", name,
        gist_fault_name(fault.code, fault.subcode));
    return message;
}

Test(samples, each_is_built_again_octet_by_octet)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        struct octets octets = octets_of(samples[i].hex);
        struct gist_message message = parsed(&octets, samples[i].name);
        uint8_t built[1024];
        size_t length = gist_message_build(&message, built, sizeof(built));
        cr_assert_eq(length, octets.length, "%s", samples[i].name);
        cr_assert_arr_eq(built, octets.data, length, "%s", samples[i].name);
    }
}

struct cover {
    bool message[GIST_MESSAGE_TYPE_COUNT];
    bool object[GIST_OBJECT_TYPE_COUNT];
    bool error[GIST_MRI_VALIDATION_FAILURE + 1][SUBCODES];
    bool info[GIST_OBJECT_VALUE_INFO + 1];
    bool protocol[GIST_PROTOCOL_TLS + 1];
    unsigned flags[2][7]; /* by routing method and IP version: bits of what was set */
};

static unsigned flags_of(const struct gist_mri *mri)
{
    return (unsigned)mri->upstream | (unsigned)mri->has_protocol << 1 |
           (unsigned)mri->has_ds_field << 2 | (unsigned)mri->has_flow_label << 3 |
           (unsigned)mri->has_spi << 4 | (unsigned)mri->has_source_port << 5 |
           (unsigned)mri->has_destination_port << 6 | 1U << 7;
}

static void cover_error(struct cover *cover, const struct gist_error_data *error)
{
    cover->error[error->code][error->subcode] = true;
    struct wire_reader infos = wire_reader_over(error->infos.octets, error->infos.length);
    struct gist_additional_info info;
    while (gist_additional_info_next(&infos, &info))
        cover->info[info.type] = true;
}

static void cover_message(struct cover *cover, const struct gist_message *message)
{
    cover->message[message->header.type] = true;
    for (unsigned type = 0; type < GIST_OBJECT_TYPE_COUNT; type++)
        cover->object[type] = cover->object[type] || gist_message_has(message, type);
    if (gist_message_has(message, GIST_OBJECT_MRI))
        cover->flags[message->mri.mrm][message->mri.source.version] |= flags_of(&message->mri);
    if (gist_message_has(message, GIST_OBJECT_ERROR))
        cover_error(cover, &message->error);
    struct wire_reader list = wire_reader_over(
        message->stack_proposal.profiles.octets, message->stack_proposal.profiles.length);
    struct gist_stack_profile profile;
    while (gist_stack_profile_next(&list, &profile))
        for (unsigned i = 0; i < profile.layer_count; i++)
            cover->protocol[profile.layers[i]] = true;
}

/* A new type, routing method, error or flag without a sample fails here. */
Test(samples, cover_every_message_object_flag_and_error)
{
    static struct cover cover;
    static struct octets octets[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++) {
        octets[i] = octets_of(samples[i].hex);
        struct gist_message message = parsed(&octets[i], samples[i].name);
        cover_message(&cover, &message);
    }
    for (unsigned type = 0; type < GIST_MESSAGE_TYPE_COUNT; type++)
        cr_assert(cover.message[type], "no sample of message %u", type);
    for (unsigned type = 0; type < GIST_OBJECT_TYPE_COUNT; type++)
        cr_assert(cover.object[type], "no sample of object %u", type);
    for (uint16_t code = 1; code <= GIST_MRI_VALIDATION_FAILURE; code++)
        for (uint8_t subcode = 0; subcode < SUBCODES; subcode++) {
            bool named = subcode == 0 || strcmp(gist_fault_name(code, subcode),
                                             gist_fault_name(code, SUBCODES)) != 0;
            cr_assert(
                !named || cover.error[code][subcode], "no sample of error %u/%u", code, subcode);
        }
    for (unsigned type = GIST_MESSAGE_LENGTH_INFO; type <= GIST_OBJECT_VALUE_INFO; type++)
        cr_assert(cover.info[type], "no sample of additional information %u", type);
    cr_assert(cover.protocol[GIST_PROTOCOL_FORWARDS_TCP] && cover.protocol[GIST_PROTOCOL_TLS]);
    cr_assert_eq(cover.flags[GIST_MRM_PATH_COUPLED][4], 0xf7U); /* F is of IPv6 only */
    cr_assert_eq(cover.flags[GIST_MRM_PATH_COUPLED][6], 0xffU);
    cr_assert_eq(cover.flags[GIST_MRM_LOOSE_END][4], 0x81U);
    cr_assert(cover.flags[GIST_MRM_LOOSE_END][6]);
}

/* What the text forbids: a sample, how it is spoiled, and what is told of it. */

#define SPOIL(name, ...)                                                                           \
    static void name(struct gist_message *m)                                                       \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }
#define REMOVE(type) m->present &= ~(UINT32_C(1) << (type))

static const uint8_t word[4] = {0, 0, 0, 0};
static const uint8_t other_protocol[4] = {9, 0, 0, 0};

SPOIL(other_version, m->header.version = 2)
SPOIL(unknown_type, m->header.type = GIST_MESSAGE_TYPE_COUNT)
SPOIL(no_c_flag, m->header.context_free = false)
SPOIL(c_flag, m->header.context_free = true)
SPOIL(no_r_flag, m->header.reply_requested = false)
SPOIL(r_flag, m->header.reply_requested = true)
SPOIL(e_flag, m->header.explicitly_routed = true)
SPOIL(no_mri, REMOVE(GIST_OBJECT_MRI))
SPOIL(no_session, REMOVE(GIST_OBJECT_SESSION_ID))
SPOIL(no_nli, REMOVE(GIST_OBJECT_NLI))
SPOIL(no_query_cookie, REMOVE(GIST_OBJECT_QUERY_COOKIE))
SPOIL(no_responder_cookie, REMOVE(GIST_OBJECT_RESPONDER_COOKIE))
SPOIL(no_proposal, REMOVE(GIST_OBJECT_STACK_PROPOSAL))
SPOIL(no_configuration, REMOVE(GIST_OBJECT_STACK_CONFIGURATION))
SPOIL(no_data, REMOVE(GIST_OBJECT_NSLP_DATA))
SPOIL(no_error, REMOVE(GIST_OBJECT_ERROR))
SPOIL(no_hello, REMOVE(GIST_OBJECT_HELLO_ID))
SPOIL(with_hello, gist_message_add(m, GIST_OBJECT_HELLO_ID))
SPOIL(unknown_method, m->mri.mrm = 2)
SPOIL(flow_label_v4, m->mri.has_flow_label = true)
SPOIL(flow_label_wide, m->mri.flow_label = 0x100000; m->mri.has_flow_label = true)
SPOIL(ds_field_wide, m->mri.ds_field = 64; m->mri.has_ds_field = true)
SPOIL(spi_without_protocol, m->mri.has_protocol = false; m->mri.has_spi = true)
SPOIL(ports_without_protocol, m->mri.has_protocol = false)
SPOIL(source_prefix_long, m->mri.source_prefix = 33)
SPOIL(destination_prefix_long, m->mri.destination_prefix = 129)
SPOIL(unknown_ip_version, m->mri.source.version = m->mri.destination.version = 5)
SPOIL(mixed_ip_versions, m->mri.source.version = 6)
SPOIL(upstream, m->mri.upstream = true)
SPOIL(ports_of_loose_end, m->mri.has_source_port = true)
SPOIL(no_validity, m->nli.validity_ms = 0)
SPOIL(identity_long, m->nli.peer_identity.length = 256)
SPOIL(nli_ip_version, m->nli.interface_address.version = 0)
SPOIL(no_profiles, m->stack_proposal.profile_count = 0)
SPOIL(more_profiles, m->stack_proposal.profile_count++)
SPOIL(empty_profile, m->stack_proposal.profile_count = 1;
      m->stack_proposal.profiles = (struct gist_octets){word, 4})
SPOIL(no_hold_time, m->stack_configuration.hold_time_ms = 0)
SPOIL(more_options, m->stack_configuration.options_count++)
SPOIL(no_options, m->stack_configuration.options_count = 0;
      m->stack_configuration.options.length = 0)
SPOIL(other_options, m->stack_configuration.options_count = 1;
      m->stack_configuration.options = (struct gist_octets){other_protocol, 4})
SPOIL(empty_query_cookie, m->query_cookie.length = 0)
SPOIL(odd_query_cookie, m->query_cookie.length = 5)
SPOIL(empty_data, m->nslp_data.length = 0)
SPOIL(hello_zero, m->hello_id = 0)
SPOIL(q_without_d, m->error.q_mode = true; m->error.d_mode = false)
SPOIL(more_infos, m->error.info_count++)
SPOIL(nat_traversal_short, m->nat_traversal.value.length -= 4)

static const char query[] = "Query, IPv4", query_v6[] = "Query, IPv6", confirm[] = "Confirm",
                  response[] = "Response with a stack", loose_end[] = "Query, loose-end, IPv4",
                  data[] = "Data in C-mode", hello[] = "MA-Hello that asks",
                  error[] = "Error 9/2 Missing Object", nat[] = "Query after two NATs";

enum { NONE = 0xfff }; /* no object is named */

static const struct forbidden {
    const char *sample;
    void (*spoil)(struct gist_message *message);
    uint16_t code; /* GIST_NO_ERROR: no field can hold it */
    uint8_t subcode;
    uint16_t object;
} forbidden[] = {
    {query, other_version, 1, GIST_UNKNOWN_VERSION, NONE},
    {query, unknown_type, 1, GIST_UNKNOWN_TYPE, NONE},
    {query, no_c_flag, 1, GIST_INVALID_C_FLAG, NONE},
    {response, c_flag, 1, GIST_INVALID_C_FLAG, NONE},
    {hello, c_flag, 1, GIST_INVALID_C_FLAG, NONE},
    {query, no_r_flag, 1, GIST_INVALID_R_FLAG, NONE},
    {response, no_r_flag, 1, GIST_INVALID_R_FLAG, NONE},
    {confirm, r_flag, 1, GIST_INVALID_R_FLAG, NONE},
    {data, r_flag, 1, GIST_INVALID_R_FLAG, NONE},
    {error, r_flag, 1, GIST_INVALID_R_FLAG, NONE},
    {query, e_flag, 1, GIST_INVALID_E_FLAG, NONE},
    {hello, e_flag, 1, GIST_INVALID_E_FLAG, NONE},
    {query, no_mri, 9, GIST_MISSING_OBJECT, GIST_OBJECT_MRI},
    {query, no_session, 9, GIST_MISSING_OBJECT, GIST_OBJECT_SESSION_ID},
    {query, no_nli, 9, GIST_MISSING_OBJECT, GIST_OBJECT_NLI},
    {query, no_query_cookie, 9, GIST_MISSING_OBJECT, GIST_OBJECT_QUERY_COOKIE},
    {query, no_proposal, 9, GIST_MISSING_OBJECT, GIST_OBJECT_STACK_PROPOSAL},
    {query, no_configuration, 9, GIST_MISSING_OBJECT, GIST_OBJECT_STACK_CONFIGURATION},
    {response, no_responder_cookie, 9, GIST_MISSING_OBJECT, GIST_OBJECT_RESPONDER_COOKIE},
    {confirm, no_responder_cookie, 9, GIST_MISSING_OBJECT, GIST_OBJECT_RESPONDER_COOKIE},
    {data, no_data, 9, GIST_MISSING_OBJECT, GIST_OBJECT_NSLP_DATA},
    {error, no_error, 9, GIST_MISSING_OBJECT, GIST_OBJECT_ERROR},
    {hello, no_hello, 9, GIST_MISSING_OBJECT, GIST_OBJECT_HELLO_ID},
    {data, with_hello, 9, GIST_INVALID_OBJECT_TYPE, GIST_OBJECT_HELLO_ID},
    {query, unknown_method, GIST_NO_ERROR, 0, NONE},
    {query, flow_label_v4, 10, GIST_INVALID_FLAG_FIELD_COMBINATION, GIST_OBJECT_MRI},
    {query_v6, flow_label_wide, GIST_NO_ERROR, 0, NONE},
    {query, ds_field_wide, GIST_NO_ERROR, 0, NONE},
    {query, spi_without_protocol, 10, GIST_INVALID_FLAG_FIELD_COMBINATION, GIST_OBJECT_MRI},
    {query, ports_without_protocol, 10, GIST_INVALID_FLAG_FIELD_COMBINATION, GIST_OBJECT_MRI},
    {query, source_prefix_long, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_MRI},
    {query_v6, destination_prefix_long, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_MRI},
    {query, unknown_ip_version, GIST_NO_ERROR, 0, NONE},
    {query, mixed_ip_versions, GIST_NO_ERROR, 0, NONE},
    {loose_end, upstream, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_MRI},
    {loose_end, ports_of_loose_end, GIST_NO_ERROR, 0, NONE},
    {query, no_validity, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_NLI},
    {query, identity_long, GIST_NO_ERROR, 0, NONE},
    {query, nli_ip_version, GIST_NO_ERROR, 0, NONE},
    {query, no_profiles, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_STACK_PROPOSAL},
    {query, more_profiles, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_STACK_PROPOSAL},
    {query, empty_profile, 10, GIST_EMPTY_LIST, GIST_OBJECT_STACK_PROPOSAL},
    {query, no_hold_time, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_STACK_CONFIGURATION},
    {query, more_options, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_STACK_CONFIGURATION},
    {query, no_options, 10, GIST_STACK_MISMATCH, GIST_OBJECT_STACK_PROPOSAL},
    {query, other_options, 10, GIST_STACK_MISMATCH, GIST_OBJECT_STACK_PROPOSAL},
    {query, empty_query_cookie, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_QUERY_COOKIE},
    {query, odd_query_cookie, GIST_NO_ERROR, 0, NONE},
    {data, empty_data, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_NSLP_DATA},
    {hello, hello_zero, 10, GIST_VALUE_NOT_SUPPORTED, GIST_OBJECT_HELLO_ID},
    {error, q_without_d, 10, GIST_INVALID_FLAG_FIELD_COMBINATION, GIST_OBJECT_ERROR},
    {error, more_infos, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_ERROR},
    {nat, nat_traversal_short, 10, GIST_INCORRECT_LENGTH, GIST_OBJECT_NAT_TRAVERSAL},
};

static struct octets sample_named(const char *name)
{
    for (size_t i = 0; i < SAMPLES; i++)
        if (strcmp(samples[i].name, name) == 0)
            return octets_of(samples[i].hex);
    cr_assert(false, "no sample is called %s", name);
    abort();
}

Test(samples, what_the_text_forbids_is_not_built)
{
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
        const struct forbidden *row = &forbidden[i];
        struct octets octets = sample_named(row->sample);
        struct gist_message message = parsed(&octets, row->sample);
        row->spoil(&message);
        uint8_t built[1024];
        struct gist_fault fault;
        size_t length = gist_message_build_or_tell(&message, built, sizeof(built), &fault);
        uint16_t object = fault.has_object_type ? fault.object_type : NONE;
        cr_assert_eq(length, 0, "row %zu, %s: it is built", i, row->sample);
        cr_assert_eq(fault.code, row->code, "row %zu, %s: code %u", i, row->sample, fault.code);
        cr_assert_eq(fault.subcode, row->subcode, "row %zu: subcode %u", i, fault.subcode);
        cr_assert_eq(object, row->object, "row %zu: object %u", i, object);
    }
}

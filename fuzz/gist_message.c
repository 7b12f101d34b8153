/*
 * Fuzzes the GIST codec. RFC 5971 A.
 *
 * Of an accepted input x:
 *   - build(parse(x)) is x in its plain form: what is reserved or not significant is zero, AB=00,
 *     and objects of unknown types are gone (the order of the others is part of the grammar);
 *   - parse(build(parse(x))) is accepted and says the same, and builds the same octets again;
 *   - nothing is built into one octet too few.
 * Of a rejected input: without a code it is shorter than a header; with one, the objects at fault
 * lie within the input, and what the Error message has to say of them can be written and read.
 */
#include "core/gist/message/message.h"
#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"
#include "fuzz/target.h"

#include <string.h>

static uint8_t plain[GIST_MESSAGE_LENGTH_MAX];
static uint8_t built[GIST_MESSAGE_LENGTH_MAX];
static uint8_t rebuilt[GIST_MESSAGE_LENGTH_MAX];

/* A.3.1: the flags P, T, F, S, A, B and D are bits 4 to 10 of the third and fourth octet. */
static void plain_path_coupled(uint8_t *value)
{
    size_t address_length = value[2] >> 4 == 4 ? 4 : 16;
    uint8_t *fields = value + 4 + 2 * address_length;
    bool protocol = value[2] & 0x08;
    bool ds_field = value[2] & 0x04;
    bool flow_label = value[2] & 0x02;
    bool spi = value[2] & 0x01;
    bool source_port = value[3] & 0x80;
    bool destination_port = value[3] & 0x40;
    value[3] &= 0xe0;
    fields[2] = protocol ? fields[2] : 0;
    fields[3] = ds_field ? fields[3] & 0xfc : 0;
    fields += 4;
    if (flow_label) {
        fields[0] = 0;
        fields[1] &= 0x0f;
        fields += 4;
    }
    fields += spi ? 4 : 0;
    if (destination_port && !source_port)
        memset(fields, 0, 2);
    if (source_port && !destination_port)
        memset(fields + 2, 0, 2);
}

static void plain_mri(uint8_t *value)
{
    value[1] = 0;
    if (value[0] == GIST_MRM_PATH_COUPLED) {
        plain_path_coupled(value);
    } else {
        value[2] &= 0xf8;
        value[3] = 0;
    }
}

static void plain_nli(uint8_t *value)
{
    size_t identity = value[0];
    value[2] &= 0xf0;
    value[3] = 0;
    memset(value + 8 + identity, 0, (4 - identity % 4) % 4);
}

/* A.4.1; the original header's reserved bits go as those of any header. */
static void plain_error(uint8_t *value)
{
    bool mri = value[4] & 0x40;
    value[4] &= 0xf8;
    value[5] = 0;
    value[6] = mri ? value[6] : 0;
    value[15] &= 0xe0;
}

static void plain_value(uint16_t type, uint8_t *value)
{
    switch (type) {
    case GIST_OBJECT_MRI:
        plain_mri(value);
        break;
    case GIST_OBJECT_NLI:
        plain_nli(value);
        break;
    case GIST_OBJECT_STACK_PROPOSAL:
    case GIST_OBJECT_STACK_CONFIGURATION:
        memset(value + 1, 0, 3);
        break;
    case GIST_OBJECT_ERROR:
        plain_error(value);
        break;
    default:
        break;
    }
}

static size_t make_plain(const uint8_t *octets, size_t length)
{
    struct wire_writer writer = wire_writer_over(plain, sizeof(plain));
    wire_put_bytes(&writer, octets, GIST_COMMON_HEADER_LENGTH);
    plain[7] &= 0xe0;
    struct wire_reader reader = wire_reader_over(octets, length);
    wire_skip(&reader, GIST_COMMON_HEADER_LENGTH);
    while (wire_remaining(&reader) > 0) {
        struct gist_object object = gist_object_read(&reader);
        if (object.type >= GIST_OBJECT_TYPE_COUNT)
            continue;
        wire_put_u16(&writer, object.type);
        wire_put_u16(&writer, (uint16_t)(object.value.length / 4));
        uint8_t *value = plain + writer.position;
        wire_put_bytes(&writer, object.value.data, object.value.length);
        plain_value(object.type, value);
    }
    size_t written = wire_written(&writer);
    wire_patch_u16(&writer, 2, (uint16_t)((written - GIST_COMMON_HEADER_LENGTH) / 4));
    return written;
}

static void check_same(const struct gist_message *a, const struct gist_message *b)
{
    CHECK(a->present == b->present);
    CHECK(a->header.type == b->header.type && a->header.hop_count == b->header.hop_count &&
          a->header.nslp_id == b->header.nslp_id &&
          a->header.context_free == b->header.context_free &&
          a->header.source_is_peer == b->header.source_is_peer &&
          a->header.reply_requested == b->header.reply_requested &&
          a->header.explicitly_routed == b->header.explicitly_routed);
    CHECK(gist_mri_equal(&a->mri, &b->mri));
    CHECK(gist_session_id_equal(&a->session_id, &b->session_id));
    CHECK(a->nli.ip_ttl == b->nli.ip_ttl && a->nli.validity_ms == b->nli.validity_ms &&
          a->nli.peer_identity.length == b->nli.peer_identity.length &&
          gist_address_equal(&a->nli.interface_address, &b->nli.interface_address));
    CHECK(a->query_cookie.length == b->query_cookie.length);
    CHECK(a->responder_cookie.length == b->responder_cookie.length);
    CHECK(a->stack_proposal.profile_count == b->stack_proposal.profile_count);
    CHECK(a->stack_configuration.options_count == b->stack_configuration.options_count &&
          a->stack_configuration.hold_time_ms == b->stack_configuration.hold_time_ms);
    CHECK(a->nat_traversal.nat_count == b->nat_traversal.nat_count);
    CHECK(a->nslp_data.length == b->nslp_data.length && a->hello_id == b->hello_id);
    CHECK(a->error.error_class == b->error.error_class && a->error.code == b->error.code &&
          a->error.subcode == b->error.subcode && a->error.has_mri == b->error.has_mri &&
          a->error.info_count == b->error.info_count);
}

static void check_accepted(const uint8_t *octets, size_t length, const struct gist_message *message)
{
    size_t written = gist_message_build(message, built, sizeof(built));
    CHECK(written > 0);
    CHECK(written == make_plain(octets, length));
    CHECK(memcmp(built, plain, written) == 0);
    CHECK(gist_message_build(message, rebuilt, written - 1) == 0);

    struct gist_message again;
    struct gist_fault fault;
    CHECK(gist_message_parse(built, written, &again, &fault));
    check_same(message, &again);
    CHECK(gist_message_build(&again, rebuilt, sizeof(rebuilt)) == written);
    CHECK(memcmp(rebuilt, built, written) == 0);
}

static void check_rejected(const uint8_t *octets, size_t length, const struct gist_fault *fault)
{
    if (fault->code == GIST_NO_ERROR) {
        CHECK(length < GIST_COMMON_HEADER_LENGTH);
        return;
    }
    CHECK(fault->code <= GIST_MRI_VALIDATION_FAILURE);
    CHECK(strlen(gist_fault_name(fault->code, fault->subcode)) > 0);
    for (size_t i = 0; i < 2; i++) {
        const struct gist_faulty_object *object = &fault->objects[i];
        CHECK(!object->octets ||
              (object->octets >= octets && object->octets + object->length <= octets + length));
        CHECK(object->offset <= object->length);
    }
    struct wire_writer writer = wire_writer_over(built, sizeof(built));
    uint8_t count = gist_additional_infos_write(&writer, fault, 128);
    CHECK(!writer.failed);
    struct wire_reader infos = wire_reader_over(built, writer.position);
    struct gist_additional_info info;
    while (gist_additional_info_next(&infos, &info))
        count--;
    CHECK(count == 0 && wire_finished(&infos));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
    struct gist_message message;
    struct gist_fault fault;
    if (gist_message_parse(octets, length, &message, &fault)) {
        CHECK(fault.code == GIST_NO_ERROR);
        check_accepted(octets, length, &message);
    } else {
        check_rejected(octets, length, &fault);
    }
    return 0;
}

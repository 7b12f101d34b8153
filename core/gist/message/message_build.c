/* GIST messages built; see message_build.h. RFC 5971 5.1, A. */
#include "core/gist/message/message_build.h"

#include "core/gist/message/grammar.h"
#include "core/gist/message/message_parse.h"
#include "core/spec/spec.h"

#include <string.h>

static void write_octets(struct wire_writer *writer, struct gist_octets octets)
{
    wire_put_bytes(writer, octets.octets, octets.length);
}

static void write_value(
    struct wire_writer *writer, const struct gist_message *message, enum gist_object_type type)
{
    switch (type) {
    case GIST_OBJECT_MRI:
        gist_mri_write(writer, &message->mri);
        break;
    case GIST_OBJECT_SESSION_ID:
        wire_put_bytes(writer, message->session_id.octets, sizeof(message->session_id.octets));
        break;
    case GIST_OBJECT_NLI:
        gist_nli_write(writer, &message->nli);
        break;
    case GIST_OBJECT_STACK_PROPOSAL:
        gist_stack_proposal_write(writer, &message->stack_proposal);
        break;
    case GIST_OBJECT_STACK_CONFIGURATION:
        gist_stack_configuration_write(writer, &message->stack_configuration);
        break;
    case GIST_OBJECT_QUERY_COOKIE:
        write_octets(writer, message->query_cookie);
        break;
    case GIST_OBJECT_RESPONDER_COOKIE:
        write_octets(writer, message->responder_cookie);
        break;
    case GIST_OBJECT_NAT_TRAVERSAL:
        write_octets(writer, message->nat_traversal.value);
        break;
    case GIST_OBJECT_NSLP_DATA:
        write_octets(writer, message->nslp_data);
        break;
    case GIST_OBJECT_ERROR:
        gist_error_data_write(writer, &message->error);
        break;
    case GIST_OBJECT_HELLO_ID:
        wire_put_u32(writer, message->hello_id);
        break;
    case GIST_OBJECT_TYPE_COUNT:
        break;
    }
}

size_t gist_message_write(const struct gist_message *message, uint8_t *octets, size_t capacity)
{
    struct wire_writer writer = wire_writer_over(octets, capacity);
    gist_common_header_write(&writer, &message->header);
    for (size_t i = 0; i < GIST_OBJECT_TYPE_COUNT; i++) {
        enum gist_object_type type = gist_object_order[i];
        if (!gist_message_has(message, type))
            continue;
        size_t beginning = gist_object_begin(&writer, type);
        write_value(&writer, message, type);
        gist_object_end(&writer, beginning);
    }
    size_t length = wire_written(&writer);
    if (length == 0 || length > GIST_MESSAGE_LENGTH_MAX)
        return 0;
    wire_patch_u16(&writer, 2, (uint16_t)((length - GIST_COMMON_HEADER_LENGTH) / 4));
    return length;
}

/* What is built is read again. The type stands in place of the views, whose octets are no message.
 */
static bool is_refused(const uint8_t *octets, size_t length, struct gist_fault *fault)
{
    struct gist_message parsed;
    if (gist_message_parse(octets, length, &parsed, fault) || spec_is_mutated())
        return false;
    const struct gist_faulty_object *object = &fault->objects[0];
    if (object->octets) {
        fault->has_object_type = true;
        fault->object_type = (uint16_t)((object->octets[0] << 8 | object->octets[1]) & 0xfff);
    }
    memset(fault->objects, 0, sizeof(fault->objects));
    return true;
}

size_t gist_message_build_or_tell(
    const struct gist_message *message, uint8_t *octets, size_t capacity, struct gist_fault *fault)
{
    *fault = (struct gist_fault){0};
    size_t length = gist_message_write(message, octets, capacity);
    return length > 0 && !is_refused(octets, length, fault) ? length : 0;
}

size_t gist_message_build(const struct gist_message *message, uint8_t *octets, size_t capacity)
{
    struct gist_fault fault;
    return gist_message_build_or_tell(message, octets, capacity, &fault);
}

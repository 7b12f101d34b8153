/* The Error object read and written; see error_data.h. RFC 5971 A.4.1, A.4.2. */
#include "core/gist/message/error_data.h"

#include "core/gist/message/mri_object.h"
#include "core/spec/spec.h"

enum {
    FLAG_S = 0x8000,
    FLAG_M = 0x4000,
    FLAG_C = 0x2000,
    FLAG_D = 0x1000,
    FLAG_Q = 0x0800,
};

bool gist_additional_info_next(struct wire_reader *infos, struct gist_additional_info *info)
{
    if (wire_remaining(infos) == 0)
        return false;
    info->type = wire_read_u16(infos);
    info->value.length = 4 * (size_t)wire_read_u16(infos);
    info->value.octets = wire_read_view(infos, info->value.length);
    return !infos->failed;
}

static void read_mri(struct wire_reader *value, struct gist_error_data *error, size_t length)
{
    error->mri_value.octets = wire_read_view(value, length);
    error->mri_value.length = error->mri_value.octets ? length : 0;
    struct wire_reader mri = wire_reader_over(error->mri_value.octets, error->mri_value.length);
    uint8_t subcode;
    error->mri_understood = gist_mri_read(&mri, &error->mri, &subcode);
}

bool gist_error_data_read(
    struct wire_reader *value, struct gist_error_data *error, uint8_t *subcode)
{
    *error = (struct gist_error_data){0};
    *subcode = GIST_INCORRECT_LENGTH;
    error->error_class = wire_read_u8(value);
    error->code = wire_read_u16(value);
    error->subcode = wire_read_u8(value);
    uint16_t flags = wire_read_u16(value);
    error->has_session_id = flags & FLAG_S;
    error->has_mri = flags & FLAG_M;
    error->has_comment = flags & FLAG_C;
    error->d_mode = flags & FLAG_D;
    error->q_mode = flags & FLAG_Q;
    if (error->q_mode && !error->d_mode) {
        *subcode = GIST_INVALID_FLAG_FIELD_COMBINATION;
        return false;
    }
    size_t mri_length = 4 * (size_t)wire_read_u8(value);
    error->info_count = wire_read_u8(value);
    error->original = gist_common_header_read(value);
    if (error->has_session_id)
        wire_read_bytes(value, error->session_id.octets, sizeof(error->session_id.octets));
    if (error->has_mri)
        read_mri(value, error, mri_length);
    if (value->failed)
        return false;
    error->infos.octets = value->data + value->position;
    size_t before = value->position;
    for (unsigned i = 0; i < error->info_count; i++) {
        struct gist_additional_info info;
        if (!gist_additional_info_next(value, &info))
            return false;
    }
    error->infos.length = value->position - before;
    if (error->has_comment) {
        error->comment.length = wire_remaining(value);
        error->comment.octets = wire_read_view(value, error->comment.length);
    }
    return wire_finished(value);
}

static uint16_t flags_of(const struct gist_error_data *error)
{
    return (uint16_t)((error->has_session_id ? FLAG_S : 0) | (error->has_mri ? FLAG_M : 0) |
                      (error->has_comment ? FLAG_C : 0) | (error->d_mode ? FLAG_D : 0) |
                      (error->q_mode ? FLAG_Q : 0));
}

static void write_mri(
    struct wire_writer *writer, const struct gist_error_data *error, size_t length_position)
{
    size_t before = writer->position;
    if (error->mri_value.octets)
        wire_put_bytes(writer, error->mri_value.octets, error->mri_value.length);
    else
        gist_mri_write(writer, &error->mri);
    size_t length = writer->position - before;
    if (writer->failed || length % 4 != 0 || length / 4 > 255)
        writer->failed = true;
    else
        writer->data[length_position] = (uint8_t)(length / 4);
}

void gist_error_data_write(struct wire_writer *writer, const struct gist_error_data *error)
{
    wire_put_u8(writer, error->error_class);
    wire_put_u16(writer, error->code);
    wire_put_u8(writer, error->subcode);
    wire_put_u16(writer, flags_of(error));
    size_t length_position = writer->position;
    wire_put_u8(writer, 0);
    wire_put_u8(writer, error->info_count);
    gist_common_header_write(writer, &error->original);
    if (error->has_session_id)
        wire_put_bytes(writer, error->session_id.octets, sizeof(error->session_id.octets));
    if (error->has_mri)
        write_mri(writer, error, length_position);
    wire_put_bytes(writer, error->infos.octets, error->infos.length);
    if (error->has_comment) {
        wire_put_bytes(writer, error->comment.octets, error->comment.length);
        wire_put_zeros(writer, (4 - error->comment.length % 4) % 4);
    }
}

static void put_halves(struct wire_writer *writer, uint16_t type, uint16_t value)
{
    wire_put_u16(writer, type);
    wire_put_u16(writer, 1);
    wire_put_u16(writer, value);
    wire_put_u16(writer, 0);
}

static void put_object(
    struct wire_writer *writer, const struct gist_faulty_object *object, size_t length_max)
{
    size_t length = object->length < length_max ? object->length : length_max;
    length -= length % 4;
    wire_put_u16(writer, GIST_OBJECT_VALUE_INFO);
    wire_put_u16(writer, (uint16_t)(1 + length / 4));
    wire_put_u16(writer, (uint16_t)(length / 4) & 0xfff);
    wire_put_u16(writer, object->offset);
    wire_put_bytes(writer, object->octets, length);
}

uint8_t gist_additional_infos_write(
    struct wire_writer *writer, const struct gist_fault *fault, size_t object_length_max)
{
    uint8_t count = 0;
    if (fault->has_calculated_length && ++count)
        put_halves(writer, GIST_MESSAGE_LENGTH_INFO, fault->calculated_length);
    if (fault->has_link_mtu && ++count)
        put_halves(writer, GIST_MTU_INFO, fault->link_mtu);
    if (fault->has_object_type) {
        SPEC_DO("RFC5971-A.4.1-2a", 1) {
            put_halves(writer, GIST_OBJECT_TYPE_INFO, fault->object_type);
            count++;
        }
    }
    for (size_t i = 0; i < 2 && fault->objects[i].octets; i++, count++)
        put_object(writer, &fault->objects[i], object_length_max);
    return count;
}

/* Objects read and written as type-length-values; see object.h. RFC 5971 A.2. */
#include "core/gist/message/object.h"

enum { TWELVE_BITS = 0xfff };

struct gist_object gist_object_read(struct wire_reader *reader)
{
    struct wire_reader start = *reader;
    uint16_t type = wire_read_u16(reader);
    size_t length = 4 * (size_t)(wire_read_u16(reader) & TWELVE_BITS);
    struct gist_object object = {
        .extensibility = (enum gist_extensibility)(type >> 14),
        .type = type & TWELVE_BITS,
        .value = wire_read_part(reader, length),
    };
    object.whole.length = GIST_OBJECT_HEADER_LENGTH + length;
    object.whole.octets = wire_read_view(&start, object.whole.length);
    return object;
}

size_t gist_object_begin(struct wire_writer *writer, enum gist_object_type type)
{
    size_t beginning = writer->position;
    wire_put_u16(writer, (uint16_t)type);
    wire_put_u16(writer, 0);
    return beginning;
}

void gist_object_end(struct wire_writer *writer, size_t beginning)
{
    size_t value = writer->position - beginning - GIST_OBJECT_HEADER_LENGTH;
    if (writer->failed || value % 4 != 0 || value > GIST_OBJECT_VALUE_MAX)
        writer->failed = true;
    else
        wire_patch_u16(writer, beginning + 2, (uint16_t)(value / 4));
}

struct gist_fault gist_object_fault(
    const struct gist_object *object, uint8_t subcode, size_t value_offset)
{
    struct gist_fault fault = gist_fault_of(GIST_OBJECT_VALUE_ERROR, subcode);
    fault.objects[0] = (struct gist_faulty_object){
        .octets = object->whole.octets,
        .length = object->whole.length,
        .offset = (uint16_t)(GIST_OBJECT_HEADER_LENGTH + value_offset),
    };
    return fault;
}

/* A bounded writer of bytes in network order; see writer.h. */
#include "core/wire/writer.h"

#include <string.h>

struct wire_writer wire_writer_over(uint8_t *data, size_t capacity)
{
    return (struct wire_writer){.data = data, .capacity = capacity};
}

static uint8_t *claim(struct wire_writer *writer, size_t length)
{
    if (writer->failed || length > writer->capacity - writer->position) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *place = writer->data + writer->position;
    writer->position += length;
    return place;
}

void wire_put_u8(struct wire_writer *writer, uint8_t value)
{
    uint8_t *place = claim(writer, 1);
    if (place)
        place[0] = value;
}

void wire_put_u16(struct wire_writer *writer, uint16_t value)
{
    uint8_t *place = claim(writer, 2);
    if (!place)
        return;
    place[0] = (uint8_t)(value >> 8);
    place[1] = (uint8_t)value;
}

void wire_put_u32(struct wire_writer *writer, uint32_t value)
{
    uint8_t *place = claim(writer, 4);
    if (!place)
        return;
    place[0] = (uint8_t)(value >> 24);
    place[1] = (uint8_t)(value >> 16);
    place[2] = (uint8_t)(value >> 8);
    place[3] = (uint8_t)value;
}

void wire_put_bytes(struct wire_writer *writer, const uint8_t *source, size_t length)
{
    uint8_t *place = claim(writer, length);
    if (place && length > 0)
        memcpy(place, source, length);
}

void wire_put_zeros(struct wire_writer *writer, size_t length)
{
    uint8_t *place = claim(writer, length);
    if (place && length > 0)
        memset(place, 0, length);
}

void wire_pad_to_word(struct wire_writer *writer)
{
    wire_put_zeros(writer, (4 - writer->position % 4) % 4);
}

void wire_patch_u16(struct wire_writer *writer, size_t position, uint16_t value)
{
    if (writer->failed || position > writer->position || writer->position - position < 2) {
        writer->failed = true;
        return;
    }
    writer->data[position] = (uint8_t)(value >> 8);
    writer->data[position + 1] = (uint8_t)value;
}

size_t wire_written(const struct wire_writer *writer)
{
    return writer->failed ? 0 : writer->position;
}

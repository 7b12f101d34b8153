/* A bounded reader over bytes in network order; see reader.h. */
#include "core/wire/reader.h"

#include <string.h>

struct wire_reader wire_reader_over(const uint8_t *data, size_t length)
{
    return (struct wire_reader){.data = data, .length = length};
}

size_t wire_remaining(const struct wire_reader *reader)
{
    return reader->failed ? 0 : reader->length - reader->position;
}

bool wire_finished(const struct wire_reader *reader)
{
    return !reader->failed && reader->position == reader->length;
}

const uint8_t *wire_read_view(struct wire_reader *reader, size_t length)
{
    if (reader->failed || length > reader->length - reader->position) {
        reader->failed = true;
        return NULL;
    }
    const uint8_t *view = reader->data + reader->position;
    reader->position += length;
    return view;
}

uint8_t wire_read_u8(struct wire_reader *reader)
{
    const uint8_t *octet = wire_read_view(reader, 1);
    return octet ? *octet : 0;
}

uint16_t wire_read_u16(struct wire_reader *reader)
{
    const uint8_t *octets = wire_read_view(reader, 2);
    return octets ? (uint16_t)(octets[0] << 8 | octets[1]) : 0;
}

uint32_t wire_read_u32(struct wire_reader *reader)
{
    const uint8_t *octets = wire_read_view(reader, 4);
    if (!octets)
        return 0;
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

void wire_read_bytes(struct wire_reader *reader, uint8_t *destination, size_t length)
{
    const uint8_t *octets = wire_read_view(reader, length);
    if (octets && length > 0)
        memcpy(destination, octets, length);
    else if (length > 0)
        memset(destination, 0, length);
}

struct wire_reader wire_read_part(struct wire_reader *reader, size_t length)
{
    const uint8_t *octets = wire_read_view(reader, length);
    if (!octets)
        return (struct wire_reader){.failed = true};
    return wire_reader_over(octets, length);
}

void wire_skip(struct wire_reader *reader, size_t length)
{
    (void)wire_read_view(reader, length);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading and writing of frames; see frames.h. */
#include "harness/shim/frames.h"

#include <string.h>

static const struct {
    uint8_t kind;
    const char *name;
} names[] = {
    {FRAME_HELLO, "HELLO"},
    {FRAME_CONFIGURATION, "CONFIGURATION"},
    {FRAME_PORT, "PORT"},
    {FRAME_ROUTE, "ROUTE"},
    {FRAME_START, "START"},
    {FRAME_TURN, "TURN"},
    {FRAME_GO, "GO"},
    {FRAME_PACKET, "PACKET"},
    {FRAME_STREAM_OPEN, "STREAM OPEN"},
    {FRAME_STREAM_ACCEPT, "STREAM ACCEPT"},
    {FRAME_STREAM_OCTETS, "STREAM OCTETS"},
    {FRAME_STREAM_CLOSE, "STREAM CLOSE"},
    {FRAME_STREAM_RESET, "STREAM RESET"},
    {FRAME_TRIGGER, "TRIGGER"},
    {FRAME_RESTART, "RESTART"},
    {FRAME_END, "END"},
};

const char *frame_name(uint8_t kind)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].kind == kind)
            return names[i].name;
    return NULL;
}

enum frame_status frame_read(FILE *in, uint8_t *octets, struct frame *frame)
{
    uint8_t head[5];
    size_t count = fread(head, 1, sizeof(head), in);
    if (count == 0 && feof(in))
        return FRAME_NO_MORE;
    struct wire_reader reader = wire_reader_over(head, count);
    uint32_t length = wire_read_u32(&reader);
    frame->kind = wire_read_u8(&reader);
    if (reader.failed || length == 0 || length > FRAME_MAX ||
        fread(octets, 1, length - 1, in) != length - 1)
        return FRAME_BAD;
    frame->body = wire_reader_over(octets, length - 1);
    return FRAME_READ;
}

uint64_t frame_read_u64(struct wire_reader *body)
{
    uint64_t high = wire_read_u32(body);
    return high << 32 | wire_read_u32(body);
}

struct gist_address frame_read_address(struct wire_reader *body)
{
    struct gist_address address = {.version = wire_read_u8(body)};
    if (address.version == 4 || address.version == 6)
        wire_read_bytes(body, address.octets, gist_address_length(address.version));
    else
        body->failed = true;
    return address;
}

struct gist_endpoint frame_read_endpoint(struct wire_reader *body)
{
    struct gist_endpoint endpoint = {.address = frame_read_address(body)};
    endpoint.port = wire_read_u16(body);
    return endpoint;
}

void frame_read_text(struct wire_reader *body, char text[FRAME_TEXT_MAX])
{
    uint8_t length = wire_read_u8(body);
    const uint8_t *octets = wire_read_view(body, length);
    memset(text, 0, FRAME_TEXT_MAX);
    if (octets && !memchr(octets, '\0', length))
        memcpy(text, octets, length);
    else if (length > 0)
        body->failed = true;
}

const uint8_t *frame_read_octets(struct wire_reader *body, size_t *length)
{
    *length = wire_read_u16(body);
    return wire_read_view(body, *length);
}

void frame_put_u64(struct wire_writer *body, uint64_t value)
{
    wire_put_u32(body, (uint32_t)(value >> 32));
    wire_put_u32(body, (uint32_t)value);
}

void frame_put_endpoint(struct wire_writer *body, const struct gist_endpoint *endpoint)
{
    wire_put_u8(body, endpoint->address.version);
    wire_put_bytes(body, endpoint->address.octets, gist_address_length(endpoint->address.version));
    wire_put_u16(body, endpoint->port);
}

void frame_put_octets(struct wire_writer *body, const uint8_t *octets, size_t length)
{
    size_t most = length < UINT16_MAX ? length : UINT16_MAX;
    wire_put_u16(body, (uint16_t)most);
    wire_put_bytes(body, octets, most);
}

bool frame_write(FILE *out, uint8_t kind, const struct wire_writer *body)
{
    uint8_t head[5];
    struct wire_writer writer = wire_writer_over(head, sizeof(head));
    wire_put_u32(&writer, (uint32_t)body->position + 1);
    wire_put_u8(&writer, kind);
    return !body->failed && fwrite(head, 1, sizeof(head), out) == sizeof(head) &&
           fwrite(body->data, 1, body->position, out) == body->position;
}

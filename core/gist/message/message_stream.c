/*
 * Messages out of a stream; see message_stream.h.
 *
 * Memory follows what has arrived, not what a header promises: at most twice the octets that the
 * peer has sent of its message, and never more than the largest message.
 */
#include "core/gist/message/message_stream.h"

#include "core/gist/message/common_header.h"

#include <string.h>

enum { CAPACITY_MIN = 512 };

static size_t whole_length(const uint8_t *octets, size_t length)
{
    struct wire_reader reader = wire_reader_over(octets, length);
    struct gist_common_header header = gist_common_header_read(&reader);
    return reader.failed ? GIST_COMMON_HEADER_LENGTH : gist_common_header_message_length(&header);
}

static bool reserve(
    struct gist_message_stream *stream, const struct base_allocator *allocator, size_t needed)
{
    if (needed <= stream->capacity)
        return true;
    size_t capacity = stream->capacity > 0 ? stream->capacity : CAPACITY_MIN;
    while (capacity < needed)
        capacity *= 2;
    uint8_t *octets = base_allocate(allocator, capacity);
    if (!octets)
        return false;
    if (stream->filled > 0)
        memcpy(octets, stream->octets, stream->filled);
    if (stream->octets)
        base_release(allocator, stream->octets, stream->capacity);
    stream->octets = octets;
    stream->capacity = capacity;
    return true;
}

void gist_message_stream_close(
    struct gist_message_stream *stream, const struct base_allocator *allocator)
{
    if (stream->octets)
        base_release(allocator, stream->octets, stream->capacity);
    *stream = (struct gist_message_stream){0};
}

static bool take(struct gist_message_stream *stream, const struct base_allocator *allocator,
    const uint8_t **octets, size_t *length, size_t count)
{
    if (count > *length)
        count = *length;
    if (!reserve(stream, allocator, stream->filled + count))
        return false;
    if (count > 0)
        memcpy(stream->octets + stream->filled, *octets, count);
    stream->filled += count;
    *octets += count;
    *length -= count;
    return true;
}

enum gist_stream_result gist_message_stream_next(struct gist_message_stream *stream,
    const struct base_allocator *allocator, const uint8_t **octets, size_t *length,
    const uint8_t **message, size_t *message_length)
{
    if (stream->filled == 0 && *length >= GIST_COMMON_HEADER_LENGTH &&
        whole_length(*octets, *length) <= *length) {
        *message = *octets;
        *message_length = whole_length(*octets, *length);
        *octets += *message_length;
        *length -= *message_length;
        return GIST_STREAM_MESSAGE;
    }
    while (*length > 0) {
        size_t whole = whole_length(stream->octets, stream->filled);
        if (!take(stream, allocator, octets, length, whole - stream->filled))
            return GIST_STREAM_NO_MEMORY;
        if (stream->filled < GIST_COMMON_HEADER_LENGTH ||
            stream->filled < whole_length(stream->octets, stream->filled))
            continue;
        *message = stream->octets;
        *message_length = stream->filled;
        stream->filled = 0;
        return GIST_STREAM_MESSAGE;
    }
    if (stream->filled == 0)
        gist_message_stream_close(stream, allocator);
    return GIST_STREAM_MORE;
}

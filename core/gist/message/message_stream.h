/* GIST messages out of a stream of octets, by their Message Length. RFC 5971 5.4. */
#ifndef NATFW_GIST_MESSAGE_STREAM_H
#define NATFW_GIST_MESSAGE_STREAM_H

#include "core/base/allocator.h"

#include <stdint.h>

/* What is there of a message that is not complete yet. */
struct gist_message_stream {
    uint8_t *octets;
    size_t capacity;
    size_t filled;
};

enum gist_stream_result {
    GIST_STREAM_MESSAGE,  /* message and length are set; valid until the next call */
    GIST_STREAM_MORE,     /* all octets were taken, none made a message whole */
    GIST_STREAM_NO_MEMORY /* the stream can't go on */
};

/* Takes octets from the front of *octets, *length until a message is whole. */
enum gist_stream_result gist_message_stream_next(struct gist_message_stream *stream,
    const struct base_allocator *allocator, const uint8_t **octets, size_t *length,
    const uint8_t **message, size_t *message_length);

void gist_message_stream_close(
    struct gist_message_stream *stream, const struct base_allocator *allocator);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams by number and by association; see streams.h. */
#include "harness/shim/streams.h"

#include "reference-node/config/config.h"

#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
    OCTETS_MAX = 65535,   /* of one event */
    WAITING_MAX = 1 << 20 /* octets that wait for a stream to be there */
};

struct stream {
    uint32_t number;
    gist_association_id association;
    struct gist_address peer;
    enum gist_stack stack;
    char name[CONFIG_IDENTITY_MAX]; /* "": TLS has authenticated nobody */
    bool is_open;
    bool is_closing; /* the core has let go of it; it is not there yet */
    struct evbuffer *waiting;
    UT_hash_handle hh;             /* by number */
    UT_hash_handle by_association; /* by association, unless it is closing */
};

struct streams {
    const struct box_output *output;
    struct stream *streams;
    struct stream *associations;
    size_t streams_max;
    uint32_t last_number;
};

struct streams *streams_create(const struct box_output *output, size_t streams_max)
{
    struct streams *streams = calloc(1, sizeof(*streams));
    if (!streams)
        return NULL;
    streams->output = output;
    streams->streams_max = streams_max;
    return streams;
}

static void release(struct streams *streams, struct stream *stream)
{
    HASH_DELETE(hh, streams->streams, stream);
    if (!stream->is_closing)
        HASH_DELETE(by_association, streams->associations, stream);
    evbuffer_free(stream->waiting);
    free(stream);
}

void streams_destroy(struct streams *streams)
{
    if (!streams)
        return;
    struct stream *stream, *next;
    HASH_ITER(hh, streams->streams, stream, next)
        release(streams, stream);
    free(streams);
}

static struct stream *find(const struct streams *streams, uint32_t number)
{
    struct stream *stream;
    HASH_FIND(hh, streams->streams, &number, sizeof(number), stream);
    return stream;
}

static struct stream *find_association(
    const struct streams *streams, gist_association_id association)
{
    struct stream *stream;
    HASH_FIND(by_association, streams->associations, &association, sizeof(association), stream);
    return stream;
}

static struct stream *add(
    struct streams *streams, uint32_t number, gist_association_id association, bool is_open)
{
    struct stream *stream = streams_has_room(streams) ? calloc(1, sizeof(*stream)) : NULL;
    if (!stream)
        return NULL;
    stream->waiting = evbuffer_new();
    if (!stream->waiting) {
        free(stream);
        return NULL;
    }
    stream->number = number;
    stream->association = association;
    stream->is_open = is_open;
    HASH_ADD(hh, streams->streams, number, sizeof(stream->number), stream);
    HASH_ADD(
        by_association, streams->associations, association, sizeof(stream->association), stream);
    return stream;
}

static void tell(struct streams *streams, enum stream_event_kind kind, uint32_t number)
{
    struct stream_event event = {.kind = kind, .stream = number};
    streams->output->stream(streams->output->context, &event);
}

bool streams_open(
    struct streams *streams, gist_association_id association, const struct stream_event *event)
{
    struct stream_event opening = *event;
    struct stream *stream = add(streams, streams->last_number + 2, association, false);
    if (!stream)
        return false;
    stream->peer = event->peer.address;
    stream->stack = event->stack;
    streams->last_number += 2;
    opening.kind = STREAM_OPEN;
    opening.stream = streams->last_number;
    streams->output->stream(streams->output->context, &opening);
    return true;
}

static void send_octets(
    struct streams *streams, uint32_t number, const uint8_t *octets, size_t length)
{
    while (length > 0) {
        struct stream_event event = {.kind = STREAM_OCTETS,
            .stream = number,
            .octets = octets,
            .length = length < OCTETS_MAX ? length : OCTETS_MAX};
        streams->output->stream(streams->output->context, &event);
        octets += event.length;
        length -= event.length;
    }
}

bool streams_write(
    struct streams *streams, gist_association_id association, const uint8_t *octets, size_t length)
{
    struct stream *stream = find_association(streams, association);
    if (!stream)
        return false;
    if (stream->is_open) {
        send_octets(streams, stream->number, octets, length);
        return true;
    }
    size_t waiting = evbuffer_get_length(stream->waiting);
    return length <= WAITING_MAX && waiting <= WAITING_MAX - length &&
           evbuffer_add(stream->waiting, octets, length) == 0;
}

void streams_close(struct streams *streams, gist_association_id association)
{
    struct stream *stream = find_association(streams, association);
    if (!stream)
        return;
    if (stream->is_open) {
        tell(streams, STREAM_CLOSE, stream->number);
        release(streams, stream);
        return;
    }
    HASH_DELETE(by_association, streams->associations, stream);
    stream->is_closing = true;
}

bool streams_has_room(const struct streams *streams)
{
    return HASH_CNT(hh, streams->streams) < streams->streams_max;
}

/* One that is too long, or holds a NUL, is nobody's. */
static void identify(struct stream *stream, const struct stream_event *event)
{
    if (stream->stack != GIST_STACK_TLS_TCP || event->name_length >= sizeof(stream->name) ||
        event->name_length == 0 || memchr(event->name, '\0', event->name_length))
        return;
    memcpy(stream->name, event->name, event->name_length);
}

bool streams_accept(
    struct streams *streams, const struct stream_event *event, gist_association_id association)
{
    struct stream *stream =
        find(streams, event->stream) ? NULL : add(streams, event->stream, association, true);
    if (!stream)
        return false;
    stream->stack = event->stack;
    identify(stream, event);
    tell(streams, STREAM_ACCEPT, event->stream);
    return true;
}

const char *streams_name(const struct streams *streams, gist_association_id association)
{
    const struct stream *stream = find_association(streams, association);
    return stream && stream->name[0] != '\0' ? stream->name : NULL;
}

gist_association_id streams_association(const struct streams *streams, uint32_t number)
{
    const struct stream *stream = find(streams, number);
    return stream && !stream->is_closing ? stream->association : 0;
}

void streams_accepted(struct streams *streams, const struct stream_event *event)
{
    uint32_t number = event->stream;
    struct stream *stream = find(streams, number);
    if (!stream || stream->is_open)
        return;
    stream->is_open = true;
    identify(stream, event);
    size_t length = evbuffer_get_length(stream->waiting);
    send_octets(streams, number, evbuffer_pullup(stream->waiting, -1), length);
    evbuffer_drain(stream->waiting, length);
    if (!stream->is_closing)
        return;
    tell(streams, STREAM_CLOSE, number);
    release(streams, stream);
}

const struct gist_address *streams_peer(const struct streams *streams, uint32_t number)
{
    const struct stream *stream = find(streams, number);
    return stream ? &stream->peer : NULL;
}

void streams_gone(struct streams *streams, uint32_t number)
{
    struct stream *stream = find(streams, number);
    if (stream)
        release(streams, stream);
}

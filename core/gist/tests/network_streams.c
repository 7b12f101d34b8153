/* Streams of the in-memory network: in order, without loss, until they break. See network.h. */
#include "core/gist/tests/network_internal.h"

#include <stdlib.h>
#include <string.h>

static struct stream *find(struct network_place *place, gist_association_id id, unsigned *end)
{
    for (struct stream *stream = place->network->streams; stream; stream = stream->next)
        for (*end = 0; *end < 2; (*end)++)
            if (id != 0 && stream->ends[*end].place == place && stream->ends[*end].id == id)
                return stream;
    return NULL;
}

static void tell(
    struct stream *stream, unsigned end, enum event_kind kind, const uint8_t *octets, size_t length)
{
    struct network_place *place = stream->ends[end].place;
    struct event *event = network_schedule(place->network, place, kind, 1, octets, length);
    event->stream = stream;
    event->end = end;
}

static struct stream *open_stream(struct network_place *place, gist_association_id id,
    enum gist_stack stack, const struct gist_endpoint *peer)
{
    struct network_place *target = network_place_at(place->network, &peer->address);
    struct stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        abort();
    stream->ends[0].place = place;
    stream->ends[0].id = id;
    stream->ends[1].place = target;
    stream->target = *peer;
    stream->stack = stack;
    stream->next = place->network->streams;
    place->network->streams = stream;
    if (target)
        tell(stream, 1, EVENT_OPEN, NULL, 0);
    else
        tell(stream, 0, EVENT_CLOSED, NULL, 0);
    return stream;
}

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    open_stream(context, id, stack, peer);
    return true;
}

gist_association_id network_connect(
    struct network_place *place, const struct gist_endpoint *endpoint)
{
    gist_association_id id = ++place->network->last_foreign;
    open_stream(place, id, GIST_STACK_TCP, endpoint)->ends[0].foreign = true;
    return id;
}

bool network_write(
    struct network_place *place, gist_association_id id, const uint8_t *octets, size_t length)
{
    unsigned end;
    struct stream *stream = find(place, id, &end);
    if (!stream || !stream->ends[!end].place)
        return false;
    uint8_t *copy = malloc(length + 1);
    if (!copy)
        abort();
    memcpy(copy, octets, length);
    struct network_segment segment = {
        place, stream->ends[!end].place, copy, length, stream->stack == GIST_STACK_TLS_TCP};
    const struct network_options *options = &place->network->options;
    bool dropped = options->on_segment && options->on_segment(options->context, &segment);
    if (!dropped)
        tell(stream, !end, EVENT_SEGMENT, copy, length);
    free(copy);
    return true;
}

static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    return network_write(context, id, octets, length);
}

static void association_close(void *context, gist_association_id id)
{
    unsigned end;
    struct stream *stream = find(context, id, &end);
    if (!stream)
        return;
    stream->ends[end].id = 0;
    if (stream->ends[!end].place)
        tell(stream, !end, EVENT_CLOSED, NULL, 0);
}

static bool authorises(void *context, gist_association_id id, const struct gist_address *peer,
    const struct gist_mri *mri)
{
    struct network_place *place = context;
    (void)id;
    return !place->authorises || place->authorises(place, peer, mri);
}

void network_break_streams(struct network_place *place)
{
    for (struct stream *stream = place->network->streams; stream; stream = stream->next)
        for (unsigned end = 0; end < 2; end++)
            if (stream->ends[end].place == place || stream->ends[!end].place == place)
                tell(stream, end, EVENT_CLOSED, NULL, 0);
}

size_t network_streams(struct network_place *place)
{
    size_t count = 0;
    for (struct stream *stream = place->network->streams; stream; stream = stream->next)
        for (unsigned end = 0; end < 2; end++)
            count += stream->ends[end].place == place && stream->ends[end].id != 0;
    return count;
}

static void happen_open(struct event *event)
{
    struct stream *stream = event->stream;
    struct network_place *place = event->place;
    struct gist_endpoint peer = {stream->ends[0].place->addresses[0], 40000};
    if (stream->ends[0].id != 0 && place->node && !place->refuses)
        stream->ends[1].id = gist_node_association_accepted(
            place->node, place->network->now_ms, stream->stack, &peer, &stream->target, 0);
    tell(stream, 0, stream->ends[1].id != 0 ? EVENT_CONNECTED : EVENT_CLOSED, NULL, 0);
}

void network_stream_event(struct event *event)
{
    struct stream *stream = event->stream;
    gist_association_id id = stream->ends[event->end].id;
    struct gist_node *node = event->place->node;
    uint64_t now_ms = event->place->network->now_ms;
    if (event->kind == EVENT_OPEN) {
        happen_open(event);
        return;
    }
    if (event->kind == EVENT_CLOSED)
        stream->ends[event->end].id = 0;
    if (id == 0 || !node || stream->ends[event->end].foreign)
        return;
    if (event->kind == EVENT_CONNECTED)
        gist_node_association_connected(node, now_ms, id, 1);
    else if (event->kind == EVENT_SEGMENT)
        gist_node_association_received(node, now_ms, id, event->octets, event->length);
    else
        gist_node_association_closed(node, now_ms, id);
}

void network_stream_functions(struct gist_transport *transport)
{
    transport->association_open = association_open;
    transport->association_write = association_write;
    transport->association_close = association_close;
    transport->authorises = authorises;
}

void network_streams_release(struct network *network)
{
    while (network->streams) {
        struct stream *stream = network->streams;
        network->streams = stream->next;
        free(stream);
    }
}

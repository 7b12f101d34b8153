/* D-mode encapsulation; see datagram.h. */
#include "core/gist/transport/datagram.h"

#include "core/gist/message/message_build.h"
#include "core/spec/spec.h"

#include <string.h>

/* Puts the datagram into the scratch; returns its octets, or 0. */
static size_t encapsulate(struct gist_node *node, const struct gist_message *message)
{
    struct wire_writer writer = wire_writer_over(node->scratch, GIST_MAGIC_LENGTH);
    wire_put_u32(&writer, GIST_MAGIC);
    size_t length =
        gist_message_build(message, node->scratch + GIST_MAGIC_LENGTH, GIST_D_MODE_LENGTH_MAX);
    return length > 0 ? GIST_MAGIC_LENGTH + length : 0;
}

static bool may_send(struct gist_node *node)
{
    if (base_token_bucket_take(&node->bucket, node->now_ms))
        return true;
    node->counters.datagrams_dropped++;
    return false;
}

static void release_held_back(void *context, void *owner)
{
    struct gist_node *node = context;
    (void)owner;
    while (node->held_back.first && base_token_bucket_take(&node->bucket, node->now_ms)) {
        struct gist_queued_message *queued = gist_queue_take(&node->held_back);
        struct gist_endpoint peer;
        memcpy(&peer, queued->octets, sizeof(peer));
        node->transport.send_datagram(node->transport.context, &peer, queued->octets + sizeof(peer),
            queued->message.length - sizeof(peer));
        gist_queue_release(&node->queued, queued);
    }
    if (node->held_back.first)
        base_timer_start(&node->timers, &node->hold_back,
            node->now_ms + base_token_bucket_wait_ms(&node->bucket));
}

static bool hold_back(struct gist_node *node, const struct gist_endpoint *peer, size_t length)
{
    uint8_t held[sizeof(*peer) + GIST_MAGIC_LENGTH + GIST_D_MODE_LENGTH_MAX];
    memcpy(held, peer, sizeof(*peer));
    memcpy(held + sizeof(*peer), node->scratch, length);
    struct gist_outgoing outgoing = {.data = held, .length = sizeof(*peer) + length};
    if (!gist_queue_put(&node->queued, &node->held_back, &outgoing)) {
        node->counters.datagrams_dropped++;
        return false;
    }
    node->hold_back.expire = release_held_back;
    if (!node->hold_back.running)
        base_timer_start(&node->timers, &node->hold_back,
            node->now_ms + base_token_bucket_wait_ms(&node->bucket));
    return true;
}

bool gist_datagram_send(
    struct gist_node *node, const struct gist_endpoint *peer, const struct gist_message *message)
{
    bool waits = message->header.type == GIST_CONFIRM || message->header.type == GIST_DATA;
    size_t length = encapsulate(node, message);
    if (length == 0)
        return false;
    if (waits && (node->held_back.first || !base_token_bucket_take(&node->bucket, node->now_ms)))
        return hold_back(node, peer, length);
    return (waits || may_send(node)) &&
           node->transport.send_datagram(node->transport.context, peer, node->scratch, length);
}

bool gist_datagram_query(struct gist_node *node, const struct gist_query_route *route,
    const struct gist_message *message)
{
    size_t length = encapsulate(node, message);
    return length > 0 && may_send(node) &&
           node->transport.send_query(node->transport.context, route, node->scratch, length);
}

bool gist_datagram_forward(
    struct gist_node *node, const struct gist_reception *reception, uint8_t hop_count)
{
    size_t length = GIST_MAGIC_LENGTH + reception->length;
    if (length > sizeof(node->scratch))
        return false;
    struct wire_writer writer = wire_writer_over(node->scratch, sizeof(node->scratch));
    wire_put_u32(&writer, GIST_MAGIC);
    wire_put_bytes(&writer, reception->octets, reception->length);
    node->scratch[GIST_MAGIC_LENGTH + 1] =
        SPEC_VALUE("RFC5971-4.3.4-6", 1, hop_count, reception->received_hop_count);
    return node->transport.forward_query(
        node->transport.context, reception->arrival, node->scratch, length);
}

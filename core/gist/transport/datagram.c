/* D-mode encapsulation; see datagram.h. */
#include "core/gist/transport/datagram.h"

#include "core/gist/message/message_build.h"
#include "core/gist/state/upcall.h"
#include "core/spec/spec.h"

#include <string.h>

/* Puts the datagram into the scratch; returns its octets, or 0. */
static size_t encapsulate(struct gist_node *node, const struct gist_message *message)
{
    struct wire_writer writer = wire_writer_over(node->scratch, GIST_MAGIC_LENGTH);
    wire_put_u32(&writer, GIST_MAGIC);
    size_t length = gist_message_build(message, node->scratch + GIST_MAGIC_LENGTH,
        SPEC_VALUE("RFC5971-4.3.3-5", 1, GIST_D_MODE_LENGTH_MAX, GIST_D_MODE_MTU));
    return length > 0 ? GIST_MAGIC_LENGTH + length : 0;
}

/* Where a datagram goes: straight to a peer, or in Q-mode along a route. */
struct way {
    bool q_mode;
    struct gist_endpoint peer;
    struct gist_query_route route;
};

static bool transmit(
    struct gist_node *node, const struct way *way, const uint8_t *payload, size_t length)
{
    const struct gist_transport *transport = &node->transport;
    return way->q_mode ? transport->send_query(transport->context, &way->route, payload, length)
                       : transport->send_datagram(transport->context, &way->peer, payload, length);
}

/* Queries go after the others, for each brings a Confirm and Data with it. */
static struct gist_message_queue *waiting_queue(struct gist_node *node)
{
    return node->held_back.first ? &node->held_back : &node->held_queries;
}

static void start_hold_back(struct gist_node *node)
{
    base_timer_start(
        &node->timers, &node->hold_back, node->now_ms + base_token_bucket_wait_ms(&node->bucket));
}

static void release_held_back(void *context, void *owner)
{
    struct gist_node *node = context;
    (void)owner;
    while (waiting_queue(node)->first && base_token_bucket_take(&node->bucket, node->now_ms)) {
        struct gist_queued_message *queued = gist_queue_take(waiting_queue(node));
        struct way way;
        memcpy(&way, queued->octets, sizeof(way));
        transmit(node, &way, queued->octets + sizeof(way), queued->message.length - sizeof(way));
        gist_queue_release(&node->queued, queued);
    }
    if (waiting_queue(node)->first)
        start_hold_back(node);
}

static bool hold_back(
    struct gist_node *node, struct gist_message_queue *queue, const struct way *way, size_t length)
{
    uint8_t held[sizeof(*way) + GIST_MAGIC_LENGTH + GIST_D_MODE_MTU];
    memcpy(held, way, sizeof(*way));
    memcpy(held + sizeof(*way), node->scratch, length);
    struct gist_outgoing outgoing = {.data = held, .length = sizeof(*way) + length};
    if (!gist_queue_put(&node->queued, queue, &outgoing))
        return false;
    node->hold_back.expire = release_held_back;
    if (!node->hold_back.running)
        start_hold_back(node);
    return true;
}

/* What is dropped is told, 5.3.3: an Error about what it is about. */
static void drop(struct gist_node *node, const struct gist_message *message)
{
    const struct gist_error_data *error = &message->error;
    struct gist_message about = *message;
    node->counters.datagrams_dropped++;
    if (message->header.type == GIST_ERROR) {
        if (!error->has_mri || !error->has_session_id)
            return;
        about.mri = error->mri;
        about.session_id = error->session_id;
    }
    SPEC_DO("RFC5971-5.3.3-12b", 1) {
        gist_notify_of_message(node, &about, GIST_NOTIFY_COMMUNICATION_FAILURE);
    }
}

/* queue is where it may wait; NULL: it may not. */
static bool send_by(struct gist_node *node, const struct way *way,
    const struct gist_message *message, struct gist_message_queue *queue)
{
    size_t length = encapsulate(node, message);
    if (length == 0)
        return false;
    bool overtakes = queue && queue->first;
    if (!overtakes && base_token_bucket_take(&node->bucket, node->now_ms))
        return transmit(node, way, node->scratch, length);
    if (queue) {
        SPEC_DO("RFC5971-5.3.3-12a", 1) {
            if (hold_back(node, queue, way, length))
                return true;
        }
    }
    drop(node, message);
    return false;
}

/* Who answers strangers at their pace must not let them fill a queue. */
static bool answers_anybody(const struct gist_message *message)
{
    return message->header.type == GIST_RESPONSE || message->header.type == GIST_ERROR;
}

bool gist_datagram_send(
    struct gist_node *node, const struct gist_endpoint *peer, const struct gist_message *message)
{
    struct way way = {.peer = *peer};
    return send_by(node, &way, message, answers_anybody(message) ? NULL : &node->held_back);
}

bool gist_datagram_query(struct gist_node *node, const struct gist_query_route *route,
    const struct gist_message *message, bool again)
{
    struct way way = {.q_mode = true, .route = *route};
    return send_by(node, &way, message, again ? NULL : &node->held_queries);
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
    SPEC_NEVER("RFC5971-4.3.2-6a", 1) { /* another sender's S flag */
        node->scratch[GIST_MAGIC_LENGTH + GIST_COMMON_HEADER_LENGTH - 1] ^= 0x80;
    }
    SPEC_NEVER("RFC5971-4.3.2-6b", 1) {
        node->scratch[length / 2] ^= 1;
    }
    SPEC_NEVER("RFC5971-A.2.1-3", 1) { /* what was understood, and no more */
        length = GIST_MAGIC_LENGTH + gist_message_write(&reception->message,
                                         node->scratch + GIST_MAGIC_LENGTH, reception->length);
    }
    return node->transport.forward_query(
        node->transport.context, reception->arrival, node->scratch, length);
}

/* Queues of waiting messages; see message_queue.h. */
#include "core/gist/message_queue.h"

#include "core/gist/node_state.h"

#include <string.h>

bool gist_queue_put(
    struct gist_node *node, struct gist_message_queue *queue, const struct gist_outgoing *message)
{
    if (message->length > node->config.queued_octets_max - node->queued_octets)
        return false;
    struct gist_queued_message *queued = gist_allocate(node, sizeof(*queued) + message->length);
    if (!queued)
        return false;
    queued->message = *message;
    queued->message.data = queued->octets;
    memcpy(queued->octets, message->data, message->length);
    node->queued_octets += message->length;
    if (queue->last)
        queue->last->next = queued;
    else
        queue->first = queued;
    queue->last = queued;
    return true;
}

struct gist_queued_message *gist_queue_take(struct gist_message_queue *queue)
{
    struct gist_queued_message *first = queue->first;
    if (!first)
        return NULL;
    queue->first = first->next;
    if (!queue->first)
        queue->last = NULL;
    return first;
}

void gist_queue_put_back(struct gist_message_queue *queue, struct gist_queued_message *message)
{
    message->next = queue->first;
    queue->first = message;
    if (!queue->last)
        queue->last = message;
}

void gist_queue_release(struct gist_node *node, struct gist_queued_message *message)
{
    node->queued_octets -= message->message.length;
    gist_release(node, message, sizeof(*message) + message->message.length);
}

void gist_queue_fail(
    struct gist_node *node, struct gist_message_queue *queue, enum gist_message_status status)
{
    /* The application may put more messages in from within; those wait their turn. */
    struct gist_message_queue failed = *queue;
    *queue = (struct gist_message_queue){0};
    for (struct gist_queued_message *message; (message = gist_queue_take(&failed));) {
        gist_message_handle handle = message->message.handle;
        gist_queue_release(node, message);
        gist_report_status(node, handle, status);
    }
}

void gist_queue_clear(struct gist_node *node, struct gist_message_queue *queue)
{
    for (struct gist_queued_message *message; (message = gist_queue_take(queue));)
        gist_queue_release(node, message);
}

/* Queues of waiting messages; see message_queue.h. */
#include "core/gist/state/message_queue.h"

#include <string.h>
#include <utlist.h>

static bool is_shared(const struct gist_queue_store *store, const struct gist_outgoing *message)
{
    return store->share.shares && message->holder.address.version != 0;
}

/* What is kept does not come back with time: the time does not count. */
static bool take_share(const struct gist_queue_store *store, const struct gist_outgoing *message)
{
    return !is_shared(store, message) ||
           gist_share_take(&store->share, 0, &message->holder, message->length) == GIST_SHARE_TAKEN;
}

static void give_share_back(
    const struct gist_queue_store *store, const struct gist_outgoing *message)
{
    if (is_shared(store, message))
        gist_share_give_back(&store->share, 0, &message->holder, message->length);
}

bool gist_queue_put(struct gist_queue_store *store, struct gist_message_queue *queue,
    const struct gist_outgoing *message)
{
    bool has_room =
        store->octets < store->octets_max && message->length <= store->octets_max - store->octets;
    if (!has_room || !take_share(store, message))
        return false;
    struct gist_queued_message *queued =
        base_allocate(&store->allocator, sizeof(*queued) + message->length);
    if (!queued) {
        give_share_back(store, message);
        return false;
    }
    queued->message = *message;
    queued->message.data = queued->octets;
    memcpy(queued->octets, message->data, message->length);
    queued->is_counted = true;
    store->octets += message->length;
    DL_APPEND(queue->first, queued);
    return true;
}

struct gist_queued_message *gist_queue_take(struct gist_message_queue *queue)
{
    struct gist_queued_message *first = queue->first;
    if (first)
        DL_DELETE(queue->first, first);
    return first;
}

void gist_queue_discount(struct gist_queue_store *store, struct gist_queued_message *message)
{
    if (!message->is_counted)
        return;
    give_share_back(store, &message->message);
    store->octets -= message->message.length;
    message->is_counted = false;
}

void gist_queue_put_back(struct gist_queue_store *store, struct gist_message_queue *queue,
    struct gist_queued_message *message)
{
    if (!message->is_counted && take_share(store, &message->message)) {
        store->octets += message->message.length;
        message->is_counted = true;
    }
    DL_PREPEND(queue->first, message);
}

void gist_queue_release(struct gist_queue_store *store, struct gist_queued_message *message)
{
    gist_queue_discount(store, message);
    base_release(&store->allocator, message, sizeof(*message) + message->message.length);
}

void gist_queue_clear(struct gist_queue_store *store, struct gist_message_queue *queue)
{
    for (struct gist_queued_message *message; (message = gist_queue_take(queue));)
        gist_queue_release(store, message);
}

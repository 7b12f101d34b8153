/* Messages that wait: of applications for a peer, of GIST for an association to open, and datagrams
 * for the rate limit. All queues of a node share what may wait. */
#ifndef NATFW_GIST_MESSAGE_QUEUE_H
#define NATFW_GIST_MESSAGE_QUEUE_H

#include "core/base/allocator.h"
#include "core/gist/service.h"
#include "core/gist/share.h"

/* A message on its way out; data is a view. */
struct gist_outgoing {
    const uint8_t *data;
    size_t length;
    gist_message_handle handle;
    bool reliable;
    bool secure;
    uint8_t hop_count;               /* 0: GIST chooses */
    struct gist_share_holder holder; /* version 0 of its address: our own */
};

struct gist_queued_message {
    struct gist_queued_message *prev;
    struct gist_queued_message *next;
    struct gist_outgoing message; /* data: what follows this struct */
    bool is_counted;              /* in what the store holds, and in its sender's share */
    uint8_t octets[];
};

struct gist_message_queue {
    struct gist_queued_message *first;
};

/* Where queued messages lie, and how much of them there may be. */
struct gist_queue_store {
    struct base_allocator allocator;
    size_t octets;
    size_t octets_max;
    struct gist_share share; /* of what waits on behalf of others; without shares: no limit */
};

/* Copies the message to the end. Returns false without memory, above the store's limit, or above
 * the share of who the message is from. */
bool gist_queue_put(struct gist_queue_store *store, struct gist_message_queue *queue,
    const struct gist_outgoing *message);
/* Takes the first message off; NULL when there is none. The caller releases it. */
struct gist_queued_message *gist_queue_take(struct gist_message_queue *queue);
void gist_queue_release(struct gist_queue_store *store, struct gist_queued_message *message);
/* What was taken goes on to where it counts anew, perhaps in another queue of the store. */
void gist_queue_discount(struct gist_queue_store *store, struct gist_queued_message *message);
/* Puts what was taken back to the front, where it counts again. */
void gist_queue_put_back(struct gist_queue_store *store, struct gist_message_queue *queue,
    struct gist_queued_message *message);
/* Releases all messages, reporting nothing. */
void gist_queue_clear(struct gist_queue_store *store, struct gist_message_queue *queue);

#endif

/* Messages that wait: of applications for a peer, and of GIST for an association to open. */
#ifndef NATFW_GIST_MESSAGE_QUEUE_H
#define NATFW_GIST_MESSAGE_QUEUE_H

#include "core/gist/service.h"

/* A message on its way out; data is a view. */
struct gist_outgoing {
    const uint8_t *data;
    size_t length;
    gist_message_handle handle;
    bool reliable;
    uint8_t hop_count;
};

struct gist_queued_message {
    struct gist_queued_message *next;
    struct gist_outgoing message; /* data: what follows this struct */
    uint8_t octets[];
};

struct gist_message_queue {
    struct gist_queued_message *first;
    struct gist_queued_message *last;
};

/* Copies the message to the end. Returns false without memory, or above the node's limit. */
bool gist_queue_put(
    struct gist_node *node, struct gist_message_queue *queue, const struct gist_outgoing *message);
/* Takes the first message off; NULL when there is none. The caller releases it. */
struct gist_queued_message *gist_queue_take(struct gist_message_queue *queue);
void gist_queue_release(struct gist_node *node, struct gist_queued_message *message);
/* Puts what was taken back to the front. */
void gist_queue_put_back(struct gist_message_queue *queue, struct gist_queued_message *message);
/* Releases all messages, and reports those with a handle to the application. */
void gist_queue_fail(
    struct gist_node *node, struct gist_message_queue *queue, enum gist_message_status status);
void gist_queue_clear(struct gist_node *node, struct gist_message_queue *queue);

#endif

/* MessageStatus: what became of a message that the application wanted to hear of. RFC 5971 B.3. */
#ifndef NATFW_GIST_MESSAGE_STATUS_H
#define NATFW_GIST_MESSAGE_STATUS_H

#include "core/gist/state/node_state.h"

/* GIST_NO_HANDLE asks for no status. */
void gist_report_status(
    struct gist_node *node, gist_message_handle handle, enum gist_message_status status);

/* Releases all messages of a queue, and reports those with a handle. */
void gist_queue_fail(
    struct gist_node *node, struct gist_message_queue *queue, enum gist_message_status status);

#endif

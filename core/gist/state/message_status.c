/* MessageStatus; see message_status.h. RFC 5971 B.3. */
#include "core/gist/state/message_status.h"

void gist_report_status(
    struct gist_node *node, gist_message_handle handle, enum gist_message_status status)
{
    if (handle != GIST_NO_HANDLE && node->application.message_status)
        node->application.message_status(node->application.context, node->now_ms, handle, status);
}

void gist_queue_fail(
    struct gist_node *node, struct gist_message_queue *queue, enum gist_message_status status)
{
    /* The application may put more messages in from within; those wait their turn. */
    struct gist_message_queue failed = *queue;
    *queue = (struct gist_message_queue){0};
    for (struct gist_queued_message *message; (message = gist_queue_take(&failed));) {
        gist_message_handle handle = message->message.handle;
        gist_queue_release(&node->queued, message);
        gist_report_status(node, handle, status);
    }
}

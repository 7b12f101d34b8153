/* Error messages on their way out. RFC 5971 5.6, A.4. */
#ifndef NATFW_GIST_ERROR_MESSAGE_H
#define NATFW_GIST_ERROR_MESSAGE_H

#include "core/gist/state/node_state.h"

/* Reports a fault in a received message, unless the rules forbid to. */
void gist_send_error(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault);

/* The same, and the message counts as rejected. */
void gist_reject_fault(
    struct gist_node *node, const struct gist_reception *reception, const struct gist_fault *fault);

/* The same for a fault that needs no further information. */
void gist_reject(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode);

/* The same for a fault of this object, whole or missing. */
void gist_reject_object(struct gist_node *node, const struct gist_reception *reception,
    enum gist_error_code code, uint8_t subcode, enum gist_object_type type);

#endif

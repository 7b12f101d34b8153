/* Whether a Confirm answers our Response: its cookie, and the stack that was offered. RFC
 * 5971 4.4.1, 4.4.5, 5.7.1, 8.5. */
#ifndef NATFW_GIST_CONFIRM_CHECK_H
#define NATFW_GIST_CONFIRM_CHECK_H

#include "core/gist/state/routing_state.h"

/* Sets what the cookie brought back. Returns false for a Confirm that does not: what it asks for is
 * undone, and its sender told where that is right. state is NULL where there is none. */
bool gist_check_confirm(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state, struct gist_cookie_content *content);

/* Drops a message with a cookie that is not ours. */
void gist_reject_cookie(
    struct gist_node *node, const struct gist_reception *reception, enum gist_object_type cookie);

#endif

/* Telling the observer what happens. Private to core/natfw. */
#ifndef NATFW_NATFW_OBSERVER_H
#define NATFW_NATFW_OBSERVER_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Something happened to a session. */
void natfw_tell(struct natfw_node *node, uint64_t now_ms, enum natfw_event_kind kind,
    const struct gist_session_id *id);

/* The same with a NATFW_INFO that was sent or received; why is NULL or a reason for the log. */
void natfw_tell_info(struct natfw_node *node, uint64_t now_ms, enum natfw_event_kind kind,
    const struct gist_session_id *id, struct natfw_info info, const char *why);

/* The same of a message that is not acted on, with its sender. */
void natfw_tell_of(struct natfw_node *node, const struct natfw_incoming *incoming,
    enum natfw_event_kind kind, struct natfw_info info, const char *why);

/* The message is dropped, for this reason. */
void natfw_discard(struct natfw_node *node, const struct natfw_incoming *incoming, const char *why);

#endif

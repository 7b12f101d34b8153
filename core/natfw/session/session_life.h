/* When a session needs attention, and how it ends. RFC 5973 3.2.8, 3.4. Private to core/natfw. */
#ifndef NATFW_NATFW_SESSION_LIFE_H
#define NATFW_NATFW_SESSION_LIFE_H

#include "core/natfw/session/node_state.h"

/* Recomputes when the session needs attention next, and asks to be called then. */
void natfw_session_schedule(struct natfw_node *node, struct natfw_session *session);

/* Asks to be called when the first of all sessions needs attention. */
void natfw_ask_for_tick(struct natfw_node *node);

/* What was asked for is granted, until expires_ms: its rule is the current one, and the routing
 * state of its flow lives as long as the session. */
void natfw_session_grant(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);

/* Transitory: the session stays, but not for ever: 30 s or more (3.2.8, ruling A46). */
void natfw_session_hold(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session);

/* Takes the session's rules away, gives up its routing state, and forgets it. */
void natfw_session_end(struct natfw_node *node, uint64_t now_ms, struct natfw_session *session,
    enum natfw_session_input input);

/* The session for an accepted request in this role. An update may have moved where its flow ends:
 * then the one in the other role ends, and it begins anew; NULL, as where there is none. */
struct natfw_session *natfw_session_in_role(
    struct natfw_node *node, uint64_t now_ms, struct natfw_session *session, enum natfw_role role);

#endif

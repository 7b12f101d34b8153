/*
 * Who may begin another session here, and own another rule: each peer has its share of both.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_ADMISSION_H
#define NATFW_NATFW_ADMISSION_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* A new session for the sender of this request; NULL when there is none left for it. */
struct natfw_session *natfw_session_admit(
    struct natfw_node *node, const struct natfw_incoming *incoming);
/* The same for a session that this peer began earlier. */
struct natfw_session *natfw_session_admit_of(struct natfw_node *node, uint64_t now_ms,
    const struct gist_session_id *id, const struct gist_address *peer, uint32_t interface);

/* Whether the sender may be one more owner of this rule, which several sessions may have (3.7.6.1).
 */
bool natfw_may_own(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule);

/* The session's rules have changed: it owns what they are now. */
void natfw_session_owns(struct natfw_node *node, struct natfw_session *session);

/* The session ends, and gives back what it had. */
void natfw_session_dismiss(struct natfw_node *node, struct natfw_session *session);

/* Whether this peer comes before strangers. */
bool natfw_knows(struct natfw_node *node, uint64_t now_ms, const struct gist_address *address,
    uint32_t interface);

#endif

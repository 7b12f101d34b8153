/* What every request has to pass before a role handles it: who sent it, whether that is who may
 * speak for the session, whether it is new, whether its rule may be had. RFC 5973 3.3, 3.5, 3.6,
 * rulings A11 and A107. Private to core/natfw. */
#ifndef NATFW_NATFW_CHECKS_H
#define NATFW_NATFW_CHECKS_H

#include "core/natfw/session/incoming.h"
#include "core/natfw/session/node_state.h"

/* Each returns false for a request that does not pass; it has then been answered or discarded. */
bool natfw_check_authentication(struct natfw_node *node, const struct natfw_incoming *incoming);
bool natfw_check_ownership(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session);
bool natfw_check_authorization(
    struct natfw_node *node, const struct natfw_incoming *incoming, bool is_update);
bool natfw_check_sequence(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_session *session);

/* Whether the sender of this message may send requests for the session. Ruling A107. */
bool natfw_may_speak_for(struct natfw_node *node, const struct gist_received *received,
    const struct natfw_session *session);

/* Whether a RESPONSE or NOTIFY that travels this way comes from the session's peer there. */
bool natfw_is_from_its_peer(
    const struct natfw_session *session, const struct gist_received *received);

/* What to refuse the rule with; NATFW_NO_CODE when there is nothing against it. */
struct natfw_info natfw_judge_rule(struct natfw_node *node, const struct natfw_incoming *incoming,
    const struct natfw_policy_rule *rule, uint32_t lifetime_s, bool is_update);

#endif

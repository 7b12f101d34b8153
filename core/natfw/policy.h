/*
 * The policy seam: may this peer, from this side, have this rule for this long? RFC 5973 3.6.
 */
#ifndef NATFW_NATFW_POLICY_H
#define NATFW_NATFW_POLICY_H

#include "core/gist/service.h"
#include "core/natfw/info.h"
#include "core/natfw/peer.h"
#include "core/natfw/policy_rule.h"

/* What is asked; valid during the call only. */
struct natfw_policy_question {
    const struct gist_received *message;  /* peer, interface, association and its security */
    const struct natfw_policy_rule *rule; /* NULL: about the sender alone (authentication) */
    uint32_t lifetime_s;
    bool is_update; /* of a session that this node knows */
    /* May the sender ask for anything? Only a permanent failure, 5/.., refuses here; what is asked
     * for is judged by a question of its own. */
    bool about_asking;
};

/* All answer at once; those that return a code, with that of a refusal, or with NATFW_NO_CODE: no
 * objection. */
struct natfw_policy {
    void *context;

    /* Who is it, and may it signal here at all? Refuses with 5/0x01 or 5/0x02. */
    enum natfw_code (*authenticate)(void *context, const struct natfw_policy_question *question);

    /* May it have this rule? Refuses with 7/0x04, 7/0x06, 7/0x09 to 7/0x0f or 5/0x02. */
    enum natfw_code (*permit)(void *context, const struct natfw_policy_question *question);

    /* The session had this inbound peer; may another one, or the same by another interface, speak
     * for it from now on? Paths change (3.9) and hosts move, but a session id is no secret. Ruling
     * A107. */
    bool (*may_take_over)(void *context, const struct natfw_policy_question *question,
        const struct natfw_peer *former);

    /* May a flow leave by the interface by which it came in, as at a router with one arm? */
    bool (*may_turn_back)(void *context, uint32_t interface);

    /* Does policy name this peer, so that it comes before strangers? NULL: it names nobody. */
    bool (*names)(void *context, const struct gist_address *peer, uint32_t interface);
};

#endif

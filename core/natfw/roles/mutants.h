/* Wrong acts of the roles that take more than a statement; done only under their mutants. */
#ifndef NATFW_NATFW_ROLES_MUTANTS_H
#define NATFW_NATFW_ROLES_MUTANTS_H

#include "core/natfw/roles/reply.h"

/* Lets a rule act whose request was refused. */
static inline void natfw_mutant_install_refused(
    struct natfw_node *node, const struct natfw_session *session)
{
    const struct natfw_middlebox *middlebox = &node->seams.middlebox;
    middlebox->install(middlebox->context, &session->id, &session->rules.next, session->expires_ms,
        NATFW_NO_HANDLE);
}

/* A session id that follows from the one before it. */
static inline void natfw_mutant_count_ids(const struct natfw_node *node, struct gist_session_id *id)
{
    if (node->sessions.all)
        *id = node->sessions.all->id;
    id->octets[15]++;
}

/* Passes an aggregate deletion on to the next node. */
static inline void natfw_mutant_propagate(struct natfw_node *node,
    const struct natfw_incoming *incoming, const struct natfw_session *affected)
{
    struct gist_send_request request = {
        .session_id = incoming->received->session_id,
        .mri = incoming->received->mri,
        .attributes = {.reliable = true},
        .sii_handle = affected->outbound_peer.handle,
    };
    natfw_send(node, incoming->now_ms, &incoming->message, &request);
}

#endif

/*
 * Requests inside a Query; see piggyback.h. They come unprotected, perhaps more than once, and
 * before there is anybody to answer: they are refused, and the refusal is sent once the routing
 * state is there, so that no peer waits for ever. Ruling A97.
 */
#include "core/natfw/roles/piggyback.h"

#include "core/natfw/roles/reply.h"

static struct natfw_piggybacked *find_piggybacked(
    struct natfw_node *node, const struct gist_session_id *session_id)
{
    for (size_t i = 0; i < NATFW_PIGGYBACKED_MAX; i++) {
        struct natfw_piggybacked *one = &node->piggybacked[i];
        if (one->is_due && gist_session_id_equal(&one->session_id, session_id))
            return one;
    }
    return NULL;
}

void natfw_piggyback_remember(struct natfw_node *node, const struct natfw_incoming *incoming)
{
    struct natfw_piggybacked *one = find_piggybacked(node, &incoming->received->session_id);
    if (!one) {
        one = &node->piggybacked[node->piggybacked_next];
        node->piggybacked_next = (node->piggybacked_next + 1) % NATFW_PIGGYBACKED_MAX;
    }
    *one = (struct natfw_piggybacked){
        .session_id = incoming->received->session_id,
        .sequence_number = incoming->message.sequence_number,
        .is_due = true,
    };
}

void natfw_piggyback_refuse(struct natfw_node *node, uint64_t now_ms, const struct gist_mri *mri,
    const struct gist_session_id *session_id)
{
    struct natfw_piggybacked *one = find_piggybacked(node, session_id);
    if (!one || !mri->upstream)
        return;
    struct gist_received received = {.mri = *mri, .session_id = *session_id};
    struct natfw_incoming incoming = {.now_ms = now_ms, .received = &received};
    incoming.message.sequence_number = one->sequence_number;
    one->is_due = false;
    natfw_refuse(node, &incoming, NATFW_AUTHENTICATION_FAILED);
}

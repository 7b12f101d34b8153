/* The checks of a Confirm; see confirm_check.h. RFC 5971 4.4.1, 4.4.5, 5.7.1, 8.5. */
#include "core/gist/machines/confirm_check.h"

#include "core/gist/machines/responding_machine.h"
#include "core/gist/state/association.h"
#include "core/gist/transport/error_message.h"
#include "core/gist/transport/own_message.h"
#include "core/spec/spec.h"

#include <string.h>

void gist_reject_cookie(
    struct gist_node *node, const struct gist_reception *reception, enum gist_object_type cookie)
{
    node->counters.messages_rejected++;
    if (SPEC_HOLDS("RFC5971-8.5-4", 1, node->config.answer_invalid_cookie))
        gist_reject_object(node, reception, GIST_OBJECT_VALUE_ERROR, GIST_INVALID_COOKIE, cookie);
}

/* 5.7.1: a Confirm that fails its checks undoes the state, and an association that it began. The
 * state is its peer's, so another's Confirm does not. */
static void undo(
    struct gist_node *node, const struct gist_reception *confirm, struct gist_routing_state *state)
{
    struct gist_association *association = confirm->association;
    if (state && state->role == GIST_RESPONDING &&
        state->state == GIST_RESPONDING_AWAITING_REFRESH && state->peer &&
        gist_peer_is(state->peer, &confirm->message.nli)) {
        SPEC_DO("RFC5971-5.7.1-14b", 1) {
            gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
        }
    }
    if (association && !association->dead && !association->peer) {
        SPEC_DO("RFC5971-5.7.1-15", 1) {
            gist_association_destroy(node, association);
        }
    }
}

static void reject_missing(
    struct gist_node *node, const struct gist_reception *confirm, enum gist_object_type type)
{
    gist_reject_object(node, confirm, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT, type);
}

/* What a Confirm has to have because its Response offered a stack. */
static bool check_stack(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state)
{
    const struct gist_message *confirm = &reception->message;
    if (!reception->association) {
        gist_reject(node, reception, GIST_INCORRECT_ENCAPSULATION, 0);
        return false;
    }
    if (!gist_message_has(confirm, GIST_OBJECT_STACK_PROPOSAL)) {
        reject_missing(node, reception, GIST_OBJECT_STACK_PROPOSAL);
        undo(node, reception, state);
        return false;
    }
    SPEC_ENSURE("RFC5971-5.7.1-13", 1, gist_is_own_proposal(node, &confirm->stack_proposal)) {
        node->counters.messages_rejected++;
        undo(node, reception, state);
        return false;
    }
    if (reception->association->peer)
        return true;
    SPEC_ENSURE("RFC5971-4.4.5-7", 1, gist_message_has(confirm, GIST_OBJECT_STACK_CONFIGURATION)) {
        reject_missing(node, reception, GIST_OBJECT_STACK_CONFIGURATION);
        return false;
    }
    return true;
}

static bool verifies(
    struct gist_node *node, const struct gist_message *confirm, struct gist_cookie_content *content)
{
    struct gist_cookie_binding binding = {
        &confirm->nli, &confirm->mri, &confirm->session_id, node->config.nslp_id};
    /* A secret that has had its time must not verify merely because nobody asked since. */
    gist_cookie_rollover(
        &node->secrets, &node->crypto, node->now_ms, node->config.cookie_rollover_ms);
    return gist_responder_cookie_verify(
        &node->secrets, &node->crypto, &binding, confirm->responder_cookie, content);
}

bool gist_check_confirm(struct gist_node *node, const struct gist_reception *reception,
    struct gist_routing_state *state, struct gist_cookie_content *content)
{
    if (!gist_message_has(&reception->message, GIST_OBJECT_RESPONDER_COOKIE)) {
        gist_reject(node, reception, GIST_NO_ROUTING_STATE, 0);
        return false;
    }
    SPEC_ENSURE("RFC5971-5.7.1-13", 2, verifies(node, &reception->message, content)) {
        gist_reject_cookie(node, reception, GIST_OBJECT_RESPONDER_COOKIE);
        undo(node, reception, state);
        return false;
    }
    return !content->stack_offered || check_stack(node, reception, state);
}

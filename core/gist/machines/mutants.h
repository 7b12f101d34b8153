/* Wrong acts of the machines that take more than a statement; done only under their mutants. */
#ifndef NATFW_GIST_MACHINES_MUTANTS_H
#define NATFW_GIST_MACHINES_MUTANTS_H

#include "core/gist/state/routing_state.h"
#include "core/gist/transport/error_message.h"

/* Lets the message after this one overtake it. */
static inline struct gist_queued_message *gist_mutant_take_later(struct gist_queue_store *store,
    struct gist_message_queue *queue, struct gist_queued_message *message)
{
    struct gist_queued_message *later = gist_queue_take(queue);
    gist_queue_put_back(store, queue, message);
    return later;
}

/* Says the address of the interface towards the flow's source. */
static inline void gist_mutant_take_other_address(
    struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_route route;
    if (node->transport.route(node->transport.context, &state->mri.source, &route))
        state->own_address = route.local;
}

/* Answers an Error, as if it had been Data. */
static inline void gist_mutant_answer_error(
    struct gist_node *node, const struct gist_reception *error)
{
    struct gist_reception as_data = *error;
    as_data.message.header.type = GIST_DATA;
    gist_reject(node, &as_data, GIST_NO_ROUTING_STATE, 0);
}

#endif

/* The authorised peer database is asked; see authorisation.h. RFC 5971 4.4.1, 4.4.2. */
#include "core/gist/transport/authorisation.h"

#include "core/gist/state/message_status.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/state/upcall.h"
#include "core/gist/transport/association_machine.h"
#include "core/spec/spec.h"

#include <utlist.h>

bool gist_is_authorised(struct gist_node *node, const struct gist_association *association,
    const struct gist_address *peer, const struct gist_mri *mri)
{
    const struct gist_transport *transport = &node->transport;
    return association->stack != GIST_STACK_TLS_TCP || !transport->authorises ||
           transport->authorises(transport->context, association->id, peer, mri);
}

bool gist_is_authorised_for_all(struct gist_node *node, const struct gist_association *association)
{
    const struct gist_routing_state *state;
    DL_FOREACH2(association->users, state, users_next) {
        if (!gist_is_authorised(node, association, &association->peer->address, &state->mri))
            return false;
    }
    return true;
}

/* The application may end others from within. */
static void delete_state(struct gist_node *node, struct gist_routing_state *state)
{
    gist_routing_state_destroy(node, state, GIST_STATUS_CONNECT_FAILED);
    gist_notify(node, state, GIST_NOTIFY_ROUTE_DELETED);
}

void gist_refuse_peer(struct gist_node *node, struct gist_association *association)
{
    node->counters.peers_unauthorised++;
    SPEC_NEVER("RFC5971-4.4.2-3a", 1) {
        gist_association_event(node, association, GIST_TO_SEND_HELLO, 0);
    }
    SPEC_DO("RFC5971-4.4.2-3b", 1) {
        while (association->users)
            delete_state(node, association->users);
    }
    SPEC_DO("RFC5971-4.4.1-7b", 1) {
        gist_association_destroy(node, association);
    }
    gist_queue_fail(node, &association->queue, GIST_STATUS_CONNECT_FAILED);
}

/* A state that is allowed no more goes, and the association with the last that it was for. */
static void look_at(struct gist_node *node, struct gist_association *association)
{
    const struct gist_address *peer = &association->peer->address;
    bool had_users = association->users != NULL;
    struct gist_routing_state *state, *next;
    DL_FOREACH_SAFE2(association->users, state, next, users_next) {
        if (!state->dead && !gist_is_authorised(node, association, peer, &state->mri))
            delete_state(node, state);
    }
    if ((had_users && !association->users) || !gist_is_authorised(node, association, peer, NULL))
        gist_refuse_peer(node, association);
}

void gist_authorise_anew(struct gist_node *node)
{
    struct gist_association *association, *next;
    DL_FOREACH_SAFE2(node->all_associations, association, next, all_next) {
        if (!association->dead && association->peer &&
            association->state != GIST_AWAITING_CONNECTION)
            look_at(node, association);
    }
}

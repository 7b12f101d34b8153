/* Which association a handshake is to use: one that is there, or a new one. RFC 5971 4.4.3, 5.7.1.
 */
#ifndef NATFW_GIST_ASSOCIATION_CHOICE_H
#define NATFW_GIST_ASSOCIATION_CHOICE_H

#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"

/* The one over which the Response to this Query may go: with the very peer of its NLI, as good as
 * one that the Query offers, and as one that the full Response would. NULL: in D-mode. */
struct gist_association *gist_reusable_association(
    struct gist_node *node, const struct gist_message *query);

/* Has the state use the association that the Response asks for, found or opened; none where it asks
 * for none. Returns false where there has to be one and cannot; where its peer is not authorised,
 * the state is dead. */
bool gist_choose_association(struct gist_node *node, struct gist_routing_state *state,
    const struct gist_reception *response);

#endif

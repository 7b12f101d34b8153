/* Whether who has been authenticated at the other end of a secure association may be a peer: the
 * question to the authorised peer database, and what follows from no. RFC 5971 4.4.1, 4.4.2. */
#ifndef NATFW_GIST_AUTHORISATION_H
#define NATFW_GIST_AUTHORISATION_H

#include "core/gist/state/association.h"

/* For this flow; true where nothing is authenticated. The peer's address is the one that its NLI
 * names. */
bool gist_is_authorised(struct gist_node *node, const struct gist_association *association,
    const struct gist_address *peer, const struct gist_mri *mri);

/* The same for every flow that uses the association. */
bool gist_is_authorised_for_all(struct gist_node *node, const struct gist_association *association);

/* Ends it without a further message, and the routing state that uses it. */
void gist_refuse_peer(struct gist_node *node, struct gist_association *association);

/* The database has changed: each association, and each state that uses one, is looked at anew. */
void gist_authorise_anew(struct gist_node *node);

#endif

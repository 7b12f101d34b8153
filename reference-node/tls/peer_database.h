/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The authorised peer database, as the configuration has it. RFC 5971 4.4.2. */
#ifndef NATFWD_PEER_DATABASE_H
#define NATFWD_PEER_DATABASE_H

#include "reference-node/tls/peer_identity.h"

/* Whether who is at the other end may be the peer at this address, for this flow; flow NULL: for
 * any. A refusal is logged. */
bool peer_database_allows(const struct config_tls *tls, const struct peer_identity *identity,
    const struct gist_address *peer, const struct gist_mri *flow);
/* Whether there may be an address and a flow for which it would: who cannot be a peer at all need
 * not be heard. The source is that of the connection, for the log. */
bool peer_database_may_allow(const struct config_tls *tls, const struct peer_identity *identity,
    const struct gist_address *source);

#endif

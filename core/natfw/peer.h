/*
 * A neighbour of a session, as the session remembers it: who its NLI said it is, and where it
 * stood.
 *
 * Knowing a session id is not owning the session: what counts is who sends (ruling A107). A peer is
 * known again by name, for its SII-handle ends with its last association.
 */
#ifndef NATFW_NATFW_PEER_H
#define NATFW_NATFW_PEER_H

#include "core/gist/service.h"

enum { NATFW_PEER_IDENTITY_MAX = 255 }; /* octets: its length is one octet, RFC 5971 A.3.3 */

struct natfw_peer {
    struct gist_address address; /* version 0: there is no peer yet */
    uint32_t interface;          /* by which it was heard */
    gist_sii_handle handle;      /* for explicit routing, as long as GIST knows it */
    uint8_t identity_length;
    uint8_t identity[NATFW_PEER_IDENTITY_MAX];
};

/* The sender of this message. */
struct natfw_peer natfw_peer_of(const struct gist_received *received);

bool natfw_peer_is_known(const struct natfw_peer *peer);

/* Both are of one Peer-Identity, and have one; perhaps at two addresses. */
bool natfw_peer_has_identity_of(
    const struct natfw_peer *peer, const struct gist_received *received);

bool natfw_peer_equal(const struct natfw_peer *a, const struct natfw_peer *b);

/* The sender has this peer's identity and address. */
bool natfw_peer_sent(const struct natfw_peer *peer, const struct gist_received *received);

#endif

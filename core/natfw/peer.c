/* Neighbours of a session; see peer.h. Ruling A107. */
#include "core/natfw/peer.h"

#include <string.h>

struct natfw_peer natfw_peer_of(const struct gist_received *received)
{
    struct natfw_peer peer = {.address = received->peer,
        .interface = received->interface,
        .handle = received->sii_handle,
        .identity_length = received->peer_identity_length};
    if (peer.identity_length > 0)
        memcpy(peer.identity, received->peer_identity, peer.identity_length);
    return peer;
}

bool natfw_peer_is_known(const struct natfw_peer *peer)
{
    return peer->address.version != 0;
}

static bool same_identity(const struct natfw_peer *peer, const struct gist_received *received)
{
    return peer->identity_length == received->peer_identity_length &&
           (peer->identity_length == 0 ||
               memcmp(peer->identity, received->peer_identity, peer->identity_length) == 0);
}

bool natfw_peer_has_identity_of(const struct natfw_peer *peer, const struct gist_received *received)
{
    return peer->identity_length > 0 && same_identity(peer, received);
}

bool natfw_peer_equal(const struct natfw_peer *a, const struct natfw_peer *b)
{
    return gist_address_equal(&a->address, &b->address) &&
           a->identity_length == b->identity_length &&
           memcmp(a->identity, b->identity, a->identity_length) == 0;
}

bool natfw_peer_sent(const struct natfw_peer *peer, const struct gist_received *received)
{
    return natfw_peer_is_known(peer) && gist_address_equal(&peer->address, &received->peer) &&
           same_identity(peer, received);
}

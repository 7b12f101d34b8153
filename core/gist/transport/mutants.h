/* Wrong acts of the transport that take more than a statement; done only under their mutants. */
#ifndef NATFW_GIST_TRANSPORT_MUTANTS_H
#define NATFW_GIST_TRANSPORT_MUTANTS_H

#include "core/gist/state/peer.h"
#include "core/gist/transport/datagram.h"

static inline void gist_mutant_send_as_datagram(
    struct gist_node *node, const struct gist_peer *peer, const struct gist_message *message)
{
    struct gist_endpoint endpoint = {peer->address, node->config.udp_port};
    gist_datagram_send(node, &endpoint, message);
}

#endif

/* A GIST peer as its NLI names it: identity and interface address. What an SII-handle refers to.
 * RFC 5971 4.4.3, 7.1.4. */
#ifndef NATFW_GIST_PEER_H
#define NATFW_GIST_PEER_H

#include "core/gist/message/network_layer_information.h"
#include "core/gist/state/node_state.h"

/* Lives as long as routing state or an association refers to it. */
struct gist_peer {
    struct base_table_link by_name;
    struct base_table_link by_handle;
    gist_sii_handle sii_handle;
    struct gist_address address;
    size_t references;
    struct gist_association *associations; /* linked by peer_next */
    uint8_t identity_length;
    uint8_t identity[];
};

/* Finds or makes the peer with a reference added. NULL without memory. */
struct gist_peer *gist_peer_acquire(struct gist_node *node, const struct gist_nli *nli);
void gist_peer_release(struct gist_node *node, struct gist_peer *peer);

/* NULL when unknown; adds no reference. */
struct gist_peer *gist_peer_find(struct gist_node *node, const struct gist_nli *nli);
struct gist_peer *gist_peer_of_handle(struct gist_node *node, gist_sii_handle handle);
bool gist_peer_is(const struct gist_peer *peer, const struct gist_nli *nli);

#endif

/* Peers; see peer.h. */
#include "core/gist/state/peer.h"

#include "core/base/container.h"

#include <string.h>

static uint64_t name_hash(struct gist_node *node, const struct gist_nli *nli)
{
    uint8_t name[17 + 255];
    struct wire_writer writer = wire_writer_over(name, sizeof(name));
    wire_put_u8(&writer, nli->interface_address.version);
    wire_put_bytes(&writer, nli->interface_address.octets, 16);
    wire_put_bytes(&writer, nli->peer_identity.octets, nli->peer_identity.length);
    return base_hash(node->hash_key, name, wire_written(&writer));
}

static struct gist_peer *peer_of(struct base_table_link *link)
{
    return BASE_CONTAINER(link, struct gist_peer, by_name);
}

bool gist_peer_is(const struct gist_peer *peer, const struct gist_nli *nli)
{
    return gist_address_equal(&peer->address, &nli->interface_address) &&
           peer->identity_length == nli->peer_identity.length &&
           memcmp(peer->identity, nli->peer_identity.octets, peer->identity_length) == 0;
}

struct gist_peer *gist_peer_find(struct gist_node *node, const struct gist_nli *nli)
{
    struct base_table_link *link = base_table_first(&node->peers, name_hash(node, nli));
    while (link && !gist_peer_is(peer_of(link), nli))
        link = base_table_next(link);
    return link ? peer_of(link) : NULL;
}

struct gist_peer *gist_peer_of_handle(struct gist_node *node, gist_sii_handle handle)
{
    struct base_table_link *link = base_table_first(&node->peers_by_handle, handle);
    return link ? BASE_CONTAINER(link, struct gist_peer, by_handle) : NULL;
}

struct gist_peer *gist_peer_acquire(struct gist_node *node, const struct gist_nli *nli)
{
    struct gist_peer *peer = gist_peer_find(node, nli);
    if (!peer) {
        peer = base_allocate(&node->allocator, sizeof(*peer) + nli->peer_identity.length);
        if (!peer)
            return NULL;
        peer->sii_handle = ++node->last_handle;
        peer->address = nli->interface_address;
        peer->identity_length = (uint8_t)nli->peer_identity.length;
        memcpy(peer->identity, nli->peer_identity.octets, nli->peer_identity.length);
        base_table_insert(&node->peers, &peer->by_name, name_hash(node, nli));
        base_table_insert(&node->peers_by_handle, &peer->by_handle, peer->sii_handle);
    }
    peer->references++;
    return peer;
}

void gist_peer_release(struct gist_node *node, struct gist_peer *peer)
{
    if (!peer || --peer->references > 0)
        return;
    base_table_remove(&node->peers, &peer->by_name);
    base_table_remove(&node->peers_by_handle, &peer->by_handle);
    base_release(&node->allocator, peer, sizeof(*peer) + peer->identity_length);
}

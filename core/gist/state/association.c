/* The store of messaging associations; see association.h. RFC 5971 4.2.2, 4.4.3. */
#include "core/gist/state/association.h"

#include "core/base/container.h"

#include <utlist.h>

struct gist_association *gist_association_find(struct gist_node *node, gist_association_id id)
{
    for (struct base_table_link *link = base_table_first(&node->associations, id); link;
         link = base_table_next(link)) {
        struct gist_association *association = BASE_CONTAINER(link, struct gist_association, link);
        if (association->id == id)
            return association;
    }
    return NULL;
}

static gist_association_id free_id(struct gist_node *node)
{
    do
        node->last_association++;
    while (node->last_association == 0 || gist_association_find(node, node->last_association));
    return node->last_association;
}

struct gist_association *gist_association_create(struct gist_node *node)
{
    if (node->associations.count >= node->config.associations_max)
        return NULL;
    struct gist_association *association = base_allocate(&node->allocator, sizeof(*association));
    if (!association)
        return NULL;
    association->id = free_id(node);
    association->state = GIST_AWAITING_CONNECTION;
    association->peer_hold_ms = node->config.association_hold_ms;
    base_table_insert(&node->associations, &association->link, association->id);
    return association;
}

void gist_association_join(
    struct gist_association *association, struct gist_peer *peer, uint32_t peer_hold_ms)
{
    peer->references++;
    association->peer = peer;
    association->peer_hold_ms = peer_hold_ms;
    LL_PREPEND2(peer->associations, association, peer_next);
}

bool gist_association_bind(struct gist_node *node, struct gist_association *association,
    const struct gist_nli *nli, uint32_t peer_hold_ms)
{
    struct gist_peer *peer = gist_peer_acquire(node, nli);
    if (!peer)
        return false;
    gist_association_join(association, peer, peer_hold_ms);
    gist_peer_release(node, peer);
    association->configured = true;
    return true;
}

struct gist_association *gist_association_of_peer(const struct gist_peer *peer, bool connected)
{
    struct gist_association *association = peer ? peer->associations : NULL;
    while (association &&
           (association->dead || (connected && association->state == GIST_AWAITING_CONNECTION)))
        association = association->peer_next;
    return association;
}

void gist_association_destroy(struct gist_node *node, struct gist_association *association)
{
    if (association->dead)
        return;
    association->dead = true;
    association->state = GIST_ASSOCIATION_DEATH;
    base_table_remove(&node->associations, &association->link);
    base_timer_stop(&node->timers, &association->connecting);
    base_timer_stop(&node->timers, &association->send_hello);
    base_timer_stop(&node->timers, &association->no_hello);
    base_timer_stop(&node->timers, &association->unused);
    if (association->peer)
        LL_DELETE2(association->peer->associations, association, peer_next);
    if (!association->told_closed)
        node->transport.association_close(node->transport.context, association->id);
    LL_PREPEND2(node->dead_associations, association, dead_next);
}

void gist_association_free(struct gist_node *node, struct gist_association *association)
{
    gist_message_stream_close(&association->stream, &node->allocator);
    gist_queue_clear(&node->queued, &association->queue);
    gist_peer_release(node, association->peer);
    base_release(&node->allocator, association, sizeof(*association));
}

/* The store of messaging associations; see association.h. RFC 5971 4.2.2, 4.4.3. */
#include "core/gist/state/association.h"

#include "core/base/container.h"
#include "core/gist/state/node_share.h"
#include "core/spec/spec.h"

#include <string.h>
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

struct gist_association *gist_association_create(struct gist_node *node, enum gist_stack stack)
{
    if (node->associations.count >= node->config.associations_max)
        return NULL;
    struct gist_association *association = base_allocate(&node->allocator, sizeof(*association));
    if (!association)
        return NULL;
    association->id = free_id(node);
    association->stack = stack;
    association->state = GIST_AWAITING_CONNECTION;
    association->peer_hold_ms = node->config.association_hold_ms;
    base_table_insert(&node->associations, &association->link, association->id);
    DL_APPEND2(node->all_associations, association, all_prev, all_next);
    return association;
}

void gist_association_admit(struct gist_node *node, struct gist_association *association,
    const struct gist_share_holder *holder)
{
    association->holder = *holder;
    association->is_inbound = true;
    DL_APPEND2(node->inbound, association, inbound_prev, inbound_next);
}

void gist_association_lead_by(
    struct gist_node *node, struct gist_association *association, uint32_t interface)
{
    association->interface = interface;
    if (!association->is_inbound && association->state == GIST_AWAITING_CONNECTION)
        association->holder = gist_node_holder(node, &association->peer->address, interface);
}

static void leave_inbound(struct gist_node *node, struct gist_association *association)
{
    if (!association->is_inbound)
        return;
    DL_DELETE2(node->inbound, association, inbound_prev, inbound_next);
    gist_node_share_give_back(node, &association->holder, GIST_SHARE_OF_ASSOCIATIONS, 1);
}

/* Memory of streams, counted. */
struct stream_memory {
    struct gist_node *node;
    const struct gist_association *association;
};

static void *allocate_octets(void *context, size_t length)
{
    const struct stream_memory *memory = context;
    struct gist_node *node = memory->node;
    const struct gist_share_holder *holder = &memory->association->holder;
    if (gist_node_share_take(node, holder, GIST_SHARE_OF_STREAM_OCTETS, length) !=
        GIST_SHARE_TAKEN) {
        node->counters.streams_refused++;
        return NULL;
    }
    void *octets = base_allocate(&node->allocator, length);
    if (!octets)
        gist_node_share_give_back(node, holder, GIST_SHARE_OF_STREAM_OCTETS, length);
    return octets;
}

static void release_octets(void *context, void *octets, size_t length)
{
    const struct stream_memory *memory = context;
    gist_node_share_give_back(
        memory->node, &memory->association->holder, GIST_SHARE_OF_STREAM_OCTETS, length);
    base_release(&memory->node->allocator, octets, length);
}

enum gist_stream_result gist_association_next(struct gist_node *node,
    struct gist_association *association, const uint8_t **octets, size_t *length,
    const uint8_t **message, size_t *message_length)
{
    struct stream_memory memory = {node, association};
    struct base_allocator counted = {&memory, allocate_octets, release_octets};
    return gist_message_stream_next(
        &association->stream, &counted, octets, length, message, message_length);
}

/* Has so many octets wait, of which the first are those from the given place. */
static bool resize_waiting(
    struct gist_node *node, struct gist_association *association, size_t from, size_t length)
{
    struct stream_memory memory = {node, association};
    uint8_t *octets = length > 0 ? allocate_octets(&memory, length) : NULL;
    size_t left = association->waiting_length - from;
    if (length > 0 && !octets)
        return false;
    if (left > 0)
        memcpy(octets, association->waiting + from, left);
    if (association->waiting)
        release_octets(&memory, association->waiting, association->waiting_length);
    association->waiting = octets;
    association->waiting_length = length;
    return true;
}

bool gist_association_wait(struct gist_node *node, struct gist_association *association,
    const uint8_t *octets, size_t length)
{
    size_t before = association->waiting_length;
    if (!resize_waiting(node, association, 0, before + length))
        return false;
    memcpy(association->waiting + before, octets, length);
    return true;
}

bool gist_association_heard(
    struct gist_node *node, struct gist_association *association, size_t length)
{
    return resize_waiting(node, association, length, association->waiting_length - length);
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
    base_timer_stop(&node->timers, &association->unconfirmed);
    association->configured = true;
    return true;
}

struct gist_association *gist_association_of_peer(
    const struct gist_peer *peer, bool connected, enum gist_stack least)
{
    struct gist_association *association, *best = NULL;
    LL_FOREACH2(peer ? peer->associations : NULL, association, peer_next) {
        bool fits = !association->dead && association->stack >= least &&
                    !(connected && association->state == GIST_AWAITING_CONNECTION);
        if (fits && (!best || association->stack > best->stack))
            best = association;
    }
    return best;
}

struct gist_transfer_attributes gist_attributes_of(const struct gist_association *association)
{
    return (struct gist_transfer_attributes){.reliable = association != NULL,
        .secure = association && association->stack == GIST_STACK_TLS_TCP};
}

void gist_association_destroy(struct gist_node *node, struct gist_association *association)
{
    if (association->dead)
        return;
    association->dead = true;
    association->state = GIST_ASSOCIATION_DEATH;
    base_table_remove(&node->associations, &association->link);
    DL_DELETE2(node->all_associations, association, all_prev, all_next);
    base_timer_stop(&node->timers, &association->connecting);
    base_timer_stop(&node->timers, &association->send_hello);
    base_timer_stop(&node->timers, &association->no_hello);
    base_timer_stop(&node->timers, &association->unused);
    base_timer_stop(&node->timers, &association->unconfirmed);
    base_timer_stop(&node->timers, &association->pause);
    leave_inbound(node, association);
    if (association->peer)
        LL_DELETE2(association->peer->associations, association, peer_next);
    if (!association->told_closed) {
        SPEC_DO("RFC5971-4.4.5-8a", 1) { /* after what was written has gone out */
            node->transport.association_close(node->transport.context, association->id);
        }
    }
    LL_PREPEND2(node->dead_associations, association, dead_next);
}

void gist_association_free(struct gist_node *node, struct gist_association *association)
{
    struct stream_memory memory = {node, association};
    struct base_allocator counted = {&memory, allocate_octets, release_octets};
    gist_message_stream_close(&association->stream, &counted);
    (void)resize_waiting(node, association, association->waiting_length, 0); /* takes no memory */
    gist_queue_clear(&node->queued, &association->queue);
    gist_peer_release(node, association->peer);
    base_release(&node->allocator, association, sizeof(*association));
}

/* The table of messaging associations; see association.h. */
#include "core/gist/association.h"

#include "core/gist/node_state.h"
#include "core/gist/routing_state.h"
#include "core/spec/spec.h"

static void expire_connecting(struct gist_node *node, void *owner)
{
    gist_association_event(node, owner, GIST_ER_MA_CONNECT, 0);
}

static void expire_send_hello(struct gist_node *node, void *owner)
{
    gist_association_event(node, owner, GIST_TO_SEND_HELLO, 0);
}

static void expire_no_hello(struct gist_node *node, void *owner)
{
    gist_association_event(node, owner, GIST_TO_NO_HELLO, 0);
}

static void expire_unused(struct gist_node *node, void *owner)
{
    gist_association_event(node, owner, GIST_TG_MA_IDLE, 0);
}

struct gist_association *gist_association_find(struct gist_node *node, gist_association_id id)
{
    for (struct gist_table_link *link = gist_table_first(&node->associations, id); link;
         link = gist_table_next(link)) {
        struct gist_association *association = GIST_CONTAINER(link, struct gist_association, link);
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

static struct gist_association *create(struct gist_node *node)
{
    if (node->associations.count >= node->config.associations_max)
        return NULL;
    struct gist_association *association = gist_allocate(node, sizeof(*association));
    if (!association)
        return NULL;
    association->id = free_id(node);
    association->peer_hold_ms = node->config.association_hold_ms;
    association->connecting.expire = expire_connecting;
    association->send_hello.expire = expire_send_hello;
    association->no_hello.expire = expire_no_hello;
    association->unused.expire = expire_unused;
    association->connecting.owner = association->send_hello.owner = association->no_hello.owner =
        association->unused.owner = association;
    gist_table_insert(&node->associations, &association->link, association->id);
    return association;
}

static void join_peer(struct gist_association *association, struct gist_peer *peer)
{
    association->peer = peer;
    association->peer_next = peer->associations;
    peer->associations = association;
}

static void leave_peer(struct gist_association *association)
{
    if (!association->peer)
        return;
    struct gist_association **place = &association->peer->associations;
    while (*place && *place != association)
        place = &(*place)->peer_next;
    if (*place)
        *place = association->peer_next;
}

struct gist_association *gist_association_open(
    struct gist_node *node, struct gist_peer *peer, uint16_t port, uint32_t peer_hold_ms)
{
    struct gist_association *association = create(node);
    if (!association)
        return NULL;
    association->state = GIST_AWAITING_CONNECTION;
    association->peer_hold_ms = peer_hold_ms;
    peer->references++;
    join_peer(association, peer);
    gist_timer_start(
        &node->timers, &association->connecting, node->now_ms + GIST_CONNECT_TIMEOUT_MS);
    struct gist_endpoint endpoint = {.address = peer->address, .port = port};
    if (node->transport.association_open(
            node->transport.context, association->id, GIST_STACK_TCP, &endpoint))
        return association;
    association->told_closed = true;
    gist_association_destroy(node, association);
    return NULL;
}

struct gist_association *gist_association_accept(struct gist_node *node, uint32_t interface)
{
    struct gist_association *association = create(node);
    if (!association)
        return NULL;
    association->interface = interface;
    association->state = GIST_AWAITING_CONNECTION;
    gist_association_event(node, association, GIST_TG_CONNECTED, 0);
    return association;
}

bool gist_association_bind(struct gist_node *node, struct gist_association *association,
    const struct gist_nli *nli, uint32_t peer_hold_ms)
{
    struct gist_peer *peer = gist_peer_acquire(node, nli);
    if (!peer)
        return false;
    join_peer(association, peer);
    association->peer_hold_ms = peer_hold_ms;
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

void gist_association_add_user(
    struct gist_node *node, struct gist_association *association, struct gist_routing_state *state)
{
    state->association_next = NULL;
    state->association_previous = association->last_user;
    if (association->last_user)
        association->last_user->association_next = state;
    else
        association->users = state;
    association->last_user = state;
    gist_timer_stop(&node->timers, &association->unused);
}

void gist_association_remove_user(
    struct gist_node *node, struct gist_association *association, struct gist_routing_state *state)
{
    if (state->association_previous)
        state->association_previous->association_next = state->association_next;
    else
        association->users = state->association_next;
    if (state->association_next)
        state->association_next->association_previous = state->association_previous;
    else
        association->last_user = state->association_previous;
    state->association_next = state->association_previous = NULL;
    if (!association->users && !association->dead)
        gist_timer_start(
            &node->timers, &association->unused, node->now_ms + node->config.association_hold_ms);
}

void gist_association_destroy(struct gist_node *node, struct gist_association *association)
{
    if (association->dead)
        return;
    association->dead = true;
    association->state = GIST_ASSOCIATION_DEATH;
    gist_table_remove(&node->associations, &association->link);
    gist_timer_stop(&node->timers, &association->connecting);
    gist_timer_stop(&node->timers, &association->send_hello);
    gist_timer_stop(&node->timers, &association->no_hello);
    gist_timer_stop(&node->timers, &association->unused);
    leave_peer(association);
    if (!association->told_closed)
        node->transport.association_close(node->transport.context, association->id);
    association->next_dead = node->dead_associations;
    node->dead_associations = association;
}

void gist_association_free(struct gist_node *node, struct gist_association *association)
{
    gist_message_stream_close(&association->stream, &node->allocator);
    gist_queue_clear(node, &association->queue);
    gist_peer_release(node, association->peer);
    gist_release(node, association, sizeof(*association));
}

void gist_association_fail(struct gist_node *node, struct gist_association *association)
{
    gist_association_event(node, association,
        association->state == GIST_AWAITING_CONNECTION ? GIST_ER_MA_CONNECT : GIST_ER_MA_FAILURE,
        0);
}

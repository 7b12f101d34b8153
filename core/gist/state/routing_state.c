/* The routing state table; see routing_state.h. */
#include "core/gist/state/routing_state.h"

#include "core/base/container.h"
#include "core/gist/message/mri_object.h"
#include "core/gist/state/association.h"
#include "core/gist/state/message_status.h"
#include "core/gist/state/node_share.h"
#include "core/spec/spec.h"

#include <utlist.h>

/* 8.3: the key of a state is more than its flow. */
static const struct gist_session_id *key_session(const struct gist_session_id *session_id)
{
    static const struct gist_session_id none;
    return SPEC_VALUE("RFC5971-8.3-5", 1, session_id, &none);
}

static uint64_t key_hash(
    struct gist_node *node, const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    uint8_t key[GIST_MRI_VALUE_MAX + sizeof(session_id->octets)];
    struct wire_writer writer = wire_writer_over(key, sizeof(key));
    wire_put_bytes(&writer, key_session(session_id)->octets, sizeof(session_id->octets));
    gist_mri_write(&writer, mri);
    return base_hash(node->hash_key, key, wire_written(&writer));
}

static struct gist_routing_state *state_of(struct base_table_link *link)
{
    return BASE_CONTAINER(link, struct gist_routing_state, link);
}

struct gist_routing_state *gist_routing_state_find(
    struct gist_node *node, const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    uint64_t hash = key_hash(node, mri, session_id);
    for (struct base_table_link *link = base_table_first(&node->routing_states, hash); link;
         link = base_table_next(link)) {
        struct gist_routing_state *state = state_of(link);
        if (gist_mri_equal(&state->mri, mri) &&
            gist_session_id_equal(key_session(&state->session_id), key_session(session_id)))
            return state;
    }
    return NULL;
}

struct gist_routing_state *gist_routing_state_before(
    struct gist_node *node, const struct gist_routing_state *state)
{
    struct gist_mri other_way = gist_mri_reversed(&state->mri);
    struct gist_routing_state *before =
        gist_routing_state_find(node, &other_way, &state->session_id);
    return before && before->role == GIST_RESPONDING ? before : NULL;
}

struct gist_routing_state *gist_routing_state_create(struct gist_node *node, enum gist_role role,
    const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    if (node->routing_states.count >= node->config.routing_states_max)
        return NULL;
    struct gist_routing_state *state = base_allocate(&node->allocator, sizeof(*state));
    if (!state)
        return NULL;
    state->role = role;
    state->mri = *mri;
    state->session_id = *session_id;
    state->inactive_ms = GIST_INACTIVE_MS;
    base_table_insert(&node->routing_states, &state->link, key_hash(node, mri, session_id));
    return state;
}

void gist_routing_state_destroy(
    struct gist_node *node, struct gist_routing_state *state, enum gist_message_status status)
{
    if (state->dead)
        return;
    state->dead = true;
    base_table_remove(&node->routing_states, &state->link);
    base_timer_stop(&node->timers, &state->handshake.timer);
    base_timer_stop(&node->timers, &state->validity);
    base_timer_stop(&node->timers, &state->inactive);
    gist_routing_state_use_association(node, state, NULL);
    if (state->is_charged)
        gist_node_share_give_back(node, &state->holder, GIST_SHARE_OF_ROUTING_STATES, 1);
    LL_PREPEND2(node->dead_routing_states, state, dead_next);
    gist_queue_fail(node, &state->queue, status);
}

void gist_routing_state_free(struct gist_node *node, struct gist_routing_state *state)
{
    gist_queue_clear(&node->queued, &state->queue);
    gist_peer_release(node, state->peer);
    base_release(&node->allocator, state->handshake.response, state->handshake.response_length);
    base_release(&node->allocator, state, sizeof(*state));
}

bool gist_routing_state_set_peer(
    struct gist_node *node, struct gist_routing_state *state, const struct gist_nli *nli)
{
    struct gist_peer *peer = gist_peer_acquire(node, nli);
    if (!peer)
        return false;
    gist_peer_release(node, state->peer);
    state->peer = peer;
    return true;
}

static void stop_using(struct gist_node *node, struct gist_routing_state *state)
{
    struct gist_association *association = state->association;
    state->association = NULL;
    DL_DELETE2(association->users, state, users_prev, users_next);
    if (!association->users && !association->dead)
        base_timer_start(
            &node->timers, &association->unused, node->now_ms + node->config.association_hold_ms);
}

void gist_routing_state_use_association(
    struct gist_node *node, struct gist_routing_state *state, struct gist_association *association)
{
    if (state->association == association)
        return;
    if (state->association)
        stop_using(node, state);
    if (!association || association->dead)
        return;
    state->association = association;
    DL_APPEND2(association->users, state, users_prev, users_next);
    base_timer_stop(&node->timers, &association->unused);
}

void gist_routing_state_start_timer(struct gist_node *node, struct gist_routing_state *state,
    struct base_timer *timer, uint64_t deadline_ms)
{
    if (!state->dead)
        base_timer_start(&node->timers, timer, deadline_ms);
}

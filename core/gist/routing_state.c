/* The routing state table; see routing_state.h. */
#include "core/gist/routing_state.h"

#include "core/gist/association.h"
#include "core/gist/node_state.h"
#include "core/spec/spec.h"

/* 8.3: the key of a state is more than its flow. */
static bool counts_session(void)
{
    return SPEC_ACT("RFC5971-8.3-5", 1);
}

static uint64_t key_hash(
    struct gist_node *node, const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    uint8_t key[GIST_MRI_VALUE_MAX + sizeof(session_id->octets)];
    struct wire_writer writer = wire_writer_over(key, sizeof(key));
    if (counts_session())
        wire_put_bytes(&writer, session_id->octets, sizeof(session_id->octets));
    gist_mri_write(&writer, mri);
    return gist_hash(node->hash_key, key, wire_written(&writer));
}

static struct gist_routing_state *state_of(struct gist_table_link *link)
{
    return GIST_CONTAINER(link, struct gist_routing_state, link);
}

struct gist_routing_state *gist_routing_state_find(
    struct gist_node *node, const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    uint64_t hash = key_hash(node, mri, session_id);
    for (struct gist_table_link *link = gist_table_first(&node->routing_states, hash); link;
         link = gist_table_next(link)) {
        struct gist_routing_state *state = state_of(link);
        if (gist_mri_equal(&state->mri, mri) &&
            (gist_session_id_equal(&state->session_id, session_id) || !counts_session()))
            return state;
    }
    return NULL;
}

struct gist_routing_state *gist_routing_state_create(struct gist_node *node, enum gist_role role,
    const struct gist_mri *mri, const struct gist_session_id *session_id)
{
    if (node->routing_states.count >= node->config.routing_states_max)
        return NULL;
    struct gist_routing_state *state = gist_allocate(node, sizeof(*state));
    if (!state)
        return NULL;
    state->role = role;
    state->mri = *mri;
    state->session_id = *session_id;
    state->inactive_ms = GIST_INACTIVE_MS;
    gist_table_insert(&node->routing_states, &state->link, key_hash(node, mri, session_id));
    return state;
}

void gist_routing_state_destroy(
    struct gist_node *node, struct gist_routing_state *state, enum gist_message_status status)
{
    if (state->dead)
        return;
    state->dead = true;
    gist_table_remove(&node->routing_states, &state->link);
    gist_timer_stop(&node->timers, &state->handshake.timer);
    gist_timer_stop(&node->timers, &state->validity);
    gist_timer_stop(&node->timers, &state->inactive);
    gist_routing_state_use_association(node, state, NULL);
    state->next_dead = node->dead_routing_states;
    node->dead_routing_states = state;
    gist_queue_fail(node, &state->queue, status);
}

void gist_routing_state_free(struct gist_node *node, struct gist_routing_state *state)
{
    gist_queue_clear(node, &state->queue);
    gist_peer_release(node, state->peer);
    gist_release(node, state->handshake.response, state->handshake.response_length);
    gist_release(node, state, sizeof(*state));
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

void gist_routing_state_use_association(
    struct gist_node *node, struct gist_routing_state *state, struct gist_association *association)
{
    struct gist_association *old = state->association;
    if (old == association)
        return;
    state->association = NULL;
    if (old)
        gist_association_remove_user(node, old, state);
    if (!association || association->dead)
        return;
    state->association = association;
    gist_association_add_user(node, association, state);
}

void gist_routing_state_start(struct gist_node *node, struct gist_routing_state *state,
    struct gist_timer *timer, uint64_t deadline_ms)
{
    if (!state->dead)
        gist_timer_start(&node->timers, timer, deadline_ms);
}

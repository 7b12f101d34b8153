/* core/gist: the stores of peers, associations and routing state, and the turns between which what
 * has died in them is freed. RFC 5971 4.2, 4.4.3. */
#include "core/gist/node/turn.h"
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;
static struct network_memory *memory;

static void start(void)
{
    fixture_start();
    node = row->nodes[0].gist;
    memory = network_memory(row->network);
}

TestSuite(stores, .init = start, .fini = fixture_stop);

static struct gist_nli nli_of(const char *identity, uint32_t address)
{
    return (struct gist_nli){.interface_address = gist_address_v4(address),
        .peer_identity = {(const uint8_t *)identity, strlen(identity)}};
}

/* Peers ---------------------------------------------------------------------------------------- */

Test(stores, a_peer_is_its_identity_at_its_address)
{
    static const struct {
        const char *identity;
        uint32_t address;
        bool same;
    } rows[] = {
        {"peer", 0xc6336401, true},
        {"peer", 0xc6336402, false},
        {"peep", 0xc6336401, false},
        {"pee", 0xc6336401, false},
        {"peers", 0xc6336401, false},
        {"", 0xc6336401, false},
    };
    struct gist_nli first = nli_of("peer", 0xc6336401);
    struct gist_peer *peer = gist_peer_acquire(node, &first);
    cr_assert_neq(peer->sii_handle, 0);
    cr_assert_eq(gist_peer_of_handle(node, peer->sii_handle), peer);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_nli nli = nli_of(rows[i].identity, rows[i].address);
        cr_assert_eq(gist_peer_is(peer, &nli), rows[i].same, "row %zu", i);
        cr_assert_eq(gist_peer_find(node, &nli), rows[i].same ? peer : NULL, "row %zu", i);
        struct gist_peer *acquired = gist_peer_acquire(node, &nli);
        cr_assert_eq(acquired == peer, rows[i].same, "row %zu", i);
        cr_assert_eq(acquired->sii_handle == peer->sii_handle, rows[i].same, "row %zu", i);
        gist_peer_release(node, acquired);
    }
    gist_peer_release(node, peer);
}

Test(stores, a_peer_goes_with_the_last_who_refers_to_it)
{
    struct gist_nli nli = nli_of("peer", 0xc6336401);
    size_t before = memory->outstanding;
    struct gist_peer *peer = gist_peer_acquire(node, &nli);
    gist_sii_handle handle = peer->sii_handle;
    cr_assert_eq(gist_peer_acquire(node, &nli), peer);
    gist_peer_release(node, peer);
    cr_assert_eq(gist_peer_find(node, &nli), peer);
    gist_peer_release(node, peer);
    cr_assert_null(gist_peer_find(node, &nli));
    cr_assert_null(gist_peer_of_handle(node, handle));
    cr_assert_leq(memory->outstanding, before + 2, "the tables of the node, and no peer");
    gist_peer_release(node, NULL);
    peer = gist_peer_acquire(node, &nli);
    cr_assert_neq(peer->sii_handle, handle, "a handle is not used again");
    gist_peer_release(node, peer);
    cr_assert_eq(memory->wrong_lengths, 0);
}

/* Associations --------------------------------------------------------------------------------- */

Test(stores, an_association_that_is_bound_is_its_peers)
{
    struct gist_nli nli = nli_of("peer", 0xc6336401);
    struct gist_association *association = gist_association_create(node, GIST_STACK_TCP);
    cr_assert_eq(association->state, GIST_AWAITING_CONNECTION);
    cr_assert_eq(association->peer_hold_ms, 30000, "as our own, until the peer says it");
    cr_assert_not(association->configured);
    cr_assert(gist_association_bind(node, association, &nli, 7000));
    cr_assert(association->configured);
    cr_assert_eq(association->peer_hold_ms, 7000);
    cr_assert(association->peer && gist_peer_is(association->peer, &nli));
    cr_assert_eq(association->peer->references, 1);
    cr_assert_eq(gist_association_of_peer(association->peer, false, GIST_STACK_TCP), association);
    struct gist_peer *peer = gist_peer_acquire(node, &nli);
    gist_association_destroy(node, association);
    cr_assert_null(peer->associations);
    gist_node_bury(node);
    cr_assert_eq(peer->references, 1);
    gist_peer_release(node, peer);
}

Test(stores, an_association_is_not_bound_without_memory)
{
    struct gist_nli nli = nli_of("peer", 0xc6336401);
    struct gist_association *association = gist_association_create(node, GIST_STACK_TCP);
    memory->fail_at = memory->allocations + 1;
    cr_assert_not(gist_association_bind(node, association, &nli, 7000));
    cr_assert_null(association->peer);
    cr_assert_not(association->configured);
    cr_assert_eq(association->peer_hold_ms, 30000);
}

Test(stores, no_more_associations_than_the_limit_and_each_with_an_id_of_its_own)
{
    node->config.associations_max = 4;
    node->last_association = UINT32_MAX - 2; /* 0 is none */
    static const gist_association_id ids[] = {UINT32_MAX - 1, UINT32_MAX, 1, 2};
    struct gist_association *created[4];
    for (size_t i = 0; i < 4; i++) {
        created[i] = gist_association_create(node, GIST_STACK_TCP);
        cr_assert(created[i] && created[i]->id == ids[i], "%zu", i);
        cr_assert_eq(gist_association_find(node, ids[i]), created[i]);
    }
    cr_assert_null(gist_association_create(node, GIST_STACK_TCP));
    gist_association_destroy(node, created[1]);
    cr_assert_null(gist_association_find(node, UINT32_MAX));
    node->last_association = UINT32_MAX - 2;
    cr_assert_eq(gist_association_create(node, GIST_STACK_TCP)->id, UINT32_MAX,
        "the ids in use are passed over");
    gist_association_destroy(node, created[0]);
    memory->fail_at = memory->allocations + 1;
    cr_assert_null(gist_association_create(node, GIST_STACK_TCP));
}

/* 4.4.3: a Response needs one that is connected. The last that was made comes first. */
Test(stores, an_association_may_be_used_again_as_its_state_allows)
{
    static const struct {
        enum gist_association_state older, newer;
        int any, connected; /* 0: the older, 1: the newer, -1: none */
    } rows[] = {
        {GIST_AWAITING_CONNECTION, GIST_AWAITING_CONNECTION, 1, -1},
        {GIST_CONNECTED, GIST_AWAITING_CONNECTION, 1, 0},
        {GIST_AWAITING_CONNECTION, GIST_CONNECTED, 1, 1},
        {GIST_IDLE, GIST_AWAITING_CONNECTION, 1, 0},
        {GIST_CONNECTED, GIST_IDLE, 1, 1},
    };
    struct gist_nli nli = nli_of("peer", 0xc6336401);
    struct gist_association *made[2];
    for (size_t i = 0; i < 2; i++) {
        made[i] = gist_association_create(node, GIST_STACK_TCP);
        cr_assert(gist_association_bind(node, made[i], &nli, 7000));
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        made[0]->state = rows[i].older;
        made[1]->state = rows[i].newer;
        struct gist_peer *peer = made[0]->peer;
        cr_assert_eq(
            gist_association_of_peer(peer, false, GIST_STACK_TCP), made[rows[i].any], "row %zu", i);
        cr_assert_eq(gist_association_of_peer(peer, true, GIST_STACK_TCP),
            rows[i].connected < 0 ? NULL : made[rows[i].connected], "row %zu", i);
    }
    cr_assert_null(gist_association_of_peer(NULL, false, GIST_STACK_TCP));
}

static gist_association_id closed[4];
static size_t closed_count;

static void note_closed(void *context, gist_association_id id)
{
    (void)context;
    if (closed_count < 4)
        closed[closed_count++] = id;
}

Test(stores, the_transport_hears_once_of_an_end_that_it_does_not_know)
{
    node->transport.association_close = note_closed;
    struct gist_association *one = gist_association_create(node, GIST_STACK_TCP);
    struct gist_association *other = gist_association_create(node, GIST_STACK_TCP);
    other->told_closed = true;
    gist_association_destroy(node, one);
    gist_association_destroy(node, one);
    gist_association_destroy(node, other);
    cr_assert_eq(closed_count, 1);
    cr_assert_eq(closed[0], one->id);
    cr_assert(one->dead && other->dead);
    cr_assert_eq(gist_node_counters(node).associations, 0);
}

/* Routing state -------------------------------------------------------------------------------- */

Test(stores, routing_state_is_found_by_flow_direction_and_session)
{
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_QUERYING, &mri, &session);
    struct gist_mri other_flow = mri, other_direction = gist_mri_reversed(&mri);
    struct gist_session_id other_session = row_session(2);
    other_flow.destination_port++;
    cr_assert_eq(state->inactive_ms, GIST_INACTIVE_MS);
    cr_assert_eq(gist_routing_state_find(node, &mri, &session), state);
    cr_assert_null(gist_routing_state_find(node, &other_flow, &session));
    cr_assert_null(gist_routing_state_find(node, &other_direction, &session));
    cr_assert_null(gist_routing_state_find(node, &mri, &other_session));
    node->config.routing_states_max = 1;
    cr_assert_null(gist_routing_state_create(node, GIST_QUERYING, &other_flow, &session));
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_null(gist_routing_state_find(node, &mri, &session));
    memory->fail_at = memory->allocations + 1;
    cr_assert_null(gist_routing_state_create(node, GIST_QUERYING, &mri, &session));
}

/* Where two keys have one hash. */
Test(stores, routing_state_is_not_found_by_its_hash_alone)
{
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_QUERYING, &mri, &session);
    state->mri.destination_port++;
    cr_assert_null(gist_routing_state_find(node, &mri, &session));
    state->mri.destination_port--;
    state->session_id = row_session(2);
    cr_assert_null(gist_routing_state_find(node, &mri, &session));
    state->session_id = session;
    cr_assert_eq(gist_routing_state_find(node, &mri, &session), state);
}

Test(stores, routing_state_that_ends_fails_what_waits_once_and_starts_no_timer)
{
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_QUERYING, &mri, &session);
    struct gist_outgoing waits = {.data = (const uint8_t *)"text", .length = 4, .handle = 9};
    cr_assert(gist_queue_put(&node->queued, &state->queue, &waits));
    struct base_timer *timers[] = {&state->handshake.timer, &state->validity, &state->inactive};
    for (size_t i = 0; i < 3; i++)
        gist_routing_state_start_timer(node, state, timers[i], node->now_ms + 100);
    gist_routing_state_destroy(node, state, GIST_STATUS_CONNECT_FAILED);
    gist_routing_state_destroy(node, state, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_eq(gist_node_counters(node).routing_states, 0);
    cr_assert(node->dead_routing_states == state && !state->dead_next);
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].handle, 9);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_CONNECT_FAILED);
    cr_assert_eq(node->queued.octets, 0);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_not(timers[i]->running, "timer %zu", i);
        gist_routing_state_start_timer(node, state, timers[i], node->now_ms + 100);
        cr_assert_not(timers[i]->running, "timer %zu, of the dead", i);
    }
}

Test(stores, routing_state_keeps_its_peer_where_there_is_no_memory_for_another)
{
    struct gist_nli first = nli_of("first", 0xc6336401), second = nli_of("second", 0xc6336402);
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_QUERYING, &mri, &session);
    cr_assert(gist_routing_state_set_peer(node, state, &first));
    cr_assert(gist_routing_state_set_peer(node, state, &first));
    cr_assert_eq(state->peer->references, 1);
    memory->fail_at = memory->allocations + 1;
    cr_assert_not(gist_routing_state_set_peer(node, state, &second));
    cr_assert(gist_peer_is(state->peer, &first));
    memory->fail_at = 0;
    cr_assert(gist_routing_state_set_peer(node, state, &second));
    cr_assert(gist_peer_is(state->peer, &second));
    cr_assert_null(gist_peer_find(node, &first));
}

Test(stores, an_association_waits_for_its_end_only_while_nobody_uses_it)
{
    struct gist_association *association = gist_association_create(node, GIST_STACK_TCP);
    struct gist_routing_state *states[2];
    for (uint8_t i = 0; i < 2; i++) {
        struct gist_session_id id = row_session(i);
        states[i] = gist_routing_state_create(node, GIST_QUERYING, &mri, &id);
        gist_routing_state_use_association(node, states[i], association);
        cr_assert_eq(states[i]->association, association);
    }
    gist_routing_state_use_association(node, states[0], NULL);
    cr_assert_not(association->unused.running);
    gist_routing_state_destroy(node, states[1], GIST_STATUS_NO_NEXT_NODE);
    cr_assert(association->unused.running);
    cr_assert_eq(association->unused.deadline_ms, node->now_ms + 30000);
    gist_association_destroy(node, association);
    gist_routing_state_use_association(node, states[0], association);
    cr_assert_null(states[0]->association, "nobody uses a dead one");
}

/* Whether the association's list has these users, forwards and backwards, and no others. */
static void expect_users(
    const struct gist_association *association, struct gist_routing_state *users[], size_t count)
{
    struct gist_routing_state *user = association->users;
    for (size_t i = 0; i < count; i++, user = user->users_next)
        cr_assert_eq(user, users[i], "%zu of %zu", i, count);
    cr_assert_null(user);
    if (count > 0)
        cr_assert_eq(association->users->users_prev, users[count - 1], "the last of %zu", count);
}

Test(stores, an_association_knows_its_users_in_whatever_order_they_leave)
{
    static const size_t orders[][3] = {
        {0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (size_t order = 0; order < sizeof(orders) / sizeof(orders[0]); order++) {
        struct gist_association *association = gist_association_create(node, GIST_STACK_TCP);
        struct gist_routing_state *states[3], *users[3];
        for (uint8_t i = 0; i < 3; i++) {
            struct gist_session_id id = row_session(i);
            users[i] = states[i] = gist_routing_state_create(node, GIST_QUERYING, &mri, &id);
            gist_routing_state_use_association(node, states[i], association);
        }
        expect_users(association, users, 3);
        for (size_t left = 3; left > 0; left--) {
            struct gist_routing_state *leaving = states[orders[order][3 - left]];
            gist_routing_state_use_association(node, leaving, NULL);
            size_t kept = 0;
            for (size_t i = 0; i < left; i++)
                if (users[i] != leaving)
                    users[kept++] = users[i];
            expect_users(association, users, kept);
            cr_assert_eq(association->unused.running, kept == 0);
        }
        gist_routing_state_use_association(node, states[1], association);
        expect_users(association, &states[1], 1);
        for (size_t i = 0; i < 3; i++)
            gist_routing_state_destroy(node, states[i], GIST_STATUS_NO_NEXT_NODE);
        expect_users(association, NULL, 0);
        gist_association_destroy(node, association);
        gist_node_bury(node);
    }
}

/* Turns ---------------------------------------------------------------------------------------- */

static uint64_t deadlines[8];
static size_t deadline_count;

static void note_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    if (deadline_count < 8)
        deadlines[deadline_count++] = deadline_ms;
}

Test(stores, what_dies_in_a_turn_is_freed_at_its_outermost_end)
{
    size_t before = memory->outstanding;
    gist_node_enter(node, node->now_ms);
    gist_node_enter(node, node->now_ms);
    gist_association_destroy(node, gist_association_create(node, GIST_STACK_TCP));
    gist_routing_state_destroy(node, gist_routing_state_create(node, GIST_QUERYING, &mri, &session),
        GIST_STATUS_NO_NEXT_NODE);
    size_t within = memory->outstanding;
    gist_node_leave(node);
    cr_assert_eq(memory->outstanding, within);
    gist_node_leave(node);
    cr_assert_eq(memory->outstanding, within - 2);
    cr_assert_geq(memory->outstanding, before);
    cr_assert(!node->dead_routing_states && !node->dead_associations);
}

Test(stores, a_turn_tells_the_transport_of_a_deadline_that_is_new)
{
    static struct base_timer early, late;
    uint64_t now_ms = node->now_ms;
    node->transport.set_deadline = note_deadline;
    gist_node_enter(node, now_ms + 10);
    cr_assert_eq(node->now_ms, now_ms + 10);
    gist_node_enter(node, now_ms + 5);
    cr_assert_eq(node->now_ms, now_ms + 10, "time never goes back");
    base_timer_start(&node->timers, &late, now_ms + 200);
    gist_node_leave(node);
    cr_assert_eq(deadline_count, 0, "not from within");
    gist_node_leave(node);
    cr_assert(deadline_count == 1 && deadlines[0] == now_ms + 200);
    gist_node_enter(node, now_ms);
    gist_node_leave(node);
    cr_assert_eq(deadline_count, 1, "the same is not told again");
    gist_node_enter(node, now_ms);
    base_timer_start(&node->timers, &early, now_ms + 100);
    gist_node_leave(node);
    cr_assert(deadline_count == 2 && deadlines[1] == now_ms + 100);
    gist_node_enter(node, now_ms);
    base_timer_stop(&node->timers, &early);
    base_timer_stop(&node->timers, &late);
    gist_node_leave(node);
    cr_assert(deadline_count == 3 && deadlines[2] == GIST_NO_DEADLINE);
}

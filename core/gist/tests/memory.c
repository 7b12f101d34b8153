/* core/gist: memory that fails, and memory that comes back. */
#include "core/gist/state/node_state.h"
#include "core/gist/tests/pair.h"
#include "core/spec/tests/verify.h"

#include <criterion/criterion.h>

/* Whatever happens in it, nothing may crash, leak or be released wrongly. */
static void live(struct row *row)
{
    struct gist_mri mri = row_mri(row);
    struct gist_session_id sessions[3] = {row_session(1), row_session(2), row_session(3)};
    row->nodes[1].replies = true;
    for (size_t i = 0; i < 3; i++) {
        row_send(row, 0, &mri, &sessions[i], "first", i != 2);
        network_run_for(row->network, 100);
        row_send(row, 0, &mri, &sessions[i], "second, which is longer", true);
        network_run_for(row->network, 20000);
    }
    network_break_streams(row->nodes[0].place);
    network_run_for(row->network, 100);
    row_send(row, 0, &mri, &sessions[0], "after the break", true);
    network_run_for(row->network, 400000);
}

static size_t allocations_of_a_life(void)
{
    struct gist_node_config config = row_config();
    struct row *row = row_create(2, &config);
    live(row);
    size_t allocations = network_memory(row->network)->allocations;
    row_destroy(row);
    return allocations;
}

/* Nobody has a share of anything any more. */
static void expect_shares_given_back(const struct gist_node *node, size_t fail_at)
{
    for (enum gist_share_of what = GIST_SHARE_OF_ROUTING_STATES; what < GIST_SHARE_KINDS; what++)
        for (size_t i = 0; i < BASE_SHARE_ROWS * BASE_SHARE_CELLS; i++)
            cr_assert_eq(node->shares[what].cells[i].taken, 0, "allocation %zu failed: %d is kept",
                fail_at, what);
}

static void live_with_failure(size_t fail_at, bool from_then)
{
    struct gist_node_config config = row_config();
    struct row *row = row_create_failing(2, &config, 0);
    struct network_memory *memory = network_memory(row->network);
    size_t before = memory->outstanding;
    size_t octets = memory->octets;
    memory->fail_at = memory->allocations + fail_at;
    memory->fail_from_then = from_then;
    live(row);
    cr_assert_eq(memory->outstanding, before, "allocation %zu failed: %zu blocks, not %zu", fail_at,
        memory->outstanding, before);
    cr_assert_eq(memory->octets, octets);
    cr_assert_eq(memory->wrong_lengths, 0);
    expect_shares_given_back(row->nodes[0].gist, fail_at);
    expect_shares_given_back(row->nodes[1].gist, fail_at);
    row_destroy(row);
}

Test(memory, each_allocation_in_turn_may_fail)
{
    size_t allocations = allocations_of_a_life();
    cr_assert_gt(allocations, 20);
    for (size_t fail_at = 1; fail_at <= allocations; fail_at++)
        live_with_failure(fail_at, false);
}

Test(memory, all_allocations_from_one_on_may_fail)
{
    size_t allocations = allocations_of_a_life();
    for (size_t fail_at = 1; fail_at <= allocations; fail_at++)
        live_with_failure(fail_at, true);
}

Test(memory, a_node_without_memory_is_not_made)
{
    struct gist_node_config config = row_config();
    struct row *row = row_create_failing(1, &config, 1);
    cr_assert_null(row->nodes[0].gist);
    row_destroy(row);
}

Test(memory, everything_is_released_when_the_node_goes_in_the_middle)
{
    struct gist_node_config config = row_config();
    for (uint64_t stop_ms = 0; stop_ms < 60; stop_ms += 5) {
        struct row *row = row_create(2, &config);
        struct gist_mri mri = row_mri(row);
        struct gist_session_id session = row_session(1);
        row_send(row, 0, &mri, &session, "some text", true);
        network_run_for(row->network, stop_ms);
        gist_node_destroy(row->nodes[0].gist);
        gist_node_destroy(row->nodes[1].gist);
        row->nodes[0].gist = row->nodes[1].gist = NULL;
        row->nodes[0].place->node = row->nodes[1].place->node = NULL;
        cr_assert_eq(network_memory(row->network)->outstanding, 0);
        row_destroy(row);
    }
}

Test(memory, thousands_of_sessions_come_and_go)
{
    enum { SESSIONS = 5000 };
    struct gist_node_config config = row_config();
    config.datagrams_per_second = 0;
    config.stranger_queries_per_second = config.interface_queries_per_second = 0;
    config.stranger_messages_per_second = config.interface_messages_per_second = 0;
    config.routing_states_per_stranger_max = SESSIONS;
    struct row *row = row_create(2, &config);
    struct gist_mri mri = row_mri(row);
    struct network_memory *memory = network_memory(row->network);
    size_t before = memory->octets;
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct gist_session_id session = row_session(1);
        session.octets[14] = (uint8_t)(i >> 8);
        session.octets[15] = (uint8_t)i;
        cr_assert_eq(row_send(row, 0, &mri, &session, "data", true), GIST_SENT);
    }
    network_run_for(row->network, 1000);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, SESSIONS);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 1);
    network_run_for(row->network, 600000);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 0);
    cr_assert_eq(memory->octets, before);
    row_destroy(row);
}

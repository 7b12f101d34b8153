/* Two hours of a thousand sessions over the real GIST: all of them live as long as their initiator
 * refreshes them, and no node needs more memory for it than it did at first. */
#include "core/natfw/tests/path.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum {
    MINUTE_MS = 60000,
    LIFETIME_S = 3600,
    NODES = 3,
    SESSIONS = 1000,
    FEWER = 200,
    APART_MS = 20
};

static struct path *path;
static struct gist_session_id sessions[SESSIONS];

static void start(void)
{
    struct gist_node_config config = gist_node_config_default();
    path = path_create(NODES, &config);
}

static void stop(void)
{
    path_destroy(path);
}

TestSuite(hours, .init = start, .fini = stop);

static void open_all(size_t count, bool refresh)
{
    for (size_t i = 0; i < count; i++) {
        path->source_port = (uint16_t)(4000 + i);
        sessions[i] = path_open(path, path->nodes[2].address, LIFETIME_S, refresh);
        network_run_for(path->network, APART_MS);
    }
}

static void expect_all_known(size_t count, bool known)
{
    for (size_t node = 0; node < NODES; node++)
        for (size_t i = 0; i < count; i++)
            cr_assert_eq(
                path_knows(path, node, &sessions[i]), known, "session %zu at node %zu", i, node);
}

static void close_all(void)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        uint64_t now_ms = network_now_ms(path->network);
        cr_assert_eq(natfw_node_close(path->nodes[0].natfw, now_ms, &sessions[i]), NATFW_OK);
        network_run_for(path->network, APART_MS);
    }
}

static struct network_memory memory(void)
{
    return *network_memory(path->network);
}

/* What is on its way differs from one look to the next: a hundredth more is no growth. */
static void expect_no_more_than(const struct network_memory *first, unsigned minute)
{
    struct network_memory now = memory();
    cr_assert_leq(now.outstanding, first->outstanding + first->outstanding / 100,
        "%zu blocks in minute %u, %zu at first", now.outstanding, minute, first->outstanding);
    cr_assert_leq(now.octets, first->octets + first->octets / 100,
        "%zu octets in minute %u, %zu at first", now.octets, minute, first->octets);
}

static void expect_as_at(const struct network_memory *before)
{
    struct network_memory now = memory();
    cr_assert_eq(now.outstanding, before->outstanding);
    cr_assert_eq(now.octets, before->octets);
}

Test(hours, a_thousand_refreshed_sessions_live_two_hours_in_the_same_memory)
{
    struct network_memory before = memory();
    open_all(SESSIONS, true);
    network_run_for(path->network, 10 * MINUTE_MS);
    struct network_memory first = memory();
    for (unsigned minute = 20; minute <= 120; minute += 10) {
        network_run_for(path->network, 10 * MINUTE_MS);
        expect_all_known(SESSIONS, true);
        expect_no_more_than(&first, minute);
    }
    struct network_memory last = memory();
    fprintf(stderr, "%zu octets in %zu blocks after ten minutes, %zu in %zu after two hours\n",
        first.octets, first.outstanding, last.octets, last.outstanding);
    close_all();
    network_run_for(path->network, 10 * MINUTE_MS);
    expect_all_known(SESSIONS, false);
    expect_as_at(&before);
}

Test(hours, sessions_that_run_out_after_others_that_did_leave_nothing)
{
    struct network_memory before = memory();
    for (int wave = 0; wave < 2; wave++) {
        open_all(FEWER, false);
        network_run_for(path->network, 10 * MINUTE_MS);
        expect_all_known(FEWER, true);
        network_run_for(path->network, 60 * MINUTE_MS);
        expect_all_known(FEWER, false);
        expect_as_at(&before);
    }
}

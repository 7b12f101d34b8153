/* core/gist: how long routing state is valid, and when it is refreshed. RFC 5971 4.4.4. */
#include "core/gist/state/validity.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;

static void start(void)
{
    fixture_start();
    node = row->nodes[0].gist;
}

TestSuite(validity, .init = start, .fini = fixture_stop);

/* Two messages for each state within its time are what the rate limit has to allow. */
Test(validity, is_longer_where_many_states_share_the_rate_limit)
{
    VERIFIES("RFC5971-4.4.4-4");
    static const struct {
        uint32_t configured_ms, per_second;
        size_t states;
        uint32_t validity_ms;
    } rows[] = {
        {30000, 1000, 0, 30000},
        {30000, 1000, 1, 30000},
        {30000, 1000, 15000, 30000},
        {30000, 1000, 15001, 30002},
        {30000, 1000, 100000, 200000},
        {30000, 10, 1000, 200000},
        {1, 1000, 1, 2},
        {1, 3, 1, 666},
        {30000, 0, 100000, 30000},
        {UINT32_MAX, 1000, 1, UINT32_MAX},
        {30000, 1, 2147483, 4294966000},
        {30000, 1, 2147484, UINT32_MAX},
        {30000, 1, SIZE_MAX / 4000, UINT32_MAX},
    };
    size_t before = node->routing_states.count;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        node->config.routing_state_validity_ms = rows[i].configured_ms;
        node->config.datagrams_per_second = rows[i].per_second;
        node->routing_states.count = rows[i].states;
        REQUIRE("RFC5971-4.4.4-4", gist_validity_ms(node) == rows[i].validity_ms);
    }
    node->routing_states.count = before;
}

static uint64_t drawn;
static bool no_randomness;

static bool draw(void *context, uint8_t *octets, size_t length)
{
    (void)context;
    cr_assert_eq(length, sizeof(drawn));
    memcpy(octets, &drawn, length);
    return !no_randomness;
}

Test(validity, ends_in_a_refresh_between_half_and_three_quarters_of_it)
{
    static const struct {
        uint64_t drawn, validity_ms, after_ms;
    } rows[] = {
        {0, 30000, 15000},
        {1, 30000, 15001},
        {7500, 30000, 22500},
        {7501, 30000, 15000},
        {UINT64_MAX, 30000, 15000 + UINT64_MAX % 7501},
        {5, 0, 0},
        {5, 1, 0},
        {1, 4, 3},
        {2, 4, 2},
        {0, UINT32_MAX, UINT32_MAX / 2},
    };
    node->crypto.random = draw;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        drawn = rows[i].drawn;
        uint64_t after_ms = gist_refresh_moment(node, rows[i].validity_ms) - node->now_ms;
        cr_assert_eq(after_ms, rows[i].after_ms, "row %zu: %llu", i, (unsigned long long)after_ms);
    }
    cr_assert_geq(node->now_ms, UINT64_C(1) << 40);
}

Test(validity, without_randomness_the_refresh_comes_at_the_earliest_moment)
{
    node->crypto.random = draw;
    no_randomness = true;
    drawn = 1234;
    cr_assert_eq(gist_refresh_moment(node, 30000), node->now_ms + 15000);
}

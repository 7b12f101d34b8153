/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A natfwd that is stopped for a while and goes on, as by SIGSTOP, a debugger, or a machine that is
 * paused: what has lifetime left lives, what has none is gone. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Of a lifetime of six seconds the stop leaves some, and of what GIST keeps nothing where its times
 * are short: what a minute does to the times that are usual. */
#define SHORT      "lifetime_min_s = 1\n"
#define SHORT_GIST SHORT "routing_state_validity_ms = 1000\nassociation_hold_ms = 1000\n"
#define UNLIMITED  "log_lines_per_kind = 0\nlog_lines_per_peer = 0\n"
enum { STOP_MS = 3000, LIFETIME_MS = 6000 };

/* The kernel has the pinhole meanwhile. */
static void expect_open_for(const struct flow *flow, uint64_t time_ms)
{
    expect_open_until(flow, clock_now_ms() + time_ms);
}

static void expect_closed_by_request(const struct network *network, const struct flow *flow)
{
    json_decref(control_ok(network, LEFT, "close --all"));
    wait_until_closed(flow);
}

struct stop {
    enum node which;
    bool gist_is_short;
};

ParameterizedTestParameters(pause, keeps_every_session_that_has_lifetime_left)
{
    static struct stop stops[] = {{LEFT, false}, {MIDDLE, false}, {RIGHT, false}, {LEFT, true},
        {MIDDLE, true}, {RIGHT, true}};
    return cr_make_param_array(struct stop, stops, sizeof(stops) / sizeof(stops[0]));
}

ParameterizedTest(struct stop *stop, pause, keeps_every_session_that_has_lifetime_left)
{
    const char *times = stop->gist_is_short ? SHORT_GIST : SHORT;
    struct network network = network_start(times, times);
    struct flow flow = make_flow(&network, 5000);
    cr_log_info("%s, %s", node_names[stop->which], times);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 6"));
    kill(network.daemons[stop->which], SIGSTOP);
    expect_open_for(&flow, STOP_MS);
    kill(network.daemons[stop->which], SIGCONT);
    expect_open_for(&flow, LIFETIME_MS);
    for (enum node which = LEFT; which < NODE_COUNT; which++)
        cr_assert(sessions_at(&network, which) == 1, "%s", node_names[which]);
    expect_closed_by_request(&network, &flow);
    network_stop(&network);
}

Test(pause, leaves_nothing_of_a_session_that_ended_meanwhile)
{
    struct network network = network_start(SHORT, SHORT);
    struct flow lasting = make_flow(&network, 5000), ending = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    json_decref(control_ok(&network, LEFT,
        "open --from 192.0.2.2:4001 --to 198.51.100.2:5001 --protocol udp --timeout 20 "
        "--lifetime 6 --no-refresh"));
    cr_assert(passes(ending.left, ending.right, PATIENCE_MS));
    kill(network.daemons[MIDDLE], SIGSTOP);
    wait_until_closed(&ending);
    kill(network.daemons[MIDDLE], SIGCONT);
    cr_assert(sessions_at(&network, MIDDLE) == 1);
    cr_assert(passes(lasting.left, lasting.right, PATIENCE_MS));
    cr_assert(!passes(ending.left, ending.right, SILENCE_MS));
    network_stop(&network);
}

/* Of CREATEs that the firewall has heard. */
static size_t requests_heard(const struct network *network)
{
    char *count = output_of("grep -c ' requested ' %s/middle.log || true", network->directory);
    size_t requests = strtoul(count, NULL, 10);
    free(count);
    return requests;
}

static json_int_t longest_turn_us(const struct network *network, enum node which)
{
    json_t *reply = control_ok(network, which, "stats");
    json_int_t longest =
        json_integer_value(json_object_get(json_object_get(reply, "loop"), "longest_turn_us"));
    json_decref(reply);
    return longest;
}

/* All refreshes are due at once, two or three times over. */
Test(pause, is_followed_by_one_request_of_each_session_and_no_storm)
{
    enum { SESSIONS = 60, A_PERIOD_MS = 500 };
    struct network network = network_start(SHORT UNLIMITED, SHORT UNLIMITED);
    struct flow flow = make_flow(&network, 5000);
    for (unsigned i = 0; i < SESSIONS; i++) {
        char open[TEXT_MAX];
        snprintf(open, sizeof(open),
            "open --from 192.0.2.2:%u --to 198.51.100.2:%u --protocol udp --timeout 20 "
            "--lifetime 12",
            4000 + i, 5000 + i);
        json_decref(control_ok(&network, LEFT, open));
    }
    kill(network.daemons[LEFT], SIGSTOP);
    expect_open_for(&flow, STOP_MS);
    size_t before = requests_heard(&network);
    kill(network.daemons[LEFT], SIGCONT);
    expect_open_for(&flow, A_PERIOD_MS);
    size_t requests = requests_heard(&network) - before;
    cr_assert(requests >= SESSIONS / 2 && requests <= SESSIONS + SESSIONS / 2, "%zu", requests);
    for (enum node which = LEFT; which < NODE_COUNT; which++) {
        cr_assert(sessions_at(&network, which) == SESSIONS, "%s", node_names[which]);
        cr_assert(longest_turn_us(&network, which) < 50000, "%s", node_names[which]);
    }
    network_stop(&network);
}

/* So does a watchdog: a natfwd that is stopped is ended by SIGKILL, and another one started. */
Test(pause, that_a_watchdog_ends_keeps_sessions_as_well)
{
    struct network network = network_start(SHORT, SHORT);
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 6"));
    kill(network.daemons[MIDDLE], SIGSTOP);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    end_daemon(&network, MIDDLE, SIGKILL);
    start_daemon(&network, MIDDLE);
    expect_open_for(&flow, LIFETIME_MS);
    cr_assert(sessions_at(&network, MIDDLE) == 1);
    network_stop(&network);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwd and natfwctl as a user runs them: a pinhole from opening to its end. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

Test(node, opens_a_pinhole_that_lasts_until_it_is_closed)
{
    char command[TEXT_MAX];
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    json_t *opened = control_ok(&network, 0, OPEN "--lifetime 60");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    cr_assert(passes(flow.right, flow.left, PATIENCE_MS));
    for (size_t i = 0; i < 3; i++)
        cr_assert(sessions_at(&network, i) == 1);
    snprintf(command, sizeof(command), "show %.6s", session_of(opened));
    json_decref(control_ok(&network, 1, command));
    snprintf(command, sizeof(command), "close %.6s", session_of(opened));
    json_decref(control_ok(&network, 0, command));
    wait_until_closed(&flow);
    cr_assert(!passes(flow.right, flow.left, SILENCE_MS));
    for (size_t i = 0; i < 3; i++)
        cr_assert(sessions_at(&network, i) == 0);
    json_decref(opened);
    network_stop(&network);
}

Test(node, refreshes_a_session_for_as_long_as_it_is_wanted)
{
    struct network network = network_start("lifetime_min_s = 1", "lifetime_min_s = 1");
    struct flow flow = make_flow(&network, 5000);
    uint64_t start_ms = clock_now_ms();
    json_decref(control_ok(&network, 0, OPEN "--lifetime 2"));
    expect_open_until(&flow, start_ms + 5000);
    cr_assert(sessions_at(&network, 1) == 1);
    network_stop(&network);
}

Test(node, lets_a_session_expire_that_is_not_refreshed)
{
    struct network network = network_start("lifetime_min_s = 1", "lifetime_min_s = 1");
    struct flow flow = make_flow(&network, 5000);
    uint64_t start_ms = clock_now_ms();
    json_decref(control_ok(&network, 0, OPEN "--lifetime 2 --no-refresh"));
    uint64_t opened_ms = clock_now_ms();
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    wait_until_closed(&flow);
    cr_assert(clock_now_ms() - opened_ms < 3000, "data passes after the lifetime");
    cr_assert(clock_now_ms() - start_ms > 1800);
    network_stop(&network);
}

Test(node, says_why_the_path_refused)
{
    int status;
    struct network network = network_start(
        "policy {\n rule \"no\" {\n ports = \"5000\"\n answer = \"7/0x04\"\n }\n}", "");
    struct flow flow = make_flow(&network, 5000);
    json_t *reply = control(&network, 0, OPEN, &status);
    cr_assert(status == 1);
    json_t *answer = json_object_get(reply, "answer");
    cr_assert(json_integer_value(json_object_get(answer, "class")) == 7);
    cr_assert(json_integer_value(json_object_get(answer, "code")) == 4);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    json_decref(reply);
    json_decref(control(&network, 0, "show ffff", &status));
    cr_assert(status == 2);
    network_stop(&network);
    json_decref(control(&network, 0, "list", &status));
    cr_assert(status == 3);
}

Test(node, is_not_disturbed_by_another_that_cannot_start)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, 0, OPEN "--lifetime 60"));
    char *second = output_of("cd %s && sed s/middle.sock/second.sock/ middle.conf >second.conf && "
                             "%s -c second.conf 2>&1; echo \" $?\"; nft list tables",
        network.directory, getenv("NATFWD"));
    cr_assert(strstr(second, "UDP port 270: Address already in use"), "%s", second);
    cr_assert(strstr(second, " 1\n"), "%s", second);
    cr_assert(strstr(second, "table inet natfw\n"), "the ruleset is gone: %s", second);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    free(second);
    network_stop(&network);
}

Test(node, closes_its_pinholes_on_time_also_when_it_is_dead)
{
    struct network network = network_start("lifetime_min_s = 1", "lifetime_min_s = 1");
    struct flow flow = make_flow(&network, 5000);
    uint64_t start_ms = clock_now_ms();
    json_decref(control_ok(&network, 0, OPEN "--lifetime 3 --no-refresh"));
    end_daemon(&network, MIDDLE, SIGKILL);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    cr_assert(clock_now_ms() - start_ms < 2500, "too late to tell");
    while (passes(flow.left, flow.right, SILENCE_MS))
        cr_assert(clock_now_ms() - start_ms < 4000, "data passes after the lifetime");
    cr_assert(clock_now_ms() - start_ms > 2800);
    start_daemon(&network, MIDDLE);
    network_stop(&network);
}

Test(node, cannot_open_what_another_table_drops)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, 0, OPEN));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    run("nft add table inet other && nft 'add chain inet other forward "
        "{ type filter hook forward priority 10; policy drop; }'");
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS), "its policy does not count");
    run("nft add rule inet other forward iifname { inside, outside } accept");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    run("nft delete table inet other");
    network_stop(&network);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a firewall leaves in the kernel when its daemon ends, however that happens. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct ending {
    const char *name;
    int signal_number;
};

ParameterizedTestParameters(staying, whatever_ends_it_what_was_closed_stays_closed)
{
    static struct ending endings[] = {
        {"stop", SIGTERM}, {"interrupt", SIGINT}, {"kill", SIGKILL}, {"crash", SIGSEGV}};
    return cr_make_param_array(struct ending, endings, 4);
}

ParameterizedTest(struct ending *ending, staying, whatever_ends_it_what_was_closed_stays_closed)
{
    struct network network = network_start("", "");
    struct flow open = make_flow(&network, 5000), closed = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    end_daemon(&network, MIDDLE, ending->signal_number);
    cr_assert(passes(open.left, open.right, PATIENCE_MS), "%s", ending->name);
    cr_assert(passes(open.right, open.left, PATIENCE_MS), "%s", ending->name);
    cr_assert(!passes(closed.left, closed.right, SILENCE_MS), "%s", ending->name);
    cr_assert(!passes(closed.right, closed.left, SILENCE_MS), "%s", ending->name);
    network_stop(&network);
}

/* An address of IPv6 at each end, and the way between them. */
static struct flow make_ipv6_flow(const struct network *network)
{
    const struct path *path = &network->path;
    namespace_enter(path->left);
    run("ip addr add 2001:db8:1::2/64 dev wire nodad; ip route add default via 2001:db8:1::1");
    namespace_enter(path->right);
    run("ip addr add 2001:db8:2::2/64 dev wire nodad; ip route add default via 2001:db8:2::1");
    namespace_enter(path->middle);
    run("ip addr add 2001:db8:1::1/64 dev inside nodad;"
        "ip addr add 2001:db8:2::1/64 dev outside nodad;"
        "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
    struct flow flow;
    int *const ends[] = {&flow.left, &flow.right};
    const int places[] = {path->left, path->right};
    for (size_t i = 0; i < 2; i++) {
        struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_port = htons(6000)}, other = own;
        inet_pton(AF_INET6, i == 0 ? "2001:db8:1::2" : "2001:db8:2::2", &own.sin6_addr);
        inet_pton(AF_INET6, i == 0 ? "2001:db8:2::2" : "2001:db8:1::2", &other.sin6_addr);
        namespace_enter(places[i]);
        *ends[i] = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        cr_assert(bind(*ends[i], (struct sockaddr *)&own, sizeof(own)) == 0);
        cr_assert(connect(*ends[i], (struct sockaddr *)&other, sizeof(other)) == 0);
    }
    namespace_enter(path->middle);
    return flow;
}

Test(staying, ipv6_is_as_closed_as_ipv4_before_and_after_the_end_of_the_daemon)
{
    struct network network = network_start("", "");
    struct flow flow = make_ipv6_flow(&network);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    end_daemon(&network, MIDDLE, SIGKILL);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    cr_assert(!passes(flow.right, flow.left, SILENCE_MS));
    run("nft delete table inet natfw");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS), "it was not the table that closed");
    network_stop(&network);
}

/* The exit status of natfwd, run to its end in the firewall's namespace. */
static int run_natfwd(const struct network *network, const char *arguments)
{
    char *text = output_of("%s -c %s/middle.conf %s >>%s/middle.log 2>&1; echo $?",
        getenv("NATFWD"), network->directory, arguments, network->directory);
    int status = (int)strtol(text, NULL, 10);
    free(text);
    return status;
}

/* What the journal says of sessions is what they are, each time: natfwd is killed, and tells what
 * it finds there. */
static void kill_and_start_again(struct network *network)
{
    end_daemon(network, MIDDLE, SIGKILL);
    start_daemon(network, MIDDLE);
}

Test(staying, what_was_refreshed_and_what_was_closed_is_so_after_a_kill)
{
    struct network network = network_start("", "");
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 4");
    json_int_t first = number_shown(&network, MIDDLE, opened, "sequence_number"), newer;
    uint64_t start_ms = clock_now_ms();
    while ((newer = number_shown(&network, MIDDLE, opened, "sequence_number")) == first)
        wait_a_turn(start_ms, "a refresh");
    kill_and_start_again(&network);
    cr_assert(number_shown(&network, MIDDLE, opened, "sequence_number") >= newer);
    json_decref(control_ok(&network, LEFT, "close --all"));
    wait_until_no_session_at(&network, MIDDLE);
    kill_and_start_again(&network);
    cr_assert(sessions_at(&network, MIDDLE) == 0, "a session that was closed is back");
    json_decref(opened);
    network_stop(&network);
}

Test(staying, a_start_that_fails_late_leaves_the_firewall_closed)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    end_daemon(&network, MIDDLE, SIGKILL);
    run("nft delete table inet natfw");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    /* The control socket is the last that is made. */
    run("rm -f %s/middle.sock && mkdir %s/middle.sock", network.directory, network.directory);
    cr_assert(run_natfwd(&network, "") == 1);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    network_stop(&network);
}

Test(staying, only_uninstall_takes_the_table_and_the_policy_route_out)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    cr_assert(run_natfwd(&network, "--uninstall") == 1, "while a natfwd owns it, it stays");
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    end_daemon(&network, MIDDLE, SIGTERM);
    char *before = output_of("nft list tables; ip rule");
    cr_assert(strstr(before, "inet natfw") && strstr(before, "fwmark"), "%s", before);
    cr_assert(run_natfwd(&network, "--uninstall") == 0);
    char *after =
        output_of("nft list tables; ip rule; ip route show table 270 2>/dev/null || true");
    cr_assert(!strstr(after, "natfw") && !strstr(after, "fwmark") && !strstr(after, "dev lo"), "%s",
        after);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    cr_assert(run_natfwd(&network, "--uninstall") == 0, "there is nothing left to take out");
    free(before);
    free(after);
    network_stop(&network);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

Test(staying, a_restart_finds_what_is_there_and_adds_nothing)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    for (size_t i = 0; i < 2; i++) {
        end_daemon(&network, MIDDLE, i == 0 ? SIGTERM : SIGKILL);
        start_daemon(&network, MIDDLE);
        cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    }
    char *rules = output_of("ip rule; nft list tables; nft list chain inet natfw intercept");
    cr_assert(count_of(rules, "fwmark") == 1 && count_of(rules, "inet natfw\n") == 1 &&
                  count_of(rules, "tproxy") == 1,
        "%s", rules);
    free(rules);
    network_stop(&network);
}

Test(staying, a_restart_with_another_mark_leaves_no_other_policy_route_behind)
{
    struct network network = network_start("", "");
    end_daemon(&network, MIDDLE, SIGKILL);
    write_firewall_config(&network, "mark = 0x77\nroute_table = 271");
    start_daemon(&network, MIDDLE);
    char *rules = output_of("ip rule; ip route show table all");
    cr_assert(count_of(rules, "proto 174") == 2 && count_of(rules, "lookup 271 proto 174") == 1 &&
                  count_of(rules, "table 271 proto 174") == 1,
        "%s", rules);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    free(rules);
    network_stop(&network);
}

/* A Query of an NSLP on its way from left to right: is it heard there? */
static bool query_passes(const struct network *network, uint8_t nslp_id)
{
    uint8_t query[] = {0x4e, 0x04, 0xbd, 0xa5, 1, 32, 0, 1, 0, nslp_id, 0x80, 0, 0, 0, 0, 0};
    int left = udp_socket(network->path.left, "192.0.2.2", 4270, "198.51.100.2", 270);
    int right = udp_socket(network->path.right, "198.51.100.2", 270, "192.0.2.2", 4270);
    namespace_enter(network->path.middle);
    bool is_heard = false;
    for (int waited_ms = 0; !is_heard && waited_ms < SILENCE_MS; waited_ms += 10) {
        uint8_t heard[sizeof(query)];
        (void)!send(left, query, sizeof(query), 0);
        struct pollfd wait = {.fd = right, .events = POLLIN};
        poll(&wait, 1, 10);
        is_heard = recv(right, heard, sizeof(heard), 0) == sizeof(query);
    }
    close(left);
    close(right);
    return is_heard;
}

Test(staying, while_no_daemon_runs_a_natfw_query_goes_no_further_and_others_are_routed)
{
    struct network network = network_start("pass_other_signalling = yes", "");
    for (size_t i = 0; i < NODE_COUNT; i++)
        end_daemon(&network, i, SIGKILL);
    cr_assert(!query_passes(&network, 33));
    cr_assert(query_passes(&network, 34));
    run("nft delete table inet natfw");
    cr_assert(query_passes(&network, 33), "it was not the table that stopped it");
    network_stop(&network);
}

Test(staying, a_table_of_another_shape_is_replaced_as_a_whole)
{
    struct network network = network_start("pinholes_max = 5000", "");
    struct flow flow = make_flow(&network, 5000);
    end_daemon(&network, MIDDLE, SIGTERM);
    write_firewall_config(&network, "pinholes_max = 6000");
    start_daemon(&network, MIDDLE);
    char *set = output_of("nft list set inet natfw pinholes");
    cr_assert(strstr(set, "size 6000"), "%s", set);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    free(set);
    network_stop(&network);
}

/* A flow that sends without pause, and hears how many datagrams never came. */
static size_t lost_while(struct network *network, const struct flow *flow, int signal_number)
{
    size_t sent = 0, heard = 0;
    char octets[16];
    while (recv(flow->right, octets, sizeof(octets), 0) > 0)
        continue;
    for (int turn = 0; turn < 300; turn++) {
        if (turn == 100)
            end_daemon(network, MIDDLE, signal_number);
        if (turn == 200)
            start_daemon(network, MIDDLE);
        sent += send(flow->left, "data", 4, 0) == 4;
        struct pollfd wait = {.fd = flow->right, .events = POLLIN};
        poll(&wait, 1, 1000);
        while (recv(flow->right, octets, sizeof(octets), 0) > 0)
            heard++;
    }
    cr_assert(sent == 300);
    return sent - heard;
}

static void expect_same_session(const struct network *network, const char *id)
{
    for (enum node which = LEFT; which < NODE_COUNT; which++) {
        char command[TEXT_MAX];
        snprintf(command, sizeof(command), "show %s", id);
        json_decref(control_ok(network, which, command));
    }
}

Test(staying, a_session_goes_on_over_a_restart_of_the_firewall_and_loses_no_packet)
{
    const int signals[] = {SIGTERM, SIGKILL};
    struct network network = network_start("lifetime_min_s = 1", "lifetime_min_s = 1");
    struct flow flow = make_flow(&network, 5000);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 6");
    uint64_t start_ms = clock_now_ms();
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    for (size_t i = 0; i < 2; i++) {
        cr_assert(lost_while(&network, &flow, signals[i]) == 0);
        expect_same_session(&network, session_of(opened));
    }
    /* Refreshes reach the new one as they did the old. */
    expect_open_until(&flow, start_ms + 9000);
    expect_same_session(&network, session_of(opened));
    char command[TEXT_MAX];
    snprintf(command, sizeof(command), "close %s", session_of(opened));
    json_decref(control_ok(&network, LEFT, command));
    wait_until_closed(&flow);
    json_decref(opened);
    network_stop(&network);
}

static json_t *element_of(void)
{
    char *text = output_of("nft -j list set inet natfw pinholes");
    json_t *root = json_loads(text, 0, NULL), *item, *element = NULL;
    size_t index;
    json_array_foreach(json_object_get(root, "nftables"), index, item) {
        json_t *elements = json_object_get(json_object_get(item, "set"), "elem");
        if (json_array_size(elements) == 1)
            element = json_incref(json_object_get(json_array_get(elements, 0), "elem"));
    }
    json_decref(root);
    free(text);
    return element;
}

Test(staying, a_pinhole_keeps_its_time_and_its_counters_over_a_restart)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60 --no-refresh"));
    for (size_t i = 0; i < 5; i++)
        cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    json_t *before = element_of();
    end_daemon(&network, MIDDLE, SIGKILL);
    start_daemon(&network, MIDDLE);
    json_t *after = element_of();
    json_int_t packets =
        json_integer_value(json_object_get(json_object_get(before, "counter"), "packets"));
    cr_assert(packets >= 5);
    cr_assert(json_integer_value(json_object_get(json_object_get(after, "counter"), "packets")) >=
              packets);
    cr_assert(json_integer_value(json_object_get(after, "expires")) <=
              json_integer_value(json_object_get(before, "expires")));
    json_decref(before);
    json_decref(after);
    network_stop(&network);
}

Test(staying, a_session_whose_pinhole_has_gone_is_not_opened_again)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60 --no-refresh"));
    end_daemon(&network, MIDDLE, SIGKILL);
    run("nft flush set inet natfw pinholes");
    start_daemon(&network, MIDDLE);
    cr_assert(sessions_at(&network, MIDDLE) == 0);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    require_logged(&network, MIDDLE, "its pinhole is no longer in the kernel");
    network_stop(&network);
}

Test(staying, an_initiator_knows_its_sessions_again_and_can_close_them)
{
    const int signals[] = {SIGTERM, SIGKILL};
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 60");
    for (size_t i = 0; i < 2; i++) {
        end_daemon(&network, LEFT, signals[i]);
        start_daemon(&network, LEFT);
        expect_same_session(&network, session_of(opened));
    }
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    json_decref(control_ok(&network, LEFT, "close --all"));
    wait_until_closed(&flow);
    for (enum node which = LEFT; which < NODE_COUNT; which++)
        cr_assert(sessions_at(&network, which) == 0);
    json_decref(opened);
    network_stop(&network);
}

Test(staying, a_responder_knows_its_sessions_again)
{
    struct network network = network_start("lifetime_min_s = 1", "lifetime_min_s = 1");
    struct flow flow = make_flow(&network, 5000);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 6");
    uint64_t start_ms = clock_now_ms();
    end_daemon(&network, RIGHT, SIGKILL);
    start_daemon(&network, RIGHT);
    expect_same_session(&network, session_of(opened));
    expect_open_until(&flow, start_ms + 9000);
    json_decref(opened);
    network_stop(&network);
}

/* How many datagrams of a closed flow pass from when the table is gone until it is back. */
static size_t passing_in_the_gap(const struct network *network, const struct flow *closed)
{
    size_t passed = 0;
    char octets[16];
    run("nft flush ruleset");
    uint64_t start_ms = clock_now_ms();
    namespace_enter(network->path.middle);
    for (bool is_back = false; !is_back;) {
        cr_assert(clock_now_ms() - start_ms < PATIENCE_MS, "the table is not put back");
        (void)!send(closed->left, "data", 4, 0);
        struct pollfd wait = {.fd = closed->right, .events = POLLIN};
        poll(&wait, 1, 1);
        while (recv(closed->right, octets, sizeof(octets), 0) > 0)
            passed++;
        char *tables = output_of("nft list tables");
        is_back = strstr(tables, "inet natfw") != NULL;
        free(tables);
    }
    return passed;
}

Test(staying, a_table_of_anybody_that_is_flushed_is_put_back_with_every_pinhole)
{
    struct network network = network_start("table_owner = anybody", "");
    struct flow open = make_flow(&network, 5000), closed = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    for (size_t i = 0; i < 2; i++) {
        size_t passed = passing_in_the_gap(&network, &closed);
        cr_log_info("%zu datagrams of a closed flow passed before the table was back", passed);
        cr_assert(passes(open.left, open.right, PATIENCE_MS));
        cr_assert(!passes(closed.left, closed.right, SILENCE_MS));
    }
    require_logged(&network, MIDDLE, "table inet natfw was changed by nft (process ");
    require_logged(&network, MIDDLE, "it is put back with 1 pinholes");
    network_stop(&network);
}

Test(staying, a_rule_or_an_element_that_somebody_adds_is_taken_out_again)
{
    struct network network = network_start("table_owner = anybody", "");
    struct flow flow = make_flow(&network, 5000);
    const char *const changes[] = {"insert rule inet natfw guarded accept",
        "add element inet natfw pinholes_from_any_any_protocol '{ 198.51.100.2 }'",
        "delete chain inet natfw intercept", "flush chain inet natfw guarded"};
    for (size_t i = 0; i < 4; i++) {
        run("nft %s", changes[i]);
        cr_log_info("%s", changes[i]);
        wait_until_closed(&flow);
    }
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    network_stop(&network);
}

Test(staying, its_own_changes_and_those_of_other_tables_put_nothing_back)
{
    struct network network = network_start("table_owner = anybody", "");
    struct flow flow = make_flow(&network, 5000);
    for (size_t i = 0; i < 3; i++) {
        json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
        run("nft add table inet other%zu", i);
        cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    }
    json_decref(control_ok(&network, LEFT, "close --all"));
    wait_until_no_session_at(&network, MIDDLE);
    end_daemon(&network, MIDDLE, SIGTERM);
    run("! grep 'put back' %s/middle.log", network.directory);
    network_stop(&network);
}

static void expect_no_session_left(struct network *network)
{
    for (enum node which = LEFT; which < NODE_COUNT; which += RIGHT) {
        wait_until_no_session_at(network, which);
        require_logged(network, which, "1/0x05");
    }
}

Test(staying, a_stop_that_ends_sessions_tells_both_sides_and_leaves_the_firewall_closed)
{
    struct network network = network_start("end_sessions_on_stop = yes", "");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    int status = end_daemon(&network, MIDDLE, SIGTERM);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    expect_no_session_left(&network);
    start_daemon(&network, MIDDLE);
    cr_assert(sessions_at(&network, MIDDLE) == 0);
    network_stop(&network);
}

Test(staying, an_initiator_that_is_told_to_closes_its_sessions_when_it_stops)
{
    struct network network = network_start("", "end_sessions_on_stop = yes");
    struct flow flow = make_flow(&network, 5000);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    end_daemon(&network, LEFT, SIGTERM);
    wait_until_closed(&flow);
    cr_assert(sessions_at(&network, MIDDLE) == 0);
    network_stop(&network);
}

Test(staying, uninstall_by_natfwctl_tells_both_sides_and_takes_the_firewall_out)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    cr_assert(!passes(flow.left, flow.right, SILENCE_MS));
    json_decref(control_ok(&network, MIDDLE, "uninstall"));
    siginfo_t end = {0};
    cr_assert(waitid(P_PID, (id_t)network.daemons[MIDDLE], &end, WEXITED | WNOHANG | WNOWAIT) == 0);
    cr_assert(end.si_pid == network.daemons[MIDDLE], "natfwctl waits until natfwd has ended");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    int status = wait_for_daemon(&network, MIDDLE);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    char *left = output_of("nft list tables; ip rule");
    cr_assert(!strstr(left, "natfw") && !strstr(left, "fwmark"), "%s", left);
    expect_no_session_left(&network);
    free(left);
    network_stop(&network);
}

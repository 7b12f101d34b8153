/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A changed configuration is taken over whole, without losing a session, or refused whole. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NO_5001   "policy {\n rule \"no\" {\n ports = \"5001\"\n answer = \"7/0x04\"\n }\n}"
#define OPEN_5001 "open --from 192.0.2.2:4001 --to 198.51.100.2:5001 --protocol udp --timeout 20 "

static void reload(const struct network *network, const char *expected)
{
    kill(network->daemons[MIDDLE], SIGHUP);
    require_logged(network, MIDDLE, expected);
}

static void expect_refused(const struct network *network, bool is_refused)
{
    int status;
    json_decref(control(network, LEFT, OPEN_5001, &status));
    cr_assert(status == (is_refused ? 1 : 0), "%d", status);
}

Test(reload, a_new_policy_counts_and_what_is_open_stays_open)
{
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 60");
    expect_refused(&network, false);
    write_firewall_config(&network, NO_5001);
    reload(&network, "the configuration is taken over");
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    expect_refused(&network, true);
    cr_assert(sessions_at(&network, MIDDLE) == 2);
    json_decref(opened);
    network_stop(&network);
}

Test(reload, a_file_with_a_fault_is_refused_whole_and_says_where)
{
    struct network network = network_start("", "");
    write_firewall_config(&network, NO_5001 "\nlifetime_max_s = never");
    reload(&network, "the configuration stays as it was");
    require_logged(&network, MIDDLE, "middle.conf:");
    require_logged(&network, MIDDLE, "invalid integer value for option 'lifetime_max_s'");
    expect_refused(&network, false);
    network_stop(&network);
}

Test(reload, whoever_asks_by_natfwctl_hears_how_it_ended)
{
    int status;
    struct network network = network_start("", "");
    write_firewall_config(&network, NO_5001);
    json_decref(control_ok(&network, MIDDLE, "reload"));
    expect_refused(&network, true);
    write_firewall_config(&network, "lifetime_max_s = never");
    json_t *reply = control(&network, MIDDLE, "reload", &status);
    cr_assert(status == 1);
    const char *message = json_string_value(json_object_get(reply, "message"));
    cr_assert(strstr(message, "lifetime_max_s") && message[strlen(message) - 1] != '\n');
    expect_refused(&network, true);
    json_decref(reply);
    network_stop(&network);
}

Test(reload, a_key_that_needs_a_restart_is_named_and_nothing_else_is_taken)
{
    struct network network = network_start("", "");
    write_firewall_config(&network, NO_5001 "\nmark = 0x77\nassociation_port = 4711");
    reload(&network, "the configuration stays as it was");
    require_logged(&network, MIDDLE, ": mark: it has changed; restart natfwd for that");
    require_logged(&network, MIDDLE, ": association_port: it has changed; restart natfwd for that");
    expect_refused(&network, false);
    network_stop(&network);
}

Test(reload, an_interface_that_is_not_there_is_named)
{
    struct network network = network_start("", "");
    write_firewall_config(&network, "interface \"third\" { side = \"internal\" }");
    reload(&network, "the configuration stays as it was");
    require_logged(&network, MIDDLE, "there is no \"third\"");
    network_stop(&network);
}

Test(reload, a_ruleset_of_another_shape_keeps_the_pinholes_that_live_and_their_counters)
{
    struct network network = network_start("pinholes_max = 5000", "");
    struct flow flow = make_flow(&network, 5000), closed = make_flow(&network, 5002);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 60");
    for (size_t i = 0; i < 3; i++)
        cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    json_int_t packets = number_shown(&network, MIDDLE, opened, "packets");
    cr_assert(packets >= 3);
    write_firewall_config(&network, "pinholes_max = 6000");
    reload(&network, "the configuration is taken over");
    char *set = output_of("nft list set inet natfw pinholes");
    cr_assert(strstr(set, "size 6000"), "%s", set);
    cr_assert(number_shown(&network, MIDDLE, opened, "packets") == packets);
    cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    cr_assert(!passes(closed.left, closed.right, SILENCE_MS));
    free(set);
    json_decref(opened);
    network_stop(&network);
}

/* Without an owner of the table whoever flushes it finds it put back: the new one. */
Test(reload, the_new_ruleset_is_the_one_that_is_put_back)
{
    struct network network = network_start("table_owner = \"anybody\"\npinholes_max = 5000", "");
    write_firewall_config(&network, "table_owner = \"anybody\"\npinholes_max = 6000");
    json_decref(control_ok(&network, MIDDLE, "reload"));
    run("nft flush ruleset");
    require_logged(&network, MIDDLE, "put back");
    char *set = output_of("nft list set inet natfw pinholes");
    cr_assert(strstr(set, "size 6000"), "%s", set);
    free(set);
    network_stop(&network);
}

Test(reload, room_for_fewer_pinholes_than_there_are_is_refused_and_all_stay_open)
{
    struct network network = network_start("", "");
    struct flow first = make_flow(&network, 5000), second = make_flow(&network, 5001);
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 60"));
    json_decref(control_ok(&network, LEFT, OPEN_5001 "--lifetime 60"));
    write_firewall_config(&network, "pinholes_max = 1");
    reload(&network, "pinholes_max: there are 2 now; wait, or end sessions");
    require_logged(&network, MIDDLE, "the configuration stays as it was");
    cr_assert(passes(first.left, first.right, PATIENCE_MS));
    cr_assert(passes(second.left, second.right, PATIENCE_MS));
    network_stop(&network);
}

Test(reload, limits_of_sessions_and_lifetimes_count_from_then_on)
{
    int status;
    struct network network = network_start("", "");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 600 --no-refresh"));
    write_firewall_config(&network, "sessions_max = 1\nlifetime_max_s = 30");
    reload(&network, "the configuration is taken over");
    json_decref(control(&network, LEFT, OPEN_5001, &status));
    cr_assert(status == 1, "a second session was let in");
    json_decref(control_ok(&network, LEFT, "close --all"));
    wait_until_no_session_at(&network, MIDDLE);
    json_t *opened = control_ok(&network, LEFT, OPEN "--lifetime 600 --no-refresh");
    cr_assert(json_integer_value(
                  json_object_get(json_object_get(opened, "session"), "lifetime_s")) == 30);
    json_decref(opened);
    network_stop(&network);
}

static json_int_t counted(const struct network *network, const char *group, const char *counter)
{
    json_t *stats = control_ok(network, MIDDLE, "stats");
    json_int_t value = json_integer_value(json_object_get(json_object_get(stats, group), counter));
    json_decref(stats);
    return value;
}

Test(reload, limits_of_pinholes_routing_states_and_log_lines_count_from_then_on)
{
    int status;
    struct network network = network_start("pinholes_max = 1", "");
    json_decref(control_ok(&network, LEFT, OPEN "--lifetime 600 --no-refresh"));
    write_firewall_config(&network, "pinholes_max = 1\nlog_lines_per_kind = 1");
    reload(&network, "the configuration is taken over");
    for (unsigned again = 0; again < 3; again++) {
        json_decref(control(&network, LEFT, OPEN_5001, &status));
        cr_assert(status == 1, "a second pinhole was opened");
    }
    cr_assert(counted(&network, "log", "left_out") > 0);
    write_firewall_config(&network, "pinholes_max = 2");
    json_decref(control_ok(&network, MIDDLE, "reload"));
    json_decref(control_ok(&network, LEFT, OPEN_5001));
    cr_assert(counted(&network, "gist", "routing_states_refused") == 0);
    write_firewall_config(&network, "routing_states_max = 1");
    json_decref(control_ok(&network, MIDDLE, "reload"));
    json_decref(control(&network, LEFT,
        "open --from 192.0.2.2:4002 --to 198.51.100.2:5002 --protocol udp --timeout 2", &status));
    cr_assert(status == 1 && counted(&network, "gist", "routing_states_refused") > 0);
    network_stop(&network);
}

/* A file that differs in one key from what runs; each of them names what needs a restart. */
Test(reload, each_key_that_needs_a_restart_is_refused)
{
    static const struct {
        const char *key;
        const char *line;
    } fixed[] = {{"peer_identity", "peer_identity = \"another\""},
        {"state_file", "state_file = \"/tmp/another\""}, {"log", "log = \"syslog\""},
        {"association_port", "association_port = 4711"},
        {"associations_max", "associations_max = 7"}, {"nft_table", "nft_table = \"another\""},
        {"table_owner", "table_owner = \"anybody\""}, {"refresh", "refresh = \"replace\""},
        {"mark", "mark = 0x77"}, {"route_table", "route_table = 77"},
        {"drop_privileges", "drop_privileges = false"}, {"user", "user = \"daemon\""}};
    struct network network = network_start("", "");
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        int status;
        char expected[TEXT_MAX];
        snprintf(expected, sizeof(expected), ": %s: it has changed; restart", fixed[i].key);
        write_firewall_config(&network, fixed[i].line);
        json_t *reply = control(&network, MIDDLE, "reload", &status);
        const char *message = json_string_value(json_object_get(reply, "message"));
        cr_expect(status == 1 && message && strstr(message, expected), "%s: %s", fixed[i].line,
            message ? message : "taken");
        json_decref(reply);
    }
    network_stop(&network);
}

Test(reload, many_at_once_are_taken_one_after_another)
{
    struct network network = network_start("", "");
    write_firewall_config(&network, NO_5001);
    for (size_t i = 0; i < 20; i++)
        kill(network.daemons[MIDDLE], SIGHUP);
    require_logged(&network, MIDDLE, "the configuration is taken over");
    expect_refused(&network, true);
    network_stop(&network);
}

/* Asks for a reload and does not wait for the reply. */
static int ask_for_reload(const struct network *network)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/middle.sock", network->directory);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    cr_assert(dprintf(client, "{\"command\": \"reload\"}\n") > 0);
    for (size_t i = 0; i < 2; i++) /* when these are answered, it was heard */
        json_decref(control_ok(network, MIDDLE, "stats"));
    return client;
}

static void expect_reply(int client, const char *expected)
{
    char reply[TEXT_MAX] = "";
    struct pollfd readable = {.fd = client, .events = POLLIN};
    cr_assert(poll(&readable, 1, PATIENCE_MS) == 1);
    cr_assert(read(client, reply, sizeof(reply) - 1) > 0);
    cr_assert(strstr(reply, expected), "%s", reply);
    close(client);
}

/* To who reads it, or does so soon. */
static void write_to_pipe(const char *path, const char *text)
{
    uint64_t start_ms = clock_now_ms();
    int pipe;
    while ((pipe = open(path, O_WRONLY | O_NONBLOCK)) < 0)
        wait_a_turn(start_ms, "nobody reads the file");
    cr_assert(dprintf(pipe, "%s", text) > 0);
    close(pipe);
}

/* The file is a pipe, so that a reading of it lasts until the next is asked for. */
Test(reload, is_answered_by_the_file_as_it_was_when_it_was_asked_for)
{
    enum { READINGS = 3 };
    int clients[READINGS];
    struct network network = network_start("", "");
    char path[TEXT_MAX];
    snprintf(path, sizeof(path), "%s/middle.conf", network.directory);
    char *text = output_of("cat %s", path);
    cr_assert(unlink(path) == 0 && mkfifo(path, 0600) == 0);
    for (size_t i = 0; i < 2; i++)
        clients[i] = ask_for_reload(&network);
    write_to_pipe(path, "lifetime_max_s = never\n");
    expect_reply(clients[0], "invalid integer value for option 'lifetime_max_s'");
    clients[2] = ask_for_reload(&network); /* while another is read, again */
    for (size_t i = 1; i < READINGS; i++) {
        write_to_pipe(path, text);
        expect_reply(clients[i], "\"ok\":true");
    }
    free(text);
    network_stop(&network);
}

Test(reload, without_its_loader_it_serves_on)
{
    struct network network = network_start("", "");
    run("kill -9 $(pgrep -P %d)", (int)network.daemons[MIDDLE]);
    write_firewall_config(&network, NO_5001);
    reload(&network, "the configuration stays as it was");
    reload(&network, "the loader has ended; restart natfwd");
    expect_refused(&network, false);
    network_stop(&network);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl as a user sees it: what it prints, what it advises, what it exits with. */
#include "reference-node/base/clock.h"
#include "reference-node/tests/network.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What natfwctl prints, errors included, and " STATUS" after it. */
static char *said(const struct network *network, size_t which, const char *arguments)
{
    return output_of("%s --socket %s/%s.sock %s 2>&1; echo \" $?\"", getenv("NATFWCTL"),
        network->directory, node_names[which], arguments);
}

static void expect_said(
    const struct network *network, size_t which, const char *arguments, const char *expected)
{
    char *text = said(network, which, arguments);
    cr_expect(strstr(text, expected), "natfwctl %s: %s, not: %s", arguments, text, expected);
    free(text);
}

/* Starts natfwctl beside the test, which writes to a file. */
static pid_t start_control(const struct network *network, const char *arguments, const char *output)
{
    char command[TEXT_MAX];
    snprintf(command, sizeof(command), "exec %s --socket %s/left.sock %s >%s/%s 2>&1",
        getenv("NATFWCTL"), network->directory, arguments, network->directory, output);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_DFL); /* whoever runs the tests may ignore it */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    return child;
}

static int exit_status_of(pid_t child)
{
    int status;
    cr_assert(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static json_int_t in_status(const struct network *network, const char *key)
{
    json_t *status = control_ok(network, 0, "status");
    json_int_t value = json_integer_value(json_object_get(status, key));
    json_decref(status);
    return value;
}

/* Waits until the left daemon's status says so. */
static void wait_for_status(const struct network *network, const char *key, json_int_t wanted)
{
    uint64_t start_ms = clock_now_ms();
    while (in_status(network, key) != wanted)
        wait_a_turn(start_ms, key);
}

static void wait_for_text(const struct network *network, const char *file, const char *text)
{
    uint64_t start_ms = clock_now_ms();
    for (;;) { /* the file comes with what is written to it */
        char *whole = output_of("cat %s/%s 2>&1 || true", network->directory, file);
        bool there = strstr(whole, text) != NULL;
        free(whole);
        if (there)
            return;
        wait_a_turn(start_ms, text);
    }
}

Test(natfwctl, lists_sessions_in_columns_under_a_header)
{
    struct network network = network_start("", "");
    expect_said(&network, 0, "list",
        "SESSION  ROLE  STATE  ACTION  LIFETIME  LEFT  ANSWER  PACKETS  OCTETS  FLOW\n");
    json_t *opened = control_ok(&network, 0, OPEN "--lifetime 60");
    json_decref(control_ok(&network, 0,
        "open --from 192.0.2.2:99 --to 198.51.100.2:53 --protocol tcp --lifetime 3000"));
    char *text = said(&network, 0, "list");
    char *first = strchr(text, '\n') + 1, *second = strchr(first, '\n') + 1;
    size_t flow = (size_t)(strstr(text, "FLOW") - text);
    cr_assert((strncmp(first + flow, "udp 192.0.2.2:4000 -> 198.51.100.2:5000\n", 40) == 0) !=
                  (strncmp(second + flow, "udp 192.0.2.2:4000 -> 198.51.100.2:5000\n", 40) == 0),
        "%s", text);
    cr_assert((strncmp(first + flow, "tcp 192.0.2.2:99 -> 198.51.100.2:53\n", 36) == 0) !=
                  (strncmp(second + flow, "tcp 192.0.2.2:99 -> 198.51.100.2:53\n", 36) == 0),
        "%s", text);
    cr_assert(strstr(text, "  3000s  ") && strstr(text, "    60s  "), "%s", text);
    char shown[64];
    snprintf(shown, sizeof(shown), "\n%.8s  initiator  established  allow ", session_of(opened));
    cr_assert(strstr(text, shown), "%s", text);
    free(text);
    json_decref(opened);
    network_stop(&network);
}

Test(natfwctl, a_firewall_shows_what_has_passed_a_pinhole)
{
    char command[TEXT_MAX];
    struct network network = network_start("", "");
    struct flow flow = make_flow(&network, 5000);
    json_t *opened = control_ok(&network, LEFT, OPEN);
    for (size_t i = 0; i < 3; i++)
        cr_assert(passes(flow.left, flow.right, PATIENCE_MS));
    snprintf(command, sizeof(command), "show %s", session_of(opened));
    json_t *shown = control_ok(&network, MIDDLE, command);
    json_t *session = json_object_get(shown, "session");
    json_int_t packets = json_integer_value(json_object_get(session, "packets"));
    cr_assert(packets >= 3);
    cr_assert(json_integer_value(json_object_get(session, "octets")) == 32 * packets);
    json_t *host = control_ok(&network, LEFT, command);
    cr_assert(!json_object_get(json_object_get(host, "session"), "packets"), "it forwards nothing");
    expect_said(&network, MIDDLE, command, "passed    ");
    json_decref(opened);
    json_decref(shown);
    json_decref(host);
    network_stop(&network);
}

Test(natfwctl, shows_one_session_in_full)
{
    char command[TEXT_MAX], id[TEXT_MAX];
    struct network network = network_start("", "");
    json_t *opened = control_ok(&network, 0, OPEN);
    snprintf(command, sizeof(command), "show %.5s", session_of(opened));
    snprintf(id, sizeof(id), "session   %s\nrole      initiator\n", session_of(opened));
    expect_said(&network, 0, command, id);
    expect_said(&network, 0, command, "answer    2/0x01 granted\n 0\n");
    expect_said(&network, 0, command, "198.51.100.2:5000\naction    allow\n");
    json_decref(opened);
    opened = control_ok(&network, 0, OPEN "--sub-ports 1");
    snprintf(command, sizeof(command), "show %s", session_of(opened));
    expect_said(&network, 0, command, "198.51.100.2:5000, and the next port\n");
    expect_said(&network, 0, "list", "198.51.100.2:5000, and the next port\n");
    json_decref(opened);
    network_stop(&network);
}

Test(natfwctl, says_once_what_the_path_refused_it_for)
{
    struct network network = network_start("", "policy { default_internal = \"5/0x02\" }\n");
    expect_said(&network, LEFT, OPEN, ": not authorised (5/0x02)\n 1\n");
    network_stop(&network);
}

Test(natfwctl, takes_no_option_of_another_command)
{
    struct network network = network_start("", "");
    expect_said(&network, 0, "list --lifetime 5", "natfwctl: list takes no --lifetime.");
    expect_said(&network, 0, "status --all", "natfwctl: status takes no --all.");
    expect_said(&network, 0, "close --all --deny", "natfwctl: close takes no --deny.");
    network_stop(&network);
}

Test(natfwctl, keeps_no_session_whose_id_nobody_could_read)
{
    struct network network = network_start("", "");
    free(output_of("%s --socket %s/left.sock " OPEN " 2>&1 >/dev/full; true", getenv("NATFWCTL"),
        network.directory));
    wait_for_status(&network, "sessions", 0);
    char *text = output_of("%s --socket %s/left.sock " OPEN " 2>&1 >&-; echo \" $?\"",
        getenv("NATFWCTL"), network.directory);
    cr_expect(strstr(text, "standard output") && strstr(text, " 1\n"), "%s", text);
    free(text);
    wait_for_status(&network, "sessions", 0);
    network_stop(&network);
}

Test(natfwctl, says_that_it_is_the_path_that_does_not_answer)
{
    struct network network = network_start("", "");
    kill(network.daemons[1], SIGSTOP);
    pid_t asker = start_control(&network, OPEN, "open.txt");
    wait_for_text(&network, "open.txt", "the path has not answered for 5 s: still waiting\n");
    kill(network.daemons[1], SIGCONT);
    cr_assert(exit_status_of(asker) == 0);
    network_stop(&network);
}

Test(natfwctl, says_of_a_host_that_it_had_no_table)
{
    struct network network = network_start("", "");
    expect_said(&network, LEFT, "uninstall", "natfwd had no table here\n 0\n");
    cr_assert(wait_for_daemon(&network, LEFT) == 0);
    network_stop(&network);
}

Test(natfwctl, fails_where_nobody_can_read_what_it_says)
{
    struct network network = network_start("", "");
    char *text = output_of("%s --socket %s/left.sock list 2>&1 >/dev/full; echo \" $?\"",
        getenv("NATFWCTL"), network.directory);
    cr_expect(
        strcmp(text, "natfwctl: standard output: No space left on device\n 1\n") == 0, "%s", text);
    free(text);
    run("ln -s /dev/full %s/full", network.directory);
    pid_t watcher = start_control(&network, "watch", "full");
    wait_for_status(&network, "watchers", 1);
    json_decref(control_ok(&network, 0, OPEN));
    cr_assert(exit_status_of(watcher) == 1);
    network_stop(&network);
}

Test(natfwctl, says_which_interface_is_not_there)
{
    struct network network = network_start("", "");
    expect_said(&network, 1, "status", "outside: external, closed but for pinholes\n");
    run("ip link del outside");
    expect_said(&network, 1, "status", "inside: internal, closed but for pinholes\n");
    expect_said(
        &network, 1, "status", "outside: external, closed but for pinholes; not there now\n");
    path_connect_right(&network.path);
    expect_said(&network, 1, "status", "outside: external, closed but for pinholes\n");
    network_stop(&network);
}

Test(natfwctl, says_of_a_host_that_it_closes_nothing)
{
    struct network network = network_start("", "interface \"left\" { side = \"internal\" }\n");
    expect_said(&network, 0, "status", "left: internal, open to what comes; not there now\n");
    network_stop(&network);
}

Test(natfwctl, says_what_runs_and_what_is_in_force)
{
    struct network network = network_start("log_level = debug", "");
    json_decref(control_ok(&network, 0, OPEN));
    char *text = said(&network, 1, "status");
    char process[32];
    snprintf(process, sizeof(process), "process %d\n", (int)network.daemons[1]);
    static const char *const parts[] = {"natfwd ", " runs since 20", "identity      middle\n",
        "roles         forwarder\n", "interface     inside: internal, closed but for pinholes\n",
        "nft table     inet natfw\n", "policy        from inside allow, from outside 5/0x02",
        "log level     debug\n", "sessions      1: 1 established, 0 pending, 0 transitory\n",
        "pinholes      1\n", "\n 0\n"};
    cr_expect(strstr(text, process), "%s", text);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        cr_expect(strstr(text, parts[i]), "no \"%s\" in: %s", parts[i], text);
    free(text);
    json_t *status = control_ok(&network, 0, "status");
    cr_expect(json_array_size(json_object_get(status, "roles")) == 2);
    cr_expect(json_is_null(json_object_get(json_object_get(status, "in_force"), "table")));
    json_decref(status);
    network_stop(&network);
}

/* The line of the file that holds a text, as JSON. */
static json_t *line_with(const struct network *network, const char *file, const char *text)
{
    char *line = output_of("grep -F '%s' %s/%s", text, network->directory, file);
    json_t *json = json_loads(line, 0, NULL);
    cr_assert(json, "%s", line);
    free(line);
    return json;
}

Test(natfwctl, watches_sessions_until_it_is_interrupted)
{
    struct network network = network_start("", "");
    pid_t json_watcher = start_control(&network, "watch --json", "watched.json");
    pid_t watcher = start_control(&network, "watch", "watched.txt");
    wait_for_status(&network, "watchers", 2);
    json_t *opened = control_ok(&network, 0, OPEN "--lifetime 60");
    json_decref(control_ok(&network, 0, "close --all"));
    wait_for_text(&network, "watched.json", "deleted");
    wait_for_text(&network, "watched.txt", "deleted");
    kill(json_watcher, SIGINT);
    kill(watcher, SIGTERM);
    cr_assert(exit_status_of(json_watcher) == 0 && exit_status_of(watcher) == 0);
    json_t *established = line_with(&network, "watched.json", "\"event\":\"established\"");
    const json_t *session = json_object_get(established, "session");
    cr_assert(
        strcmp(json_string_value(json_object_get(session, "session")), session_of(opened)) == 0);
    cr_assert(json_integer_value(json_object_get(session, "lifetime_s")) == 60);
    json_decref(line_with(&network, "watched.json", "\"event\":\"deleted\""));
    char *text = output_of("cat %s/watched.txt", network.directory);
    char expected[TEXT_MAX];
    snprintf(expected, sizeof(expected),
        "Z  established  %.8s  initiator  established  udp 192.0.2.2:4000 -> 198.51.100.2:5000  "
        "2/0x01 granted\n",
        session_of(opened));
    cr_assert(strstr(text, expected), "%s", text);
    snprintf(expected, sizeof(expected),
        "Z  deleted      %.8s  initiator  dead         udp 192.0.2.2:4000 -> 198.51.100.2:5000\n",
        session_of(opened));
    cr_assert(strstr(text, expected), "%s", text);
    free(text);
    json_decref(established);
    json_decref(opened);
    wait_for_status(&network, "watchers", 0);
    network_stop(&network);
}

Test(natfwctl, ends_watching_with_a_status_of_its_own_when_natfwd_ends)
{
    struct network network = network_start("", "");
    pid_t watcher = start_control(&network, "watch", "watched.txt");
    wait_for_status(&network, "watchers", 1);
    kill(network.daemons[0], SIGKILL);
    cr_assert(exit_status_of(watcher) == 5);
    cr_assert(WTERMSIG(wait_for_daemon(&network, LEFT)) == SIGKILL);
    start_daemon(&network, LEFT);
    network_stop(&network);
}

Test(natfwctl, says_that_natfwd_has_ended_while_it_was_asked)
{
    struct network network = network_start("", "");
    kill(network.daemons[1], SIGSTOP);
    pid_t asker = start_control(&network, OPEN, "open.txt");
    wait_for_status(&network, "sessions", 1);
    kill(network.daemons[0], SIGKILL);
    cr_assert(exit_status_of(asker) == 5);
    cr_assert(WTERMSIG(wait_for_daemon(&network, LEFT)) == SIGKILL);
    kill(network.daemons[1], SIGCONT);
    start_daemon(&network, LEFT);
    network_stop(&network);
}

Test(natfwctl, tells_who_waits_for_a_natfwd_that_stands_still)
{
    struct network network = network_start("", "");
    kill(network.daemons[0], SIGSTOP);
    pid_t asker = start_control(&network, "list", "list.txt");
    wait_for_text(
        &network, "list.txt", "natfwd has not answered for 5 s: still waiting; is it stopped?");
    kill(network.daemons[0], SIGCONT);
    cr_assert(exit_status_of(asker) == 0);
    network_stop(&network);
}

Test(natfwctl, tells_not_allowed_from_not_running)
{
    struct network network = network_start("", "");
    expect_said(&network, 0, "--socket /nowhere/x list",
        "/nowhere/x: No such file or directory; "
        "natfwd does not run here");
    run("chmod 0 %s/left.sock", network.directory);
    char *text = output_of("setpriv --bounding-set=-dac_override,-dac_read_search "
                           "--inh-caps=-dac_override,-dac_read_search %s --socket %s/left.sock "
                           "list 2>&1; echo \" $?\"",
        getenv("NATFWCTL"), network.directory);
    cr_expect(strstr(text, "Permission denied; you may not ask natfwd; run natfwctl as root\n 4\n"),
        "%s", text);
    free(text);
    kill(network.daemons[0], SIGKILL);
    cr_assert(WTERMSIG(wait_for_daemon(&network, LEFT)) == SIGKILL);
    expect_said(&network, 0, "list", "Connection refused; natfwd has ended: start it again\n 3\n");
    start_daemon(&network, LEFT);
    network_stop(&network);
}

Test(natfwctl, warns_of_a_source_that_is_no_address_of_this_host)
{
    struct network network = network_start("", "");
    expect_said(&network, 0, OPEN, "session   ");
    char *text = said(&network, 0, OPEN);
    cr_expect(!strstr(text, "warning"), "%s", text);
    free(text);
    expect_said(&network, 0,
        "open --from 192.0.2.77:4000 --to 198.51.100.2:5000 --protocol udp --timeout 20",
        "natfwctl: warning: from: 192.0.2.77 is no address of this host");
    network_stop(&network);
}

Test(natfwctl, leaves_no_session_behind_that_was_not_answered_in_time)
{
    struct network network = network_start("", "");
    kill(network.daemons[1], SIGSTOP);
    int status;
    json_t *reply = control(&network, 0,
        "open --from 192.0.2.2:1 --to 198.51.100.2:2 --protocol udp --timeout 1", &status);
    cr_assert(status == 1);
    cr_assert(strcmp(json_string_value(json_object_get(reply, "error")), "no_answer") == 0);
    cr_assert(sessions_at(&network, 0) == 0);
    kill(network.daemons[1], SIGCONT);
    json_decref(reply);
    network_stop(&network);
}

Test(natfwctl, leaves_no_session_behind_when_it_is_interrupted)
{
    struct network network = network_start("", "");
    kill(network.daemons[1], SIGSTOP);
    pid_t asker = start_control(&network, OPEN, "open.txt");
    wait_for_status(&network, "sessions", 1);
    kill(asker, SIGINT);
    cr_assert(exit_status_of(asker) == -SIGINT);
    wait_for_status(&network, "sessions", 0);
    kill(network.daemons[1], SIGCONT);
    network_stop(&network);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Running three nodes; see network.h. */
#include "reference-node/tests/network.h"

#include "reference-node/base/clock.h"
#include "reference-node/tests/undertaker.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_MS = 30000 };

const char *const node_names[NODE_COUNT] = {"left", "middle", "right"};

static int place_of(const struct network *network, enum node which)
{
    const int places[] = {network->path.left, network->path.middle, network->path.right};
    return places[which];
}

void write_config(const struct network *network, enum node which, const char *extra)
{
    char path[TEXT_MAX];
    snprintf(path, sizeof(path), "%s/%s.conf", network->directory, node_names[which]);
    FILE *file = fopen(path, "we");
    cr_assert(file);
    fprintf(file,
        "peer_identity = \"%s\"\ncontrol_socket = \"%s/%s.sock\"\n"
        "state_file = \"%s/%s.state\"\nuser = \"64999\"\n%s\n",
        node_names[which], network->directory, node_names[which], network->directory,
        node_names[which], extra);
    fclose(file);
}

void start_daemon(struct network *network, enum node which)
{
    char config[TEXT_MAX], log[TEXT_MAX], descriptor[16], ready;
    int pipes[2];
    const char *program = getenv("NATFWD");
    cr_assert(program, "NATFWD names the program; meson test sets it");
    snprintf(config, sizeof(config), "%s/%s.conf", network->directory, node_names[which]);
    snprintf(log, sizeof(log), "%s/%s.log", network->directory, node_names[which]);
    cr_assert(pipe(pipes) == 0);
    namespace_enter(place_of(network, which));
    pid_t child = fork();
    if (child == 0) {
        int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        close(pipes[0]);
        snprintf(descriptor, sizeof(descriptor), "%d", pipes[1]);
        execl(program, program, "-c", config, "--ready-fd", descriptor, (char *)NULL);
        _exit(127);
    }
    undertaker_watch(network->undertaker, child);
    namespace_enter(network->path.middle);
    close(pipes[1]);
    struct pollfd wait = {.fd = pipes[0], .events = POLLIN};
    bool is_ready = poll(&wait, 1, READY_MS) == 1 && read(pipes[0], &ready, 1) == 1;
    if (!is_ready)
        run("cat %s >&2", log);
    cr_assert(is_ready, "%s does not become ready", node_names[which]);
    close(pipes[0]);
    network->daemons[which] = child;
}

int wait_for_daemon(struct network *network, enum node which)
{
    int status;
    cr_assert(waitpid(network->daemons[which], &status, 0) == network->daemons[which]);
    undertaker_forget(network->undertaker, network->daemons[which]);
    network->daemons[which] = 0;
    return status;
}

int end_daemon(struct network *network, enum node which, int signal_number)
{
    kill(network->daemons[which], signal_number);
    return wait_for_daemon(network, which);
}

void write_firewall_config(const struct network *network, const char *extra)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text),
        "roles = {\"forwarder\"}\ninterface \"inside\" { side = \"internal\" }\n"
        "interface \"outside\" { side = \"external\" }\n%s",
        extra);
    write_config(network, MIDDLE, text);
}

struct network network_start(const char *firewall_extra, const char *host_extra)
{
    char host[TEXT_MAX];
    struct network network = {.path = path_make(),
        .directory = "/tmp/natfwd-test-XXXXXX",
        .undertaker = undertaker_start()};
    cr_assert(mkdtemp(network.directory));
    snprintf(host, sizeof(host), "roles = {\"initiator\", \"responder\"}\n%s", host_extra);
    write_config(&network, LEFT, host);
    write_firewall_config(&network, firewall_extra);
    write_config(&network, RIGHT, host);
    for (size_t i = 0; i < NODE_COUNT; i++)
        start_daemon(&network, i);
    return network;
}

void network_stop(struct network *network)
{
    for (size_t i = 0; i < NODE_COUNT; i++) {
        int status = network->daemons[i] ? end_daemon(network, i, SIGTERM) : 0;
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s ended with %d", node_names[i],
            status);
    }
    close(network->undertaker);
    run("rm -r %s", network->directory);
}

void wait_a_turn(uint64_t start_ms, const char *what)
{
    enum { TURN_MS = 20 };
    cr_assert(clock_now_ms() - start_ms < PATIENCE_MS, "%s", what);
    poll(NULL, 0, TURN_MS);
}

void require_logged(const struct network *network, enum node which, const char *text)
{
    uint64_t start_ms = clock_now_ms();
    for (;;) {
        char *log = output_of("cat %s/%s.log", network->directory, node_names[which]);
        bool is_there = strstr(log, text) != NULL;
        if (!is_there && clock_now_ms() - start_ms > PATIENCE_MS)
            cr_assert_fail("\"%s\" is not in the log:\n%s", text, log);
        free(log);
        if (is_there)
            return;
        wait_a_turn(start_ms, text);
    }
}

/* Runs natfwctl against a daemon; its reply as JSON and its exit status. */
json_t *control(const struct network *network, enum node which, const char *arguments, int *status)
{
    char *text = output_of("%s --socket %s/%s.sock --json %s; echo \" $?\"", getenv("NATFWCTL"),
        network->directory, node_names[which], arguments);
    char *last = strrchr(text, ' ');
    cr_assert(last);
    *status = (int)strtol(last, NULL, 10);
    *last = '\0';
    json_t *reply = json_loads(text, 0, NULL);
    free(text);
    return reply;
}

json_t *control_ok(const struct network *network, enum node which, const char *arguments)
{
    int status;
    json_t *reply = control(network, which, arguments, &status);
    char *text = reply ? json_dumps(reply, 0) : NULL;
    if (status != 0)
        run("cat %s/*.log >&2", network->directory);
    cr_assert(status == 0, "natfwctl %s: %d %s", arguments, status, text ? text : "");
    free(text);
    return reply;
}

int udp_socket(
    int where, const char *local, uint16_t port, const char *remote, uint16_t remote_port)
{
    namespace_enter(where);
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(remote_port)};
    inet_pton(AF_INET, local, &from.sin_addr);
    inet_pton(AF_INET, remote, &to.sin_addr);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert(bind(descriptor, (struct sockaddr *)&from, sizeof(from)) == 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&to, sizeof(to)) == 0);
    return descriptor;
}

struct flow make_flow(const struct network *network, uint16_t port)
{
    uint16_t from = (uint16_t)(port - 1000);
    struct flow flow = {
        .left = udp_socket(network->path.left, "192.0.2.2", from, "198.51.100.2", port),
        .right = udp_socket(network->path.right, "198.51.100.2", port, "192.0.2.2", from)};
    namespace_enter(network->path.middle);
    return flow;
}

/* True when a datagram sent again and again from one end is heard at the other within the time. */
bool passes(int from, int to, int within_ms)
{
    char heard[16];
    while (recv(to, heard, sizeof(heard), 0) > 0)
        continue;
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < (uint64_t)within_ms) {
        (void)!send(from, "data", 4, 0);
        struct pollfd wait = {.fd = to, .events = POLLIN};
        poll(&wait, 1, 10);
        if (recv(to, heard, sizeof(heard), 0) > 0)
            return true;
    }
    return false;
}

void expect_open_until(const struct flow *flow, uint64_t until_ms)
{
    do {
        cr_assert(passes(flow->left, flow->right, PATIENCE_MS), "the flow does not pass");
        wait_a_turn(clock_now_ms(), "");
    } while (clock_now_ms() < until_ms);
}

void wait_until_closed(const struct flow *flow)
{
    uint64_t start_ms = clock_now_ms();
    while (passes(flow->left, flow->right, SILENCE_MS))
        wait_a_turn(start_ms, "data still passes");
}

const char *session_of(const json_t *reply)
{
    const char *id =
        json_string_value(json_object_get(json_object_get(reply, "session"), "session"));
    cr_assert(id);
    return id;
}

json_int_t number_shown(
    const struct network *network, enum node which, const json_t *opened, const char *member)
{
    char command[TEXT_MAX];
    snprintf(command, sizeof(command), "show %s", session_of(opened));
    json_t *shown = control_ok(network, which, command);
    json_int_t value =
        json_integer_value(json_object_get(json_object_get(shown, "session"), member));
    json_decref(shown);
    return value;
}

size_t sessions_at(const struct network *network, enum node which)
{
    json_t *reply = control_ok(network, which, "list");
    size_t count = json_array_size(json_object_get(reply, "sessions"));
    json_decref(reply);
    return count;
}

void wait_until_no_session_at(const struct network *network, enum node which)
{
    uint64_t start_ms = clock_now_ms();
    while (sessions_at(network, which) > 0)
        wait_a_turn(start_ms, node_names[which]);
}

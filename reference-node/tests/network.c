/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three daemons on a path; see network.h. */
#include "reference-node/tests/network.h"

#include "reference-node/base/clock.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {"left", "middle", "right"};

static int place_of(const struct network *network, size_t which)
{
    const int places[] = {network->path.left, network->path.middle, network->path.right};
    return places[which];
}

static void write_config(const struct network *network, size_t which, const char *extra)
{
    char path[TEXT_MAX];
    snprintf(path, sizeof(path), "%s/%s.conf", network->directory, names[which]);
    FILE *file = fopen(path, "we");
    cr_assert(file);
    fprintf(file, "peer_identity = \"%s\"\ncontrol_socket = \"%s/%s.sock\"\n%s\n", names[which],
        network->directory, names[which], extra);
    fclose(file);
}

pid_t start_daemon(const struct network *network, size_t which)
{
    char config[TEXT_MAX], log[TEXT_MAX], descriptor[16], ready;
    int pipes[2];
    const char *program = getenv("NATFWD");
    cr_assert(program, "NATFWD names the program; meson test sets it");
    snprintf(config, sizeof(config), "%s/%s.conf", network->directory, names[which]);
    snprintf(log, sizeof(log), "%s/%s.log", network->directory, names[which]);
    cr_assert(pipe(pipes) == 0);
    namespace_enter(place_of(network, which));
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int output = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        close(pipes[0]);
        snprintf(descriptor, sizeof(descriptor), "%d", pipes[1]);
        execl(program, program, "-c", config, "--ready-fd", descriptor, (char *)NULL);
        _exit(127);
    }
    namespace_enter(network->path.middle);
    close(pipes[1]);
    struct pollfd wait = {.fd = pipes[0], .events = POLLIN};
    bool is_ready = poll(&wait, 1, READY_MS) == 1 && read(pipes[0], &ready, 1) == 1;
    if (!is_ready)
        run("cat %s >&2", log);
    cr_assert(is_ready, "%s does not become ready", names[which]);
    close(pipes[0]);
    return child;
}

struct network network_start(const char *firewall_extra, const char *host_extra)
{
    char host[TEXT_MAX], firewall[TEXT_MAX];
    struct network network = {.path = path_make(), .directory = "/tmp/natfwd-test-XXXXXX"};
    cr_assert(mkdtemp(network.directory));
    snprintf(host, sizeof(host), "roles = {\"initiator\", \"responder\"}\n%s", host_extra);
    snprintf(firewall, sizeof(firewall),
        "roles = {\"forwarder\"}\ninterface \"inside\" { side = \"internal\" }\n"
        "interface \"outside\" { side = \"external\" }\n%s",
        firewall_extra);
    write_config(&network, 0, host);
    write_config(&network, 1, firewall);
    write_config(&network, 2, host);
    for (size_t i = 0; i < 3; i++)
        network.daemons[i] = start_daemon(&network, i);
    return network;
}

void network_stop(struct network *network)
{
    for (size_t i = 0; i < 3; i++) {
        int status;
        kill(network->daemons[i], SIGTERM);
        cr_assert(waitpid(network->daemons[i], &status, 0) == network->daemons[i]);
        cr_assert(
            WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s ended with %d", names[i], status);
    }
    run("rm -r %s", network->directory);
}

json_t *control(const struct network *network, size_t which, const char *arguments, int *status)
{
    char *text = output_of("%s --socket %s/%s.sock --json %s; echo \" $?\"", getenv("NATFWCTL"),
        network->directory, names[which], arguments);
    char *last = strrchr(text, ' ');
    cr_assert(last);
    *status = (int)strtol(last, NULL, 10);
    *last = '\0';
    json_t *reply = json_loads(text, 0, NULL);
    free(text);
    return reply;
}

json_t *control_ok(const struct network *network, size_t which, const char *arguments)
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

static int udp_socket(
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
    struct flow flow = {
        .left = udp_socket(network->path.left, "192.0.2.2", 4000, "198.51.100.2", port),
        .right = udp_socket(network->path.right, "198.51.100.2", port, "192.0.2.2", 4000)};
    namespace_enter(network->path.middle);
    return flow;
}

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

const char *session_of(const json_t *reply)
{
    const char *id =
        json_string_value(json_object_get(json_object_get(reply, "session"), "session"));
    cr_assert(id);
    return id;
}

size_t sessions_at(const struct network *network, size_t which)
{
    json_t *reply = control_ok(network, which, "list");
    size_t count = json_array_size(json_object_get(reply, "sessions"));
    json_decref(reply);
    return count;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to natfwd; see connection.h. */
#include "reference-node/natfwctl/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000, END_MS = 10000 };

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor >= 0 && connect(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0)
        return descriptor;
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return -1;
}

/* Each cause has its own remedy: a socket that others may use is not one that nobody serves. */
static enum exit_status explain(const char *path, int error)
{
    static const struct {
        int error;
        enum exit_status status;
        const char *advice;
    } causes[] = {
        {EACCES, EXIT_NOT_ALLOWED, "you may not ask natfwd; run natfwctl as root"},
        {EPERM, EXIT_NOT_ALLOWED, "you may not ask natfwd; run natfwctl as root"},
        {ENOENT, EXIT_NOT_RUNNING,
            "natfwd does not run here, or has another control_socket: start it, or give --socket"},
        {ECONNREFUSED, EXIT_NOT_RUNNING, "natfwd has ended: start it again"},
        {EAGAIN, EXIT_NOT_RUNNING, "natfwd does not answer: is it stopped?"},
    };
    size_t i = 0;
    while (i + 1 < sizeof(causes) / sizeof(causes[0]) && causes[i].error != error)
        i++;
    bool known = causes[i].error == error;
    fprintf(stderr, "natfwctl: %s: %s; %s\n", path, strerror(error),
        known ? causes[i].advice : "is this natfwd's control_socket?");
    return known ? causes[i].status : EXIT_NOT_RUNNING;
}

FILE *connection_open(const char *path, enum exit_status *status)
{
    int descriptor = connect_to(path);
    FILE *connection = descriptor >= 0 ? fdopen(descriptor, "r+") : NULL;
    if (!connection)
        *status = explain(path, errno);
    return connection;
}

json_t *connection_hear(FILE *connection)
{
    char *line = NULL;
    size_t size = 0;
    json_t *heard = NULL;
    if (getline(&line, &size, connection) > 0)
        heard = json_loads(line, 0, NULL);
    free(line);
    return heard;
}

int connection_daemon(FILE *connection)
{
    struct ucred daemon;
    socklen_t length = sizeof(daemon);
    if (getsockopt(fileno(connection), SOL_SOCKET, SO_PEERCRED, &daemon, &length) < 0)
        return -1;
    return (int)syscall(SYS_pidfd_open, daemon.pid, 0);
}

void connection_await_end(int daemon)
{
    struct pollfd end = {.fd = daemon, .events = POLLIN};
    if (daemon >= 0 && poll(&end, 1, END_MS) == 0)
        fprintf(
            stderr, "natfwctl: natfwd has not ended within %d s: is it stopped?\n", END_MS / 1000);
}

json_t *connection_ask(FILE *connection, const json_t *request, bool of_the_network)
{
    json_dumpf(request, connection, JSON_COMPACT);
    fputc('\n', connection);
    if (fflush(connection) != 0)
        return NULL;
    struct pollfd answer = {.fd = fileno(connection), .events = POLLIN};
    if (poll(&answer, 1, PATIENCE_MS) == 0)
        fprintf(stderr, "natfwctl: %s has not answered for %d s: still waiting%s\n",
            of_the_network ? "the path" : "natfwd", PATIENCE_MS / 1000,
            of_the_network ? "" : "; is it stopped?");
    return connection_hear(connection);
}

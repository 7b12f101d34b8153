/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl: asks a running natfwd; natfwctl(1) is its manual. */
#include "reference-node/natfwctl/arguments.h"
#include "reference-node/natfwctl/connection.h"
#include "reference-node/natfwctl/reply.h"
#include "reference-node/natfwctl/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static enum exit_status take(const struct arguments *arguments, FILE *connection, json_t *reply)
{
    if (!reply) {
        fprintf(stderr, "natfwctl: natfwd ended the connection without a reply\n");
        return EXIT_GONE;
    }
    return json_object_get(reply, "watching") ? watch(connection, arguments->as_json)
                                              : reply_print(arguments, reply);
}

/* Nobody has read its id, so that nobody could close it. */
static void close_unseen(FILE *connection, const json_t *reply)
{
    const char *id =
        json_string_value(json_object_get(json_object_get(reply, "session"), "session"));
    json_t *request = id ? json_pack("{s:s, s:s}", "command", "close", "session", id) : NULL;
    json_decref(request ? connection_ask(connection, request, false) : NULL);
    json_decref(request);
}

static enum exit_status run(const struct arguments *arguments, FILE *connection)
{
    bool ends_it = strcmp(arguments->command, "uninstall") == 0;
    bool opens = strcmp(arguments->command, "open") == 0;
    int daemon = ends_it ? connection_daemon(connection) : -1;
    json_t *reply = connection_ask(connection, arguments->request, opens);
    enum exit_status status = take(arguments, connection, reply);
    if (status == EXIT_OK)
        connection_await_end(daemon);
    if (opens && status == EXIT_OK && (fflush(stdout) != 0 || ferror(stdout)))
        close_unseen(connection, reply);
    if (daemon >= 0)
        close(daemon);
    json_decref(reply);
    return status;
}

/* What was not read is not known to have been done. */
static bool is_written(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "natfwctl: standard output: %s\n", strerror(errno));
    return false;
}

/* What is closed must not become the connection to natfwd: it is there, and cannot be written to.
 */
static void fill_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
            _exit(EXIT_REFUSED);
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    struct arguments arguments = {.request = json_object()};
    signal(SIGPIPE, SIG_IGN); /* told as any other trouble with the output */
    enum exit_status status = EXIT_REFUSED;
    int fault = arguments.request ? arguments_read(argc, argv, &arguments) : EXIT_REFUSED;
    FILE *connection = fault < 0 ? connection_open(arguments.socket_path, &status) : NULL;
    if (connection) {
        status = run(&arguments, connection);
        fclose(connection);
    }
    json_decref(arguments.request);
    status = fault < 0 ? status : (enum exit_status)fault;
    return is_written() || status != EXIT_OK ? (int)status : EXIT_REFUSED;
}

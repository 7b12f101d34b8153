/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl: asks a running natfwd; natfwctl(1) is its manual. */
#include "reference-node/natfwctl/arguments.h"
#include "reference-node/natfwctl/connection.h"
#include "reference-node/natfwctl/reply.h"
#include "reference-node/natfwctl/watch.h"

#include <string.h>

static enum exit_status run(const struct arguments *arguments, FILE *connection)
{
    json_t *reply = connection_ask(connection, arguments->request);
    if (!reply) {
        fprintf(stderr, "natfwctl: natfwd ended the connection without a reply\n");
        return EXIT_GONE;
    }
    enum exit_status status = EXIT_OK;
    if (json_object_get(reply, "watching"))
        status = watch(connection, arguments->as_json);
    else
        status = reply_print(arguments, reply);
    json_decref(reply);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.request = json_object()};
    enum exit_status status = EXIT_REFUSED;
    int fault = arguments.request ? arguments_read(argc, argv, &arguments) : EXIT_REFUSED;
    FILE *connection = fault < 0 ? connection_open(arguments.socket_path, &status) : NULL;
    if (connection) {
        status = run(&arguments, connection);
        fclose(connection);
    }
    json_decref(arguments.request);
    return fault < 0 ? (int)status : fault;
}

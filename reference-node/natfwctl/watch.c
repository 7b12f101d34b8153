/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl watch; see watch.h. */
#include "reference-node/natfwctl/watch.h"

#include "reference-node/natfwctl/connection.h"
#include "reference-node/natfwctl/sessions.h"

#include <signal.h>
#include <unistd.h>

/* Every line is out once it is printed: nothing is lost. */
static void on_stop(int signal_number)
{
    (void)signal_number;
    _exit(EXIT_OK);
}

enum exit_status watch(FILE *connection, bool as_json)
{
    json_t *event;
    struct sigaction stop = {.sa_handler = on_stop};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    while ((event = connection_hear(connection))) {
        if (as_json)
            json_dumpf(event, stdout, JSON_COMPACT);
        else
            sessions_print_event(event);
        if (as_json)
            printf("\n");
        json_decref(event);
        if (fflush(stdout) != 0)
            return EXIT_OK; /* nobody reads any more; main tells it */
    }
    fprintf(stderr, "natfwctl: watch: natfwd has ended, or what it said was not read in time\n");
    return EXIT_GONE;
}

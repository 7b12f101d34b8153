/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to natfwd: one JSON object a line, in both directions. */
#ifndef NATFWCTL_CONNECTION_H
#define NATFWCTL_CONNECTION_H

#include "reference-node/natfwctl/exit_status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Returns NULL after saying on standard error why natfwd cannot be asked and what to do; status is
 * then what to exit with. */
FILE *connection_open(const char *path, enum exit_status *status);

/* Sends a request and returns its reply, for which natfwd may have to wait for the network; NULL
 * when natfwd has ended. */
json_t *connection_ask(FILE *connection, const json_t *request, bool of_the_network);

/* The next line; NULL when natfwd has ended. */
json_t *connection_hear(FILE *connection);

/* The natfwd at the other end as a descriptor that is readable once it has ended, or -1: it runs
 * where it cannot be seen. The caller closes it. */
int connection_daemon(FILE *connection);

/* Waits until it has ended, and so left its sockets to the next one, for so long at the most. */
void connection_await_end(int daemon);

#endif

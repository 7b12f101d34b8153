/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The connection to natfwd: one JSON object a line, in both directions. */
#ifndef NATFWCTL_CONNECTION_H
#define NATFWCTL_CONNECTION_H

#include "reference-node/natfwctl/exit_status.h"

#include <jansson.h>
#include <stdio.h>

/* Returns NULL after saying on standard error why natfwd cannot be asked and what to do; status is
 * then what to exit with. */
FILE *connection_open(const char *path, enum exit_status *status);

/* Sends a request and returns its reply; NULL when natfwd has ended. */
json_t *connection_ask(FILE *connection, const json_t *request);

/* The next line; NULL when natfwd has ended. */
json_t *connection_hear(FILE *connection);

#endif

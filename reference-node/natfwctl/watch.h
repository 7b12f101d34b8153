/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl watch: one line for each change of a session. */
#ifndef NATFWCTL_WATCH_H
#define NATFWCTL_WATCH_H

#include "reference-node/natfwctl/exit_status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Prints what comes until natfwd ends: returns EXIT_GONE then. SIGINT and SIGTERM exit at once,
 * with EXIT_OK. */
enum exit_status watch(FILE *connection, bool as_json);

#endif

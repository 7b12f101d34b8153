/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the tools of tracing and mutation reach into a program: by its environment. */
#ifndef NATFWD_SPEC_ENVIRONMENT_H
#define NATFWD_SPEC_ENVIRONMENT_H

#include <stdbool.h>
#include <stdio.h>

/* Breaks the point that NATFW_MUTANT names. Returns false after saying that there is none. */
bool spec_environment_mutate(const char *program);

/* Opens what NATFW_TRACE_FILE names, NULL where it names nothing: at start, before the right to
 * open it may be given up. Complains where it cannot. */
FILE *spec_environment_open_trace(const char *program);

/* Appends the points that were reached, and closes the file, which may be NULL. */
void spec_environment_write_trace(FILE *trace, const char *program);

#endif

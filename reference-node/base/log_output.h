/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the log's lines go: to stderr or to syslog, and never by waiting. What whoever reads them
 * does not take at once waits in a queue; what the queue does not take is dropped and counted, and
 * a line says so as soon as there is room.
 */
#ifndef NATFWD_LOG_OUTPUT_H
#define NATFWD_LOG_OUTPUT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOG_OUTPUT_LINE_MAX = 1100 /* octets, all included */, LOG_OUTPUT_QUEUE_MAX = 256 };

/* stderr, or the datagram socket of syslog at this path. */
void log_output_to_stderr(void);
void log_output_to_syslog(const char *path);

/* From now on what waits goes out by itself; without a base it goes with the next line. */
bool log_output_attach(struct event_base *base);
/* What still waits has a moment to go out. */
void log_output_detach(void);

/* One line, or one datagram; longer ones are cut. */
void log_output_put(const char *line, size_t length);

/* How many lines were dropped since the start. */
uint64_t log_output_dropped(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The daemon's log: one line for each event, to stderr or to syslog. Writing never waits for
 * whoever reads, and of each kind of line, and of one peer, there are so many in ten seconds; a
 * summary counts the others.
 */
#ifndef NATFWD_LOG_H
#define NATFWD_LOG_H

#include "core/gist/address.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

extern const char *const log_level_names[]; /* ends in NULL */

/* Where lines go from now on; stderr before the first call. */
void log_to(bool use_syslog);

/* Lines that matter less than this are left out from now on; until then those of debug
 * are. */
void log_up_to(enum log_level level);
/* Whether lines of this level are kept: for those that cost something to make. */
bool log_keeps(enum log_level level);

/* So many lines of a kind, and of them so many of one peer, in ten seconds; 0: any number, as
 * before the first call. Returns false without memory: then there are no limits. */
bool log_limit_to(uint32_t lines_per_kind, uint32_t lines_per_peer);

/* From now on what waits to be read, and summaries, go out by themselves. */
bool log_attach(struct event_base *base);
void log_detach(void);

struct log_counters {
    uint64_t left_out; /* by the limits */
    uint64_t lost;     /* because nobody read them */
};
struct log_counters log_counters(void);

/* A line whose kind is its format. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line of this kind, a name in static memory, that this peer has brought about. */
void log_line_about(enum log_level level, const char *kind, const struct gist_address *peer,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif

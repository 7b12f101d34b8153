/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's log: one line for each event, to stderr or to syslog. */
#ifndef NATFWD_LOG_H
#define NATFWD_LOG_H

#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

extern const char *const log_level_names[]; /* ends in NULL */

/* Where lines go from now on; stderr before the first call. */
void log_to(bool use_syslog);

/* Lines that matter less than this are left out from now on; until then those of debug
 * are. */
void log_up_to(enum log_level level);
/* Whether lines of this level are kept: for those that cost something to make. */
bool log_keeps(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

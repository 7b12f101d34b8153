/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's log; see log.h. A line that repeats what peers send holds printable text only. */
#include "reference-node/base/log.h"

#include "reference-node/base/clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <syslog.h>
#include <time.h>

const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};

static bool to_syslog;
static enum log_level least = LOG_LEVEL_INFO;

void log_to(bool use_syslog)
{
    to_syslog = use_syslog;
    if (use_syslog)
        openlog("natfwd", LOG_PID, LOG_DAEMON);
}

void log_up_to(enum log_level level)
{
    least = level;
}

bool log_keeps(enum log_level level)
{
    return level <= least;
}

static void print_to_stderr(enum log_level level, const char *line)
{
    struct timespec now;
    char when[CLOCK_TEXT_SIZE];
    clock_gettime(CLOCK_REALTIME, &now);
    clock_text(&now, when);
    fprintf(stderr, "%s %s %s\n", when, log_level_names[level], line);
}

/* Peers can provoke warnings at will: so many in a second, and a count of the rest. */
static bool is_one_too_many(enum log_level level)
{
    enum { WARNINGS_PER_SECOND = 20 };
    static time_t second;
    static unsigned count;
    if (level != LOG_LEVEL_WARNING)
        return false;
    time_t now = time(NULL);
    unsigned suppressed = count > WARNINGS_PER_SECOND ? count - WARNINGS_PER_SECOND : 0;
    if (now != second) {
        second = now;
        count = 0;
        if (suppressed > 0)
            log_line(LOG_LEVEL_INFO, "%u more warnings were not logged", suppressed);
    }
    return ++count > WARNINGS_PER_SECOND;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    char line[1024];
    va_list arguments;
    if (!log_keeps(level) || is_one_too_many(level))
        return;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (to_syslog)
        syslog(priorities[level], "%s", line);
    else
        print_to_stderr(level, line);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daemon's log; see log.h. A line that repeats what peers send holds printable text only. */
#include "reference-node/base/log.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log_limit.h"
#include "reference-node/base/log_output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_MAX = 1000 };

const char *const log_level_names[] = {"error", "warning", "info", "debug", NULL};

static bool to_syslog;
static enum log_level least = LOG_LEVEL_INFO;
static struct log_limit limit;
static bool is_limited;
static uint64_t left_out;
static struct event *summary_timer;

void log_to(bool use_syslog)
{
    to_syslog = use_syslog;
    if (use_syslog)
        log_output_to_syslog(_PATH_LOG);
    else
        log_output_to_stderr();
}

void log_up_to(enum log_level level)
{
    least = level;
}

bool log_keeps(enum log_level level)
{
    return level <= least;
}

static void put_to_syslog(enum log_level level, const char *text)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    char datagram[LOG_OUTPUT_LINE_MAX], when[32];
    time_t now = time(NULL);
    struct tm parts;
    localtime_r(&now, &parts);
    strftime(when, sizeof(when), "%b %e %H:%M:%S", &parts);
    int length = snprintf(datagram, sizeof(datagram), "<%d>%s natfwd[%d]: %s",
        LOG_DAEMON | priorities[level], when, (int)getpid(), text);
    log_output_put(datagram, (size_t)length);
}

static void put_to_stderr(enum log_level level, const char *text)
{
    char line[LOG_OUTPUT_LINE_MAX], when[CLOCK_TEXT_SIZE];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_text(&now, when);
    int length = snprintf(line, sizeof(line), "%s %s %s\n", when, log_level_names[level], text);
    log_output_put(line, (size_t)length);
}

static void put(enum log_level level, const char *text)
{
    if (to_syslog)
        put_to_syslog(level, text);
    else
        put_to_stderr(level, text);
}

static void summarise(uint64_t now_ms)
{
    char text[TEXT_MAX];
    uint64_t count;
    const struct log_limit_kind *kind;
    while (is_limited && (kind = log_limit_summary(&limit, now_ms, &count))) {
        snprintf(text, sizeof(text), "%llu more like this in %d s: %s", (unsigned long long)count,
            LOG_LIMIT_WINDOW_MS / 1000, kind->sample);
        put((enum log_level)kind->level, text);
    }
}

bool log_limit_to(uint32_t lines_per_kind, uint32_t lines_per_peer)
{
    if (is_limited) {
        summarise(clock_now_ms() + LOG_LIMIT_WINDOW_MS); /* nothing is lost with the old limits */
        log_limit_close(&limit);
    }
    is_limited = log_limit_open(&limit, lines_per_kind, lines_per_peer);
    return is_limited;
}

/* A window later the summary is due, of this kind or of one before it. */
static void wait_for_summary(void)
{
    struct timeval window = {.tv_sec = LOG_LIMIT_WINDOW_MS / 1000, .tv_usec = 1000};
    if (summary_timer && !event_pending(summary_timer, EV_TIMEOUT, NULL))
        event_add(summary_timer, &window);
}

static void on_summary(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    (void)context;
    summarise(clock_now_ms());
    if (is_limited && log_limit_leaves_out(&limit))
        wait_for_summary();
}

bool log_attach(struct event_base *base)
{
    summary_timer = evtimer_new(base, on_summary, NULL);
    return log_output_attach(base) && summary_timer;
}

void log_detach(void)
{
    summarise(clock_now_ms() + LOG_LIMIT_WINDOW_MS);
    if (summary_timer)
        event_free(summary_timer);
    summary_timer = NULL;
    log_output_detach();
}

struct log_counters log_counters(void)
{
    return (struct log_counters){.left_out = left_out, .lost = log_output_dropped()};
}

static void put_within_limits(
    enum log_level level, const char *kind, const struct gist_address *peer, const char *text)
{
    uint64_t now_ms = clock_now_ms();
    struct base_share_name name = {peer, sizeof(*peer)};
    summarise(now_ms);
    if (!is_limited ||
        log_limit_passes(&limit, now_ms, (int)level, kind, peer ? &name : NULL, text)) {
        put(level, text);
        return;
    }
    left_out++;
    wait_for_summary();
}

void log_line_about(enum log_level level, const char *kind, const struct gist_address *peer,
    const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    if (!log_keeps(level))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put_within_limits(level, kind, peer, text);
}

void log_line(enum log_level level, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list arguments;
    if (!log_keeps(level))
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    put_within_limits(level, format, NULL, text);
}

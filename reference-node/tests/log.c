/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log: never waits for who reads it, and has so many lines of a kind and of a peer. */
#include "reference-node/base/log.h"
#include "reference-node/base/log_limit.h"
#include "reference-node/base/log_output.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define START_MS (UINT64_C(1) << 40)

/* What the log writes to; the test reads the other end, or does not. */
static int reading;

static void onto_stderr(int writing)
{
    fflush(stderr);
    cr_assert(dup2(writing, STDERR_FILENO) >= 0);
    close(writing);
    log_output_to_stderr();
}

static void write_to_pipe(void)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    reading = ends[0];
    onto_stderr(ends[1]);
}

/* All that is there to be read, counted in lines. */
static unsigned read_lines(char *last, size_t size)
{
    static char octets[1 << 20];
    unsigned lines = 0;
    ssize_t length;
    while ((length = read(reading, octets, sizeof(octets) - 1)) > 0) {
        octets[length] = '\0';
        for (char *line = octets; *line; lines++) {
            size_t end = strcspn(line, "\n");
            snprintf(last, size, "%.*s", (int)end, line);
            line += end + (line[end] == '\n');
        }
    }
    return lines;
}

static const char line[] =
    "a line that nobody may have to wait for, and that is as long as lines are";

Test(log, loses_lines_that_nobody_reads_and_says_so)
{
    enum { MANY = 20000 };
    char last[256];
    write_to_pipe();
    for (unsigned i = 0; i < MANY; i++)
        log_line(LOG_LEVEL_INFO, "%u: %s", i, line);
    uint64_t lost = log_counters().lost;
    cr_assert(lost > 0 && lost < MANY);
    unsigned got = read_lines(last, sizeof(last));
    for (unsigned rounds = 0; rounds < 10; rounds++) {
        log_line(LOG_LEVEL_INFO, "and on");
        got += read_lines(last, sizeof(last));
    }
    cr_assert_eq(log_counters().lost, lost);
    cr_assert_eq(got, MANY - lost + 10 + 1, "%u lines, %lu lost", got, (unsigned long)lost);
    cr_assert(strstr(last, "and on"), "%s", last);
}

static void on_patience(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    event_base_loopbreak(context);
}

Test(log, what_waits_goes_out_by_the_loop)
{
    char last[256];
    struct timeval patience = {.tv_sec = 1};
    struct event_base *base = event_base_new();
    write_to_pipe();
    cr_assert(log_attach(base));
    unsigned put = 0;
    while (log_counters().lost == 0) {
        log_line(LOG_LEVEL_INFO, "%u: %s", put++, line);
    }
    unsigned got = 0;
    event_base_once(base, -1, EV_TIMEOUT, on_patience, base, &patience);
    while (got < put - 1 && !event_base_got_break(base)) {
        got += read_lines(last, sizeof(last));
        event_base_loop(base, EVLOOP_ONCE);
    }
    got += read_lines(last, sizeof(last));
    cr_assert_geq(got, put - 1, "%u of %u", got, put);
    log_detach();
    event_base_free(base);
}

Test(log, a_reader_that_has_gone_costs_lines_and_nothing_else)
{
    signal(SIGPIPE, SIG_IGN);
    write_to_pipe();
    close(reading);
    for (unsigned i = 0; i < 10; i++)
        log_line(LOG_LEVEL_INFO, "%s", line);
    cr_assert_geq(log_counters().lost, 9);
}

Test(log, writes_to_a_file)
{
    char last[256];
    char path[] = "/tmp/natfwd-log-XXXXXX";
    int file = mkstemp(path);
    reading = open(path, O_RDONLY);
    unlink(path);
    struct event_base *base = event_base_new();
    onto_stderr(file);
    log_attach(base); /* which cannot watch a file, and need not */
    for (unsigned i = 0; i < 100; i++)
        log_line(LOG_LEVEL_WARNING, "%u: %s", i, line);
    cr_assert_eq(read_lines(last, sizeof(last)), 100);
    cr_assert(strstr(last, "warning 99: a line"), "%s", last);
    log_detach();
    event_base_free(base);
}

static int syslog_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    int daemon = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    cr_assert_eq(bind(daemon, (struct sockaddr *)&address, sizeof(address)), 0);
    return daemon;
}

Test(log, a_syslog_that_sleeps_or_starts_again_is_no_hindrance)
{
    char path[64], datagram[LOG_OUTPUT_LINE_MAX];
    unsigned got = 0;
    snprintf(path, sizeof(path), "/tmp/natfwd-syslog-%d", (int)getpid());
    int daemon = syslog_at(path);
    log_output_to_syslog(path);
    for (unsigned i = 0; i < 2000; i++)
        log_output_put(line, sizeof(line) - 1);
    uint64_t lost = log_counters().lost;
    cr_assert_gt(lost, 0);
    for (unsigned round = 0; round < 400 && got < 2000 - lost; round++) {
        while (recv(daemon, datagram, sizeof(datagram), 0) == (ssize_t)sizeof(line) - 1)
            got++;
        log_output_put("", 0);
    }
    cr_assert_geq(got, 2000 - lost);
    close(daemon);
    log_output_put(line, sizeof(line) - 1);
    daemon = syslog_at(path);
    log_output_put("again", 5);
    log_output_put("again", 5);
    ssize_t length = recv(daemon, datagram, sizeof(datagram), 0);
    cr_assert_geq(length, 0);
    unlink(path);
}

/* Limits, in virtual time. */

static struct log_limit limit;
static const char kind[] = "a kind", other_kind[] = "another";

static unsigned passing(uint64_t now_ms, const void *name, const char *peer, unsigned count)
{
    struct base_share_name who = {peer, peer ? strlen(peer) : 0};
    unsigned passed = 0;
    for (unsigned i = 0; i < count; i++) {
        char text[32];
        snprintf(text, sizeof(text), "line %u", i);
        passed +=
            log_limit_passes(&limit, now_ms, LOG_LEVEL_WARNING, name, peer ? &who : NULL, text);
    }
    return passed;
}

Test(log, of_a_kind_there_are_so_many_lines_and_a_summary)
{
    uint64_t left_out;
    cr_assert(log_limit_open(&limit, 10, 0));
    cr_assert_eq(passing(START_MS, kind, NULL, 322), 10);
    cr_assert_eq(passing(START_MS, other_kind, NULL, 10), 10);
    cr_assert_null(log_limit_summary(&limit, START_MS + LOG_LIMIT_WINDOW_MS - 1, &left_out));
    const struct log_limit_kind *summary =
        log_limit_summary(&limit, START_MS + LOG_LIMIT_WINDOW_MS, &left_out);
    cr_assert(summary && summary->name == kind && left_out == 312);
    cr_assert_str_eq(summary->sample, "line 321");
    cr_assert_null(log_limit_summary(&limit, START_MS + LOG_LIMIT_WINDOW_MS, &left_out));
    cr_assert_eq(passing(START_MS + LOG_LIMIT_WINDOW_MS, kind, NULL, 100), 10);
    log_limit_close(&limit);
}

Test(log, one_peer_does_not_take_the_lines_of_others)
{
    uint64_t left_out;
    cr_assert(log_limit_open(&limit, 20, 5));
    cr_assert_eq(passing(START_MS, kind, "192.0.2.1", 100), 5);
    cr_assert_eq(passing(START_MS, kind, "192.0.2.2", 100), 5);
    cr_assert_eq(passing(START_MS, other_kind, "192.0.2.1", 100), 5);
    cr_assert_eq(passing(START_MS, kind, NULL, 100), 10, "the rest of the kind's");
    cr_assert(log_limit_summary(&limit, START_MS + LOG_LIMIT_WINDOW_MS, &left_out));
    cr_assert_eq(left_out, 95 + 95 + 90);
    log_limit_close(&limit);
}

Test(log, without_limits_every_line_passes)
{
    cr_assert(log_limit_open(&limit, 0, 0));
    cr_assert_eq(passing(START_MS, kind, "192.0.2.1", 5000), 5000);
    cr_assert_not(log_limit_leaves_out(&limit));
    log_limit_close(&limit);
}

Test(log, kinds_beyond_number_share_the_last)
{
    static char names[2 * LOG_LIMIT_KINDS_MAX];
    unsigned passed = 0;
    cr_assert(log_limit_open(&limit, 1, 0));
    for (size_t i = 0; i < sizeof(names); i++)
        passed += passing(START_MS, &names[i], NULL, 2);
    cr_assert_eq(passed, LOG_LIMIT_KINDS_MAX);
    log_limit_close(&limit);
}

Test(log, other_limits_lose_no_summary)
{
    char last[512];
    write_to_pipe();
    cr_assert(log_limit_to(3, 2));
    for (unsigned i = 0; i < 10; i++)
        log_line(LOG_LEVEL_INFO, "of nobody: %u", i);
    cr_assert_eq(read_lines(last, sizeof(last)), 3);
    cr_assert(log_limit_to(4, 2));
    cr_assert_eq(read_lines(last, sizeof(last)), 1);
    cr_assert(strstr(last, "info 7 more like this in 10 s: of nobody: 9"), "%s", last);
    for (unsigned i = 0; i < 10; i++)
        log_line(LOG_LEVEL_INFO, "of nobody: %u", i);
    cr_assert_eq(read_lines(last, sizeof(last)), 4, "the new ones hold");
}

Test(log, the_limits_hold_for_what_is_written)
{
    char last[512];
    write_to_pipe();
    cr_assert(log_limit_to(3, 2));
    struct gist_address peer = gist_address_v4(0xc0000201);
    for (unsigned i = 0; i < 10; i++)
        log_line_about(LOG_LEVEL_INFO, kind, &peer, "of a peer: %u", i);
    cr_assert_eq(read_lines(last, sizeof(last)), 2);
    for (unsigned i = 0; i < 10; i++)
        log_line(LOG_LEVEL_INFO, "of nobody: %u", i);
    cr_assert_eq(read_lines(last, sizeof(last)), 3);
    cr_assert_eq(log_counters().left_out, 8 + 7);
    log_detach();
    cr_assert_eq(read_lines(last, sizeof(last)), 2);
    cr_assert(strstr(last, "info 7 more like this in 10 s: of nobody: 9"), "%s", last);
}

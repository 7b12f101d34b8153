/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Output that never waits; see log_output.h.
 *
 * stderr is shared with whoever started us, so that its O_NONBLOCK is not ours to set: poll says
 * that a pipe has room for a line (PIPE_BUF octets are written at once or not at all).
 */
#include "reference-node/base/log_output.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert(LOG_OUTPUT_LINE_MAX <= PIPE_BUF, "a pipe that is writable takes a whole line");

enum { FAREWELL_MS = 100, NOTICE_SIZE = 64 };

struct line {
    size_t length;
    char octets[LOG_OUTPUT_LINE_MAX];
};

/* There is one log for the process, as there is one stderr. */
static struct {
    int descriptor; /* 0: stderr, before anything was said of it */
    bool is_syslog;
    struct sockaddr_un syslog;
    struct line queue[LOG_OUTPUT_QUEUE_MAX];
    size_t first;
    size_t count;
    uint64_t dropped;
    uint64_t told; /* of those dropped */
    struct event *writable;
} output;

static int descriptor(void)
{
    return output.is_syslog ? output.descriptor : STDERR_FILENO;
}

static void connect_syslog(void)
{
    if (output.descriptor < 0)
        output.descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (output.descriptor >= 0)
        (void)connect(output.descriptor, (struct sockaddr *)&output.syslog, sizeof(output.syslog));
}

static void close_syslog(void)
{
    if (output.is_syslog && output.descriptor >= 0)
        close(output.descriptor);
    output.descriptor = -1;
    output.is_syslog = false;
}

void log_output_to_stderr(void)
{
    close_syslog();
}

void log_output_to_syslog(const char *path)
{
    close_syslog();
    output.is_syslog = true;
    output.syslog = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(output.syslog.sun_path, sizeof(output.syslog.sun_path), "%s", path);
    connect_syslog();
}

enum sent { SENT, WAITS, LOST };

static enum sent send_to_syslog(const char *octets, size_t length)
{
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (send(output.descriptor, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return SENT;
        if (errno == EAGAIN || errno == ENOBUFS)
            return WAITS;
        connect_syslog(); /* it was restarted */
    }
    return LOST;
}

static enum sent send_to_stderr(const char *octets, size_t length)
{
    struct pollfd stream = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&stream, 1, 0) != 1 || !(stream.revents & POLLOUT))
        return stream.revents & (POLLERR | POLLHUP | POLLNVAL) ? LOST : WAITS;
    ssize_t written = send(STDERR_FILENO, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (written < 0 && errno == ENOTSOCK)
        written = write(STDERR_FILENO, octets, length);
    return written >= 0 ? SENT : errno == EAGAIN ? WAITS : LOST;
}

static enum sent send_line(const char *octets, size_t length)
{
    return output.is_syslog ? send_to_syslog(octets, length) : send_to_stderr(octets, length);
}

/* Returns false where somebody has to wait still. */
static bool send_queue(void)
{
    while (output.count > 0) {
        const struct line *line = &output.queue[output.first];
        enum sent sent = send_line(line->octets, line->length);
        if (sent == WAITS)
            return false;
        output.dropped += sent == LOST;
        output.first = (output.first + 1) % LOG_OUTPUT_QUEUE_MAX;
        output.count--;
    }
    return true;
}

static void tell_dropped(void)
{
    char notice[NOTICE_SIZE];
    int length = snprintf(notice, sizeof(notice), "%llu lines of the log were lost\n",
        (unsigned long long)(output.dropped - output.told));
    if (output.dropped > output.told && send_line(notice, (size_t)length) == SENT)
        output.told = output.dropped;
}

static void wait_writable(void)
{
    if (output.writable && output.count > 0)
        event_add(output.writable, NULL);
}

static void on_writable(evutil_socket_t of, short what, void *context)
{
    (void)of;
    (void)what;
    (void)context;
    if (send_queue())
        tell_dropped();
    wait_writable();
}

bool log_output_attach(struct event_base *base)
{
    output.writable = event_new(base, descriptor(), EV_WRITE, on_writable, NULL);
    wait_writable();
    return output.writable;
}

void log_output_detach(void)
{
    struct pollfd stream = {.fd = descriptor(), .events = POLLOUT};
    if (output.writable)
        event_free(output.writable);
    output.writable = NULL;
    if (output.count > 0 && poll(&stream, 1, FAREWELL_MS) == 1)
        (void)send_queue();
}

void log_output_put(const char *line, size_t length)
{
    if (length > LOG_OUTPUT_LINE_MAX)
        length = LOG_OUTPUT_LINE_MAX;
    enum sent sent = send_queue() ? send_line(line, length) : WAITS;
    if (sent == SENT)
        tell_dropped();
    if (sent == WAITS && output.count < LOG_OUTPUT_QUEUE_MAX) {
        struct line *last = &output.queue[(output.first + output.count++) % LOG_OUTPUT_QUEUE_MAX];
        last->length = length;
        memcpy(last->octets, line, length);
        wait_writable();
        return;
    }
    output.dropped += sent != SENT;
}

uint64_t log_output_dropped(void)
{
    return output.dropped;
}

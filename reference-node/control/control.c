/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket; see control.h. */
#include "reference-node/control/control.h"

#include "reference-node/base/acceptor.h"
#include "reference-node/base/log.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

struct control_client {
    struct control *control;
    struct bufferevent *stream;
    bool awaits_reply;
    bool is_reading;            /* the loop of read_requests is below on the stack */
    bool is_finished;           /* the client has sent its last: it ends with its last reply */
    bool is_deaf;               /* it does not read: about to end */
    struct control_parts parts; /* of the reply that is being written; none without append */
    struct evbuffer *news;      /* what waits for the end of such a reply */
    struct control_client *prev;
    struct control_client *next;
};

struct control {
    struct event_base *base;
    struct acceptor *acceptor;
    struct sockaddr_un address;
    struct control_listener listener;
    struct control_client *clients;
    size_t client_count;
};

json_t *control_error(const char *kind, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return json_pack("{s:b, s:s, s:s}", "ok", 0, "error", kind, "message", text);
}

static void release_parts(struct control_client *client)
{
    if (client->parts.append)
        client->parts.release(client->parts.context);
    client->parts = (struct control_parts){0};
}

static void release(struct control_client *client)
{
    release_parts(client);
    DL_DELETE(client->control->clients, client);
    client->control->client_count--;
    bufferevent_free(client->stream);
    evbuffer_free(client->news);
    free(client);
}

static void end(struct control_client *client)
{
    struct control_listener *listener = &client->control->listener;
    listener->gone(listener->context, client);
    release(client);
}

static void take_line(struct control_client *client, const char *line, size_t length)
{
    struct control_listener *listener = &client->control->listener;
    json_error_t error;
    json_t *request = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    client->awaits_reply = true;
    if (json_is_object(request))
        listener->request(listener->context, client, request);
    else
        control_reply(client,
            control_error("usage", "not a JSON object: %s", request ? "another type" : error.text));
    json_decref(request);
}

/* Returns false when the client was ended. */
static bool read_requests(struct control_client *client)
{
    struct evbuffer *input = bufferevent_get_input(client->stream);
    client->is_reading = true;
    while (!client->awaits_reply) {
        size_t length;
        char *line = evbuffer_readln(input, &length, EVBUFFER_EOL_LF);
        if (!line)
            break;
        take_line(client, line, length);
        free(line);
    }
    client->is_reading = false;
    if (client->awaits_reply)
        return true;
    if (evbuffer_get_length(input) >= CONTROL_LINE_MAX) {
        log_line(LOG_LEVEL_WARNING, "control: a request is longer than %d octets: client ended",
            CONTROL_LINE_MAX);
        end(client);
        return false;
    }
    if (client->is_finished && evbuffer_get_length(bufferevent_get_output(client->stream)) == 0) {
        end(client);
        return false;
    }
    return true;
}

/* The client's next request may come. */
static void end_reply(struct control_client *client)
{
    client->awaits_reply = false;
    if (!client->is_reading)
        bufferevent_trigger(client->stream, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
}

void control_reply(struct control_client *client, json_t *reply)
{
    if (!reply)
        reply = control_error("refused", "no memory for the reply");
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    if (text)
        evbuffer_add_printf(bufferevent_get_output(client->stream), "%s\n", text);
    free(text);
    json_decref(reply);
    end_reply(client);
}

static void append_part(struct control_client *client)
{
    struct evbuffer *output = bufferevent_get_output(client->stream);
    if (client->parts.append(client->parts.context, output))
        return;
    release_parts(client);
    evbuffer_add(output, "\n", 1);
    evbuffer_add_buffer(output, client->news);
    end_reply(client);
}

void control_reply_in_parts(struct control_client *client, const struct control_parts *parts)
{
    client->parts = *parts;
    append_part(client);
}

void control_tell(struct control_client *client, const json_t *news)
{
    struct evbuffer *output =
        client->parts.append ? client->news : bufferevent_get_output(client->stream);
    char *text = client->is_deaf ? NULL : json_dumps(news, JSON_COMPACT);
    if (!text)
        return;
    if (evbuffer_get_length(output) + strlen(text) < CONTROL_UNREAD_MAX) {
        evbuffer_add_printf(output, "%s\n", text);
    } else {
        client->is_deaf = true;
        log_line(LOG_LEVEL_WARNING, "control: a client leaves %d octets unread: client ended",
            CONTROL_UNREAD_MAX);
        bufferevent_trigger_event(client->stream, BEV_EVENT_ERROR, BEV_TRIG_DEFER_CALLBACKS);
    }
    free(text);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    (void)stream;
    read_requests(context);
}

/* A client that does not read its replies gets no further ones, nor further parts of one. */
static void on_drained(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct control_client *client = context;
    if (client->parts.append)
        append_part(client);
    else if (!client->awaits_reply)
        read_requests(client);
}

/* Both directions are closed, where a client may close its sending side and still wait. */
static bool has_hung_up(struct bufferevent *stream)
{
    struct pollfd end = {.fd = bufferevent_getfd(stream)};
    return poll(&end, 1, 0) == 1 && (end.revents & (POLLHUP | POLLERR));
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct control_client *client = context;
    bool has_more = client->awaits_reply || evbuffer_get_length(bufferevent_get_output(stream)) > 0;
    if ((what & BEV_EVENT_EOF) && (what & BEV_EVENT_READING) && !client->is_finished && has_more &&
        !has_hung_up(stream)) {
        client->is_finished = true;
        return;
    }
    end(client);
}

static bool open_stream(
    struct control *control, struct control_client *client, evutil_socket_t descriptor)
{
    client->news = evbuffer_new();
    if (client->news)
        client->stream = bufferevent_socket_new(
            control->base, descriptor, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (!client->stream) {
        if (client->news)
            evbuffer_free(client->news);
        return false;
    }
    bufferevent_setcb(client->stream, on_readable, on_drained, on_event, client);
    bufferevent_setwatermark(client->stream, EV_READ, 0, CONTROL_LINE_MAX);
    return true;
}

static void on_accept(
    void *context, evutil_socket_t descriptor, const struct sockaddr *address, socklen_t length)
{
    (void)address;
    (void)length;
    struct control *control = context;
    struct control_client *client = NULL;
    if (control->client_count < CONTROL_CLIENTS_MAX)
        client = calloc(1, sizeof(*client));
    if (!client || !open_stream(control, client, descriptor)) {
        evutil_closesocket(descriptor);
        free(client);
        return;
    }
    client->control = control;
    DL_APPEND(control->clients, client);
    control->client_count++;
    bufferevent_enable(client->stream, EV_READ | EV_WRITE);
}

/* True when a process answers there. */
static bool is_served(const struct sockaddr_un *address)
{
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answers = descriptor >= 0 &&
                   connect(descriptor, (const struct sockaddr *)address, sizeof(*address)) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return answers;
}

/* As a service manager does before it starts us; /run is empty after a boot. */
static void make_folder_of(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    snprintf(folder, sizeof(folder), "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = '\0';
    mkdir(folder, 0750);
}

static int bind_socket(const struct sockaddr_un *address)
{
    make_folder_of(address->sun_path);
    if (is_served(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    struct stat what;
    if (lstat(address->sun_path, &what) == 0 && S_ISSOCK(what.st_mode))
        unlink(address->sun_path);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0077);
    int result =
        descriptor < 0 ? -1 : bind(descriptor, (const struct sockaddr *)address, sizeof(*address));
    umask(mask);
    if (result == 0)
        return descriptor;
    int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    errno = error;
    return -1;
}

struct control *control_create(
    struct event_base *base, const char *path, const struct control_listener *listener)
{
    struct control *control = calloc(1, sizeof(*control));
    if (!control)
        return NULL;
    control->base = base;
    control->listener = *listener;
    control->address.sun_family = AF_UNIX;
    snprintf(control->address.sun_path, sizeof(control->address.sun_path), "%s", path);
    int descriptor = bind_socket(&control->address);
    struct acceptor_listener connections = {
        .context = control, .name = "control", .accepted = on_accept};
    if (descriptor >= 0)
        control->acceptor = acceptor_create(base, descriptor, CONTROL_CLIENTS_MAX, &connections);
    if (control->acceptor)
        return control;
    int error = errno;
    free(control);
    errno = error;
    return NULL;
}

void control_destroy(struct control *control)
{
    if (!control)
        return;
    while (control->clients)
        release(control->clients); // NOLINT(clang-analyzer-unix.Malloc): it is off the list
    acceptor_destroy(control->acceptor);
    unlink(control->address.sun_path);
    free(control);
}

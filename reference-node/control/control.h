/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The control socket: a unix stream on which each line is a JSON object, one reply to each request
 * in order. Lines, clients and what a client leaves unread are bounded.
 */
#ifndef NATFWD_CONTROL_H
#define NATFWD_CONTROL_H

#include <event2/buffer.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>

enum { CONTROL_LINE_MAX = 65536, CONTROL_CLIENTS_MAX = 64, CONTROL_UNREAD_MAX = 262144 };

struct control;
struct control_client;

struct control_listener {
    void *context;
    /* A request, valid during the call. The next one of this client comes after its reply. */
    void (*request)(void *context, struct control_client *client, const json_t *request);
    /* The client has gone; nothing may be told to it any more. */
    void (*gone)(void *context, struct control_client *client);
};

/* Listens on path, for the owner only; its folder is made where it is missing, and a socket that
 * nobody serves any more is replaced. Returns
 * NULL with errno set, EADDRINUSE when another process serves it. */
struct control *control_create(
    struct event_base *base, const char *path, const struct control_listener *listener);
/* Ends the clients, without telling of it, and takes the socket away. */
void control_destroy(struct control *control);

/* Answers a request, now or later; takes the reply over. */
void control_reply(struct control_client *client, json_t *reply);

/* A reply that is too much for one turn of the loop. */
struct control_parts {
    void *context;
    /* Appends the next part, without the end of the line. Returns false after the last. */
    bool (*append)(void *context, struct evbuffer *reply);
    /* The reply is complete, or its client has gone. */
    void (*release)(void *context);
};
/* Answers a request by and by: one part a turn, and none while the client does not read. */
void control_reply_in_parts(struct control_client *client, const struct control_parts *parts);

/* Says something that is no reply, also while one is outstanding. A client that leaves more than
 * CONTROL_UNREAD_MAX octets unread is ended in a later turn of the loop, and hears no more. */
void control_tell(struct control_client *client, const json_t *news);

/* {"ok": false, "error": kind, "message": text}. */
json_t *control_error(const char *kind, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

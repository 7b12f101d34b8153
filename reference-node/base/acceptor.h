/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accepts connections. While there are no descriptors left, accepting pauses: the connections that
 * wait would have the loop spin. */
#ifndef NATFWD_ACCEPTOR_H
#define NATFWD_ACCEPTOR_H

#include <event2/event.h>
#include <event2/util.h>
#include <sys/socket.h>

struct acceptor;

struct acceptor_listener {
    void *context;
    const char *name; /* for the log; in static memory */
    /* The descriptor is the callee's. */
    void (*accepted)(
        void *context, evutil_socket_t descriptor, const struct sockaddr *peer, socklen_t length);
};

/* Listens on a bound socket, which it takes over. Returns NULL with errno set: then it is closed.
 */
struct acceptor *acceptor_create(struct event_base *base, evutil_socket_t bound, int backlog,
    const struct acceptor_listener *listener);
void acceptor_destroy(struct acceptor *acceptor);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accepting, with pauses; see acceptor.h. */
#include "reference-node/base/acceptor.h"

#include "reference-node/base/log.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>

enum { PAUSE_S = 1 };

struct acceptor {
    struct acceptor_listener listener;
    struct evconnlistener *connections;
    struct event *again;
};

static void on_accept(struct evconnlistener *connections, evutil_socket_t descriptor,
    struct sockaddr *peer, int length, void *context)
{
    (void)connections;
    struct acceptor *acceptor = context;
    acceptor->listener.accepted(
        acceptor->listener.context, descriptor, peer, length > 0 ? (socklen_t)length : 0);
}

static void on_error(struct evconnlistener *connections, void *context)
{
    struct acceptor *acceptor = context;
    struct timeval pause = {.tv_sec = PAUSE_S};
    log_line(LOG_LEVEL_WARNING, "%s: accept: %s; pausing", acceptor->listener.name,
        strerror(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(connections);
    event_add(acceptor->again, &pause);
}

static void on_again(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct acceptor *acceptor = context;
    evconnlistener_enable(acceptor->connections);
}

struct acceptor *acceptor_create(struct event_base *base, evutil_socket_t bound, int backlog,
    const struct acceptor_listener *listener)
{
    struct acceptor *acceptor = calloc(1, sizeof(*acceptor));
    if (acceptor) {
        acceptor->listener = *listener;
        acceptor->again = evtimer_new(base, on_again, acceptor);
        acceptor->connections = evconnlistener_new(base, on_accept, acceptor,
            LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, backlog, bound);
    }
    if (acceptor && acceptor->again && acceptor->connections) {
        evconnlistener_set_error_cb(acceptor->connections, on_error);
        return acceptor;
    }
    int error = errno;
    if (!acceptor || !acceptor->connections)
        evutil_closesocket(bound);
    acceptor_destroy(acceptor);
    errno = error;
    return NULL;
}

void acceptor_destroy(struct acceptor *acceptor)
{
    if (!acceptor)
        return;
    if (acceptor->connections)
        evconnlistener_free(acceptor->connections);
    if (acceptor->again)
        event_free(acceptor->again);
    free(acceptor);
}

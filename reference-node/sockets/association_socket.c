/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections of messaging associations; see association_socket.h. */
#include "reference-node/sockets/association_socket.h"

#include "reference-node/base/log.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uthash.h>

enum {
    BACKLOG = 128,
    OUTPUT_MAX = 1 << 20, /* octets that a slow peer may leave with us */
    INPUT_MAX = 1 << 16,
    CONNECT_WITHIN_S = 10,
    LINGER_S = 5,       /* for what is left to send on a connection that was closed */
    ACCEPT_PAUSE_S = 1, /* when there are no descriptors left */
    KEEPALIVE_AFTER_S = 60
};

struct connection {
    struct association_socket *owner;
    gist_association_id id;
    struct bufferevent *stream;
    struct gist_endpoint peer;
    bool is_closing; /* the core has let go of it: only output is left */
    struct connection *next_closing;
    struct connection *previous_closing;
    UT_hash_handle hh;
};

struct association_socket {
    struct event_base *base;
    struct association_listener listener;
    struct evconnlistener *acceptor;
    struct event *accept_again;
    struct connection *connections; /* by id */
    struct connection *closing;     /* a list */
    size_t count;                   /* of both */
    size_t connections_max;
};

static struct gist_endpoint endpoint_of(const struct sockaddr *address)
{
    struct sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof(ipv4));
    return (struct gist_endpoint){
        .address = gist_address_v4(ntohl(ipv4.sin_addr.s_addr)), .port = ntohs(ipv4.sin_port)};
}

static struct connection *find(struct association_socket *associations, gist_association_id id)
{
    struct connection *connection;
    HASH_FIND(hh, associations->connections, &id, sizeof(id), connection);
    return connection;
}

static void unlink_closing(struct connection *connection)
{
    if (connection->previous_closing)
        connection->previous_closing->next_closing = connection->next_closing;
    else
        connection->owner->closing = connection->next_closing;
    if (connection->next_closing)
        connection->next_closing->previous_closing = connection->previous_closing;
}

static void release(struct connection *connection)
{
    if (connection->is_closing)
        unlink_closing(connection);
    else
        HASH_DEL(connection->owner->connections, connection);
    connection->owner->count--;
    bufferevent_free(connection->stream);
    free(connection);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;
    struct association_socket *associations = connection->owner;
    struct evbuffer *input = bufferevent_get_input(stream);
    gist_association_id id = connection->id;
    uint8_t octets[4096];
    int length;
    /* The core may close the association while it reads. */
    while ((connection = find(associations, id)) && connection->stream == stream &&
           (length = evbuffer_remove(input, octets, sizeof(octets))) > 0)
        associations->listener.received(associations->listener.context, id, octets, (size_t)length);
}

/* Everything has gone out. */
static void on_drained(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct connection *connection = context;
    if (connection->is_closing)
        release(connection);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    struct connection *connection = context;
    struct association_socket *associations = connection->owner;
    gist_association_id id = connection->id;
    if (what & BEV_EVENT_CONNECTED) {
        bufferevent_set_timeouts(stream, NULL, NULL);
        if (!connection->is_closing)
            associations->listener.connected(associations->listener.context, id,
                associations->listener.interface_to(
                    associations->listener.context, &connection->peer.address));
        return;
    }
    bool tell = !connection->is_closing;
    release(connection);
    if (tell)
        associations->listener.closed(associations->listener.context, id);
}

static void set_keepalive(evutil_socket_t descriptor)
{
    int one = 1, after_s = KEEPALIVE_AFTER_S;
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &after_s, sizeof(after_s));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Takes the descriptor over, also when it fails; -1 makes a socket for connecting. */
static struct connection *add(struct association_socket *associations, evutil_socket_t descriptor,
    const struct gist_endpoint *peer)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    struct bufferevent *stream = connection ? bufferevent_socket_new(associations->base, descriptor,
                                                  BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
                                            : NULL;
    if (!stream) {
        if (descriptor >= 0)
            evutil_closesocket(descriptor);
        free(connection);
        return NULL;
    }
    connection->owner = associations;
    connection->stream = stream;
    connection->peer = *peer;
    bufferevent_setcb(stream, on_readable, on_drained, on_event, connection);
    bufferevent_setwatermark(stream, EV_READ, 0, INPUT_MAX);
    return connection;
}

static void discard(struct connection *connection)
{
    bufferevent_free(connection->stream);
    free(connection);
}

static void keep(struct connection *connection, gist_association_id id)
{
    struct association_socket *associations = connection->owner;
    connection->id = id;
    HASH_ADD(hh, associations->connections, id, sizeof(id), connection);
    associations->count++;
}

static void on_accept(struct evconnlistener *acceptor, evutil_socket_t descriptor,
    struct sockaddr *address, int length, void *context)
{
    (void)acceptor;
    struct association_socket *associations = context;
    struct sockaddr_in own;
    socklen_t own_length = sizeof(own);
    if (associations->count >= associations->connections_max ||
        length < (int)sizeof(struct sockaddr_in) ||
        getsockname(descriptor, (struct sockaddr *)&own, &own_length) < 0) {
        evutil_closesocket(descriptor);
        return;
    }
    struct gist_endpoint peer = endpoint_of(address);
    struct gist_endpoint local = endpoint_of((struct sockaddr *)&own);
    set_keepalive(descriptor);
    struct connection *connection = add(associations, descriptor, &peer);
    if (!connection)
        return;
    const struct association_listener *listener = &associations->listener;
    gist_association_id id = listener->accepted(
        listener->context, &peer, &local, listener->interface_to(listener->context, &peer.address));
    if (id == 0) {
        discard(connection);
        return;
    }
    keep(connection, id);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

static void on_accept_error(struct evconnlistener *acceptor, void *context)
{
    struct association_socket *associations = context;
    struct timeval pause = {.tv_sec = ACCEPT_PAUSE_S};
    log_line(LOG_LEVEL_WARNING, "tcp: accept: %s; pausing", strerror(EVUTIL_SOCKET_ERROR()));
    evconnlistener_disable(acceptor);
    event_add(associations->accept_again, &pause);
}

static void on_accept_again(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct association_socket *associations = context;
    evconnlistener_enable(associations->acceptor);
}

static bool listen_on(struct association_socket *associations, uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    associations->accept_again = evtimer_new(associations->base, on_accept_again, associations);
    associations->acceptor = evconnlistener_new_bind(associations->base, on_accept, associations,
        LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_REUSEABLE, BACKLOG,
        (struct sockaddr *)&any, sizeof(any));
    if (!associations->accept_again || !associations->acceptor)
        return false;
    evconnlistener_set_error_cb(associations->acceptor, on_accept_error);
    return true;
}

struct association_socket *association_socket_create(struct event_base *base, uint16_t port,
    size_t connections_max, const struct association_listener *listener)
{
    struct association_socket *associations = calloc(1, sizeof(*associations));
    if (!associations)
        return NULL;
    associations->base = base;
    associations->listener = *listener;
    associations->connections_max = connections_max;
    if (port == 0 || listen_on(associations, port))
        return associations;
    int error = errno;
    association_socket_destroy(associations);
    errno = error;
    return NULL;
}

void association_socket_destroy(struct association_socket *associations)
{
    if (!associations)
        return;
    struct connection *connection, *next;
    HASH_ITER(hh, associations->connections, connection, next)
        release(connection);
    while (associations->closing)
        release(associations->closing);
    if (associations->acceptor)
        evconnlistener_free(associations->acceptor);
    if (associations->accept_again)
        event_free(associations->accept_again);
    free(associations);
}

bool association_socket_open(struct association_socket *associations, gist_association_id id,
    const struct gist_endpoint *peer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    struct timeval within = {.tv_sec = CONNECT_WITHIN_S};
    if (peer->address.version != 4 || associations->count >= associations->connections_max)
        return false;
    memcpy(&to.sin_addr, peer->address.octets, 4);
    struct connection *connection = add(associations, -1, peer);
    if (!connection)
        return false;
    keep(connection, id);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    bufferevent_set_timeouts(connection->stream, NULL, &within);
    if (bufferevent_socket_connect(connection->stream, (struct sockaddr *)&to, sizeof(to)) < 0) {
        release(connection);
        return false;
    }
    set_keepalive(bufferevent_getfd(connection->stream));
    return true;
}

bool association_socket_write(struct association_socket *associations, gist_association_id id,
    const uint8_t *octets, size_t length)
{
    struct connection *connection = find(associations, id);
    if (!connection)
        return false;
    size_t waiting = evbuffer_get_length(bufferevent_get_output(connection->stream));
    if (length > OUTPUT_MAX || waiting > OUTPUT_MAX - length)
        return false;
    return bufferevent_write(connection->stream, octets, length) == 0;
}

/* What was written goes out for some seconds more; without any, the connection ends at once. */
void association_socket_close(struct association_socket *associations, gist_association_id id)
{
    struct timeval linger = {.tv_sec = LINGER_S};
    struct connection *connection = find(associations, id);
    if (!connection)
        return;
    if (evbuffer_get_length(bufferevent_get_output(connection->stream)) == 0) {
        release(connection);
        return;
    }
    HASH_DEL(associations->connections, connection);
    connection->is_closing = true;
    connection->next_closing = associations->closing;
    if (associations->closing)
        associations->closing->previous_closing = connection;
    associations->closing = connection;
    bufferevent_disable(connection->stream, EV_READ);
    bufferevent_set_timeouts(connection->stream, NULL, &linger);
}

size_t association_socket_count(const struct association_socket *associations)
{
    return associations->count;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inbound connections: on one port plain ones, which the core hears of at once, on the other those
 * of TLS, which it hears of once they are authenticated. RFC 5971 5.7.2, 5.7.3. */
#include "reference-node/sockets/association_listening.h"

#include "reference-node/base/acceptor.h"
#include "reference-node/base/clock.h"
#include "reference-node/tls/tls_session.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

enum {
    BACKLOG = 128,
    HANDSHAKE_OCTETS = 4096 /* that one counts for in a turn of the loop */
};

static struct gist_endpoint endpoint_of(const struct sockaddr *address)
{
    struct sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof(ipv4));
    return (struct gist_endpoint){
        .address = gist_address_v4(ntohl(ipv4.sin_addr.s_addr)), .port = ntohs(ipv4.sin_port)};
}

/* Returns false where the connection has no end of ours any more. */
static bool tell(struct connection *connection, enum gist_stack stack)
{
    const struct association_listener *listener = &connection->owner->listener;
    evutil_socket_t descriptor = bufferevent_getfd(connection->stream);
    struct sockaddr_in own;
    socklen_t length = sizeof(own);
    if (getsockname(descriptor, (struct sockaddr *)&own, &length) < 0)
        return false;
    struct gist_endpoint local = endpoint_of((struct sockaddr *)&own);
    gist_association_id id = listener->accepted(
        listener->context, stack, &connection->peer, &local, connection_interface(connection));
    if (id != 0)
        connection_keep(connection, id);
    return id != 0;
}

/* NULL: it is closed already. */
static struct connection *take(struct association_socket *associations, evutil_socket_t descriptor,
    const struct sockaddr *address, socklen_t length)
{
    if (HASH_COUNT(associations->connections) >= associations->limits.connections_max ||
        length < sizeof(struct sockaddr_in)) {
        evutil_closesocket(descriptor);
        return NULL;
    }
    struct gist_endpoint peer = endpoint_of(address);
    connection_set_patience(descriptor, &associations->limits);
    return connection_create(associations, descriptor, &peer);
}

static void on_plain(
    void *context, evutil_socket_t descriptor, const struct sockaddr *address, socklen_t length)
{
    struct connection *connection = take(context, descriptor, address, length);
    if (connection && (!connection_begin(connection, NULL, 0) || !tell(connection, GIST_STACK_TCP)))
        connection_release(connection);
}

static bool may_begin(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    const struct association_listener *listener = &associations->listener;
    uint32_t interface = connection_interface(connection);
    connection->handshake = (struct gist_share_holder){.address = connection->peer.address,
        .interface = interface,
        .known = listener->knows(listener->context, &connection->peer.address, interface)};
    return associations->tls &&
           handshakes_begin(&associations->handshakes, clock_now_ms(), &connection->handshake);
}

/* Its handshake takes the processor for a while: it has its turn, as what is heard has. */
static void on_secure(
    void *context, evutil_socket_t descriptor, const struct sockaddr *address, socklen_t length)
{
    struct association_socket *associations = context;
    struct connection *connection = take(context, descriptor, address, length);
    if (!connection)
        return;
    if (!may_begin(connection)) {
        associations->counters.handshakes_refused++;
        connection_release(connection);
        return;
    }
    connection->stage = CONNECTION_OPENING;
    DL_APPEND(associations->opening, connection);
    connection_expect_within(connection, associations->limits.connect_within_ms);
    turn_input_wait(&associations->turn_input, &connection->turn);
}

static void begin(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    SSL *ssl = associations->tls ? tls_session_accept(associations->tls) : NULL;
    turn_input_take(&associations->turn_input, HANDSHAKE_OCTETS);
    if (!ssl || !connection_begin(connection, ssl, BUFFEREVENT_SSL_ACCEPTING))
        connection_release(connection);
}

static void opened(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    const struct association_listener *listener = &associations->listener;
    bool may_be_peer = listener->may_be_peer(
        listener->context, connection_tls(connection), &connection->peer.address);
    associations->counters.peers_unauthorised += !may_be_peer;
    if (!may_be_peer || !tell(connection, GIST_STACK_TLS_TCP))
        connection_release(connection);
}

static struct acceptor *listen_on(struct association_socket *associations, uint16_t port,
    const struct acceptor_listener *listener)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bound < 0)
        return NULL;
    setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(bound, (struct sockaddr *)&any, sizeof(any)) == 0)
        return acceptor_create(associations->base, bound, BACKLOG, listener);
    int error = errno;
    close(bound);
    errno = error;
    return NULL;
}

bool listening_start(struct association_socket *associations, const struct association_ports *ports)
{
    struct acceptor_listener plain = {.context = associations, .name = "tcp", .accepted = on_plain};
    struct acceptor_listener secure = {
        .context = associations, .name = "tls", .accepted = on_secure};
    associations->begin = begin;
    associations->opened = opened;
    if (ports->plain != 0)
        associations->acceptor = listen_on(associations, ports->plain, &plain);
    if (ports->plain != 0 && !associations->acceptor)
        return false;
    if (ports->secure != 0)
        associations->secure_acceptor = listen_on(associations, ports->secure, &secure);
    return ports->secure == 0 || associations->secure_acceptor;
}

void listening_stop(struct association_socket *associations)
{
    acceptor_destroy(associations->acceptor);
    acceptor_destroy(associations->secure_acceptor);
}

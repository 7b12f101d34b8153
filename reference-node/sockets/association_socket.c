/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections of messaging associations; see association_socket.h. */
#include "reference-node/sockets/association_socket.h"

#include "reference-node/base/log.h"
#include "reference-node/sockets/association_listening.h"
#include "reference-node/sockets/own_addresses.h"
#include "reference-node/tls/tls_session.h"

#include <errno.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

enum {
    CROWD_PART = 16,  /* of a peer's output, when all together leave too much */
    ENDS_AT_ONCE = 64 /* of connections without an address */
};

_Static_assert((int)ASSOCIATION_SOCKET_OPENING_MAX == (int)HANDSHAKES_MAX, "each has one");

struct association_limits association_limits_default(size_t connections_max)
{
    return (struct association_limits){.connections_max = connections_max,
        .output_octets_max = 16 << 20,
        .peer_output_octets_max = 1 << 20,
        .connect_within_ms = 10000,
        .linger_ms = 5000,
        .unanswered_s = 20};
}

struct association_socket *association_socket_create(struct event_base *base,
    const struct association_ports *ports, const struct association_limits *limits,
    const struct association_listener *listener)
{
    struct association_socket *associations = calloc(1, sizeof(*associations));
    if (!associations)
        return NULL;
    associations->base = base;
    associations->listener = *listener;
    associations->limits = *limits;
    if (turn_input_open(&associations->turn_input, base) &&
        handshakes_create(&associations->handshakes) && listening_start(associations, ports))
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
        connection_release(connection);
    while (associations->closing)
        connection_release(associations->closing);
    while (associations->opening)
        connection_release(associations->opening);
    listening_stop(associations);
    turn_input_close(&associations->turn_input);
    handshakes_destroy(&associations->handshakes);
    SSL_CTX_free(associations->tls);
    free(associations);
}

void association_socket_secure(
    struct association_socket *associations, SSL_CTX *tls, const struct config_tls *config)
{
    SSL_CTX_free(associations->tls);
    associations->tls = tls;
    associations->tls_config = config;
}

const SSL_CTX *association_socket_context(const struct association_socket *associations)
{
    return associations->tls;
}

bool association_socket_trusts(const struct association_socket *associations, SSL *ssl)
{
    return associations->tls && tls_session_holds(ssl, associations->tls);
}

SSL *association_socket_tls(struct association_socket *associations, gist_association_id id)
{
    const struct connection *connection = connection_find(associations, id);
    return connection ? connection_tls(connection) : NULL;
}

/* The connection keeps what it could begin, also when it fails. */
static bool begin(
    struct connection *connection, enum gist_stack stack, const struct sockaddr_in *to)
{
    struct association_socket *associations = connection->owner;
    SSL *ssl = NULL;
    if (stack == GIST_STACK_TLS_TCP) {
        ssl = associations->tls ? tls_session_connect(associations->tls, associations->tls_config,
                                      &connection->peer.address)
                                : NULL;
        if (!ssl)
            return false;
    }
    connection_expect_within(connection, associations->limits.connect_within_ms);
    if (!connection_begin(connection, ssl, BUFFEREVENT_SSL_CONNECTING) ||
        bufferevent_socket_connect(connection->stream, (const struct sockaddr *)to, sizeof(*to)) <
            0)
        return false;
    connection_set_patience(bufferevent_getfd(connection->stream), &associations->limits);
    return true;
}

bool association_socket_open(struct association_socket *associations, gist_association_id id,
    enum gist_stack stack, const struct gist_endpoint *peer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    if (peer->address.version != 4 ||
        HASH_COUNT(associations->connections) >= associations->limits.connections_max)
        return false;
    memcpy(&to.sin_addr, peer->address.octets, 4);
    struct connection *connection = connection_create(associations, -1, peer);
    if (!connection)
        return false;
    connection_keep(connection, id);
    if (begin(connection, stack, &to))
        return true;
    connection_release(connection);
    return false;
}

/* Octets that this peer may still leave with us. */
static size_t room_for(const struct connection *connection)
{
    const struct association_socket *associations = connection->owner;
    bool is_crowded = associations->output_octets >= associations->limits.output_octets_max;
    size_t most = associations->limits.peer_output_octets_max / (is_crowded ? CROWD_PART : 1);
    size_t waiting = connection_waiting(connection);
    return waiting < most ? most - waiting : 0;
}

bool association_socket_write(struct association_socket *associations, gist_association_id id,
    const uint8_t *octets, size_t length)
{
    struct connection *connection = connection_find(associations, id);
    if (!connection)
        return false;
    if (length > room_for(connection))
        return false;
    return bufferevent_write(connection->stream, octets, length) == 0;
}

void association_socket_pause(
    struct association_socket *associations, gist_association_id id, bool pauses)
{
    struct connection *connection = connection_find(associations, id);
    if (!connection)
        return;
    connection->is_paused = pauses;
    connection_regulate(connection);
    if (!pauses)
        turn_input_wait(&associations->turn_input, &connection->turn);
}

/* Without anything to send, the connection ends at once. */
void association_socket_close(struct association_socket *associations, gist_association_id id)
{
    struct connection *connection = connection_find(associations, id);
    if (!connection)
        return;
    if (connection_waiting(connection) == 0) {
        connection_release(connection);
        return;
    }
    connection_linger(connection);
    if (associations->closing_count > ASSOCIATION_SOCKET_CLOSING_MAX)
        connection_release(associations->closing);
}

void association_socket_doubt(struct association_socket *associations)
{
    associations->doubt++;
}

bool association_socket_check_addresses(struct association_socket *associations)
{
    struct own_addresses own = {
        .is_local = associations->listener.is_local, .context = associations->listener.context};
    gist_association_id ending[ENDS_AT_ONCE];
    size_t count = 0;
    bool is_settled = true;
    for (struct connection *connection = associations->connections; connection;
         connection = connection->hh.next) {
        bool was_stranded = connection->is_stranded;
        connection->is_stranded = !own_addresses_hold(&own, bufferevent_getfd(connection->stream));
        if (connection->is_stranded && was_stranded && count < ENDS_AT_ONCE)
            ending[count++] = connection->id;
        else if (connection->is_stranded)
            is_settled = false;
    }
    if (count > 0)
        log_line(LOG_LEVEL_INFO, "tcp: %zu connections have ended with their address", count);
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = connection_find(associations, ending[i]);
        if (connection) /* the end of another may have ended it */
            connection_end(connection);
    }
    return is_settled;
}

struct association_counters association_socket_counters(
    const struct association_socket *associations)
{
    return associations->counters;
}

size_t association_socket_count(const struct association_socket *associations)
{
    return HASH_COUNT(associations->connections) + associations->closing_count;
}

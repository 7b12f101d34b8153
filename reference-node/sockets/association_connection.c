/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TCP connection; see association_connection.h. RFC 5971 5.7.2, 5.7.3. */
#include "reference-node/sockets/association_connection.h"

#include "core/base/container.h"
#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/tls/tls_session.h"

#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <utlist.h>

enum {
    INPUT_MAX = 4096, /* of one peer in one turn; of TLS a record more may wait */
    KEEPALIVE_AFTER_S = 60
};

struct connection *connection_find(struct association_socket *associations, gist_association_id id)
{
    struct connection *connection;
    HASH_FIND(hh, associations->connections, &id, sizeof(id), connection);
    return connection;
}

size_t connection_waiting(const struct connection *connection)
{
    return connection->stream ? evbuffer_get_length(bufferevent_get_output(connection->stream)) : 0;
}

SSL *connection_tls(const struct connection *connection)
{
    return connection->stream && connection->is_secure
               ? bufferevent_openssl_get_ssl(connection->stream)
               : NULL;
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *change, void *context)
{
    (void)output;
    struct association_socket *associations = context;
    associations->output_octets += change->n_added - change->n_deleted;
}

/* The peer learns that nothing was cut off. */
static void say_goodbye(const struct connection *connection)
{
    SSL *ssl = connection_tls(connection);
    if (!ssl || connection->has_failed || !SSL_is_init_finished(ssl))
        return;
    SSL_shutdown(ssl);
    ERR_clear_error();
}

static void discard(struct connection *connection)
{
    say_goodbye(connection);
    if (connection->stream)
        bufferevent_free(connection->stream);
    else if (connection->descriptor >= 0)
        evutil_closesocket(connection->descriptor);
    event_free(connection->patience);
    turn_input_leave(&connection->owner->turn_input, &connection->turn);
    free(connection);
}

static void leave_stage(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    switch (connection->stage) {
    case CONNECTION_NEW:
        break;
    case CONNECTION_OPENING:
        DL_DELETE(associations->opening, connection);
        handshakes_end(&associations->handshakes, clock_now_ms(), &connection->handshake);
        break;
    case CONNECTION_OPEN:
        HASH_DEL(associations->connections, connection);
        break;
    case CONNECTION_CLOSING:
        DL_DELETE(associations->closing, connection);
        associations->closing_count--;
        break;
    }
}

void connection_release(struct connection *connection)
{
    connection->owner->output_octets -= connection_waiting(connection);
    leave_stage(connection);
    discard(connection);
}

uint32_t connection_interface(struct connection *connection)
{
    const struct association_listener *listener = &connection->owner->listener;
    connection->doubt = connection->owner->doubt;
    return listener->interface_to(listener->context, &connection->peer.address);
}

/* No watermark of libevent's: below one, what TLS holds already would wait for what comes next. */
void connection_regulate(struct connection *connection)
{
    size_t heard = evbuffer_get_length(bufferevent_get_input(connection->stream));
    SSL *ssl = connection_tls(connection);
    bool needs_none =
        connection->is_paused || heard >= INPUT_MAX || connection->stage == CONNECTION_CLOSING;
    if (needs_none && (!ssl || SSL_is_init_finished(ssl))) /* a handshake has to be read */
        bufferevent_disable(connection->stream, EV_READ);
    else
        bufferevent_enable(connection->stream, EV_READ);
}

/* Hands so much over of what is there; the rest has its turn later. The core may close the
 * association meanwhile. */
static void hear(struct connection *connection, size_t most)
{
    struct association_socket *associations = connection->owner;
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    gist_association_id id = connection->id;
    uint8_t octets[INPUT_MAX];
    if (connection->is_paused || connection->stage != CONNECTION_OPEN)
        return;
    if (connection->doubt != associations->doubt)
        associations->listener.connected(
            associations->listener.context, id, connection_interface(connection));
    if (connection_find(associations, id) != connection)
        return;
    int length = evbuffer_remove(input, octets, most < sizeof(octets) ? most : sizeof(octets));
    connection_regulate(connection);
    if (evbuffer_get_length(input) > 0)
        turn_input_wait(&associations->turn_input, &connection->turn);
    if (length <= 0)
        return;
    turn_input_take(&associations->turn_input, (size_t)length);
    associations->listener.received(associations->listener.context, id, octets, (size_t)length);
}

static void on_turn(struct turn_waiter *turn)
{
    struct connection *connection = BASE_CONTAINER(turn, struct connection, turn);
    if (connection->stream)
        hear(connection, turn_input_left(&connection->owner->turn_input));
    else
        connection->owner->begin(connection);
}

static void on_readable(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct connection *connection = context;
    connection_regulate(connection);
    if (!connection->turn.waits)
        hear(connection, turn_input_left(&connection->owner->turn_input));
}

/* Everything has gone out. */
static void on_drained(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct connection *connection = context;
    if (connection->stage == CONNECTION_CLOSING && connection_waiting(connection) == 0)
        connection_release(connection);
}

void connection_end(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    gist_association_id id = connection->id;
    bool tell = connection->stage == CONNECTION_OPEN;
    connection_release(connection);
    if (tell)
        associations->listener.closed(associations->listener.context, id);
}

/* What it has sent before it ended is heard, whosever turn it is. One that pauses is read when it
 * goes on, up to its end, which is found once more. */
static void end_after_its_last(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    gist_association_id id = connection->id;
    bool is_known = connection->stage == CONNECTION_OPEN;
    do
        hear(connection, INPUT_MAX);
    while (is_known && connection_find(associations, id) == connection && !connection->is_paused &&
           evbuffer_get_length(bufferevent_get_input(connection->stream)) > 0);
    if (!is_known || (connection_find(associations, id) == connection && !connection->is_paused))
        connection_end(connection);
}

/* libevent keeps its own number of the failure beside those of OpenSSL. */
static unsigned long error_of(struct bufferevent *stream)
{
    unsigned long error;
    do
        error = bufferevent_get_openssl_error(stream);
    while (error != 0 && ERR_GET_LIB(error) == 0);
    return error;
}

/* With TLS 1.3 a client hears after its own handshake that it is refused. */
static void log_failure(const struct connection *connection, const char *otherwise)
{
    char address[TEXT_ADDRESS_SIZE], text[TLS_TEXT_SIZE];
    SSL *ssl = connection_tls(connection);
    unsigned long error = ssl ? error_of(connection->stream) : 0;
    bool is_no_peer = ssl && !SSL_is_server(ssl) && SSL_in_before(ssl); /* TCP found none */
    if (!ssl || is_no_peer || (connection->was_connected && !tls_session_is_alert(error)))
        return;
    connection->owner->counters.handshakes_failed++;
    text_of_address(&connection->peer.address, address);
    tls_session_failure(ssl, error, otherwise, text);
    log_line_about(LOG_LEVEL_WARNING, "tls", &connection->peer.address,
        "tls: peer=%s: no association: %s", address, text);
}

static void log_peer(const struct connection *connection)
{
    char address[TEXT_ADDRESS_SIZE], identity[TLS_TEXT_SIZE];
    SSL *ssl = connection_tls(connection);
    if (!ssl || !log_keeps(LOG_LEVEL_DEBUG))
        return;
    text_of_address(&connection->peer.address, address);
    tls_session_peer(ssl, identity);
    log_line(LOG_LEVEL_DEBUG, "tls: peer=%s identity=\"%s\" %s %s", address, identity,
        SSL_get_version(ssl), SSL_get_cipher_name(ssl));
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    struct connection *connection = context;
    struct association_socket *associations = connection->owner;
    if (!(what & BEV_EVENT_CONNECTED)) {
        connection->has_failed = true;
        log_failure(connection, "the peer has ended it");
        end_after_its_last(connection);
        return;
    }
    if (connection->stage == CONNECTION_CLOSING)
        return;
    event_del(connection->patience);
    connection->was_connected = true;
    log_peer(connection);
    if (connection->stage == CONNECTION_OPENING)
        associations->opened(connection);
    else
        associations->listener.connected(
            associations->listener.context, connection->id, connection_interface(connection));
}

static void on_impatience(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct connection *connection = context;
    connection->has_failed = true;
    log_failure(connection, "its handshake takes too long");
    connection_end(connection);
}

void connection_expect_within(struct connection *connection, unsigned within_ms)
{
    struct timeval within = clock_timeval(within_ms);
    event_add(connection->patience, &within);
}

struct connection *connection_create(struct association_socket *associations,
    evutil_socket_t descriptor, const struct gist_endpoint *peer)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    if (connection)
        connection->patience = evtimer_new(associations->base, on_impatience, connection);
    if (!connection || !connection->patience) {
        if (descriptor >= 0)
            evutil_closesocket(descriptor);
        free(connection);
        return NULL;
    }
    connection->owner = associations;
    connection->descriptor = descriptor;
    connection->peer = *peer;
    connection->turn.hear = on_turn;
    return connection;
}

bool connection_begin(struct connection *connection, SSL *ssl, int state)
{
    struct association_socket *associations = connection->owner;
    int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
    connection->is_secure = ssl != NULL;
    connection->stream =
        ssl ? bufferevent_openssl_socket_new(associations->base, connection->descriptor, ssl,
                  (enum bufferevent_ssl_state)state, options)
            : bufferevent_socket_new(associations->base, connection->descriptor, options);
    if (!connection->stream)
        return false;
    connection->descriptor = -1;
    associations->counters.handshakes += connection->is_secure;
    bufferevent_set_max_single_read(connection->stream, INPUT_MAX);
    bufferevent_setcb(connection->stream, on_readable, on_drained, on_event, connection);
    evbuffer_add_cb(bufferevent_get_output(connection->stream), on_output, associations);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    return true;
}

/* A peer whose address has gone cannot say so. */
void connection_set_patience(evutil_socket_t descriptor, const struct association_limits *limits)
{
    int one = 1, after_s = KEEPALIVE_AFTER_S, unanswered_ms = (int)limits->unanswered_s * 1000;
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &after_s, sizeof(after_s));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void connection_linger(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    leave_stage(connection);
    turn_input_leave(&associations->turn_input, &connection->turn);
    connection->stage = CONNECTION_CLOSING;
    DL_APPEND(associations->closing, connection);
    associations->closing_count++;
    connection_regulate(connection);
    connection_expect_within(connection, associations->limits.linger_ms);
}

void connection_keep(struct connection *connection, gist_association_id id)
{
    struct association_socket *associations = connection->owner;
    leave_stage(connection);
    connection->stage = CONNECTION_OPEN;
    connection->id = id;
    HASH_ADD(hh, associations->connections, id, sizeof(id), connection);
}

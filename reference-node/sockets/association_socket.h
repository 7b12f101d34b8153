/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messaging associations over TCP (Forwards-TCP), and over TLS over it, as libevent's buffered
 * connections. RFC 5971 5.4, 5.7.2, 5.7.3. What a slow peer does not take is bounded, what is heard
 * in one turn of the loop, and the number of connections; when descriptors run out, accepting
 * pauses.
 */
#ifndef NATFWD_ASSOCIATION_SOCKET_H
#define NATFWD_ASSOCIATION_SOCKET_H

#include "reference-node/config/config.h"
#include "reference-node/sockets/association_listener.h"

#include <event2/event.h>
#include <openssl/ssl.h>

struct association_socket;

/* What was closed with output left; with more of them the oldest is cut off. */
enum { ASSOCIATION_SOCKET_CLOSING_MAX = 64 };

/* Inbound connections in their handshake of TLS, beside those that the core knows. */
enum { ASSOCIATION_SOCKET_OPENING_MAX = 64 };

/* 1 MiB for a peer, 16 MiB for all, 10 s to connect, 5 s to linger, 20 s without an
 * answer. */
struct association_limits association_limits_default(size_t connections_max);

/* Listens on all addresses. Returns NULL with errno set. */
struct association_socket *association_socket_create(struct event_base *base,
    const struct association_ports *ports, const struct association_limits *limits,
    const struct association_listener *listener);
void association_socket_destroy(struct association_socket *associations);

/* What connections of TLS have in common from now on, those that there are excepted; it takes the
 * context over. NULL, as before the first call: there are no more. The configuration stays the
 * caller's. */
void association_socket_secure(
    struct association_socket *associations, SSL_CTX *tls, const struct config_tls *config);
/* What new connections have in common; NULL: there is no TLS. */
const SSL_CTX *association_socket_context(const struct association_socket *associations);
/* Whether what authenticated a peer holds with what is in force now. */
bool association_socket_trusts(const struct association_socket *associations, SSL *ssl);
/* That of a connection; NULL where it is plain, or unknown. */
SSL *association_socket_tls(struct association_socket *associations, gist_association_id id);

/* As struct gist_transport asks. */
bool association_socket_open(struct association_socket *associations, gist_association_id id,
    enum gist_stack stack, const struct gist_endpoint *peer);
bool association_socket_write(struct association_socket *associations, gist_association_id id,
    const uint8_t *octets, size_t length);
void association_socket_close(struct association_socket *associations, gist_association_id id);
void association_socket_pause(
    struct association_socket *associations, gist_association_id id, bool pauses);

/* Links, addresses or routes have changed: by which interface a peer is reached is asked again when
 * it is heard next. */
void association_socket_doubt(struct association_socket *associations);
/* Ends connections whose own address has gone, if it was gone the last time too, for it may come
 * back. Returns false when it is worth another look before long. */
bool association_socket_check_addresses(struct association_socket *associations);

/* A copy of the counters as they stand. */
struct association_counters association_socket_counters(
    const struct association_socket *associations);
size_t association_socket_count(const struct association_socket *associations);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messaging associations over TCP (Forwards-TCP), as libevent's buffered connections.
 * RFC 5971 5.4, 5.7.2. What a slow peer does not take is bounded, what is heard in one turn of the
 * loop, and the number of connections; when descriptors run out, accepting pauses.
 */
#ifndef NATFWD_ASSOCIATION_SOCKET_H
#define NATFWD_ASSOCIATION_SOCKET_H

#include "core/gist/transport.h"

#include <event2/event.h>

struct association_socket;

struct association_listener {
    void *context;
    /* Returns the id, or 0 to refuse. */
    gist_association_id (*accepted)(void *context, const struct gist_endpoint *peer,
        const struct gist_endpoint *local, uint32_t interface);
    /* Also when the peer of one that is connected is reached by another interface. */
    void (*connected)(void *context, gist_association_id id, uint32_t interface);
    void (*received)(void *context, gist_association_id id, const uint8_t *octets, size_t length);
    void (*closed)(void *context, gist_association_id id);
    /* The interface towards a peer. */
    uint32_t (*interface_to)(void *context, const struct gist_address *peer);
    /* Whether this host has the address. */
    bool (*is_local)(void *context, const struct gist_address *address);
};

/* What was closed with output left; with more of them the oldest is cut off. */
enum { ASSOCIATION_SOCKET_CLOSING_MAX = 64 };

struct association_limits {
    size_t connections_max;
    size_t output_octets_max;      /* that peers may leave with us, together */
    size_t peer_output_octets_max; /* and one of them; in a crowd a sixteenth of that */
    unsigned connect_within_ms;
    unsigned linger_ms;    /* for what is left to send on a connection that was closed */
    unsigned unanswered_s; /* what a peer's host does not confirm by then ends the connection */
};

/* 1 MiB for a peer, 16 MiB for all, 10 s to connect, 5 s to linger, 20 s without an
 * answer. */
struct association_limits association_limits_default(size_t connections_max);

/* Listens on port on all addresses, unless it is 0. Returns NULL with errno set. */
struct association_socket *association_socket_create(struct event_base *base, uint16_t port,
    const struct association_limits *limits, const struct association_listener *listener);
void association_socket_destroy(struct association_socket *associations);

/* As struct gist_transport asks. */
bool association_socket_open(struct association_socket *associations, gist_association_id id,
    const struct gist_endpoint *peer);
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

size_t association_socket_count(const struct association_socket *associations);

#endif

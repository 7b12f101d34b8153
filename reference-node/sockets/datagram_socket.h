/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The UDP socket on GIST's port: normal D-mode in and out, and Queries that interception hands to
 * it with their original destination. RFC 5971 5.3.
 */
#ifndef NATFWD_DATAGRAM_SOCKET_H
#define NATFWD_DATAGRAM_SOCKET_H

#include "reference-node/sockets/policy_route.h"
#include "reference-node/sockets/query_sender.h"

#include <event2/event.h>

struct datagram_socket;

struct datagram_listener {
    void *context;
    /* header says what else the IP header held; all pointers are valid during the call. */
    void (*received)(void *context, const struct gist_arrival *arrival,
        const struct query_header *header, const uint8_t *payload, size_t length);
};

/* Binds to port on all addresses. Intercepting needs CAP_NET_ADMIN. Returns NULL with errno set.
 * routes stays the caller's: it tells which destinations are ours. */
struct datagram_socket *datagram_socket_create(struct event_base *base, uint16_t port,
    bool intercepts, struct policy_route *routes, const struct datagram_listener *listener);
void datagram_socket_destroy(struct datagram_socket *datagrams);

/* Returns false with errno set. */
bool datagram_socket_send(struct datagram_socket *datagrams, const struct gist_endpoint *peer,
    const uint8_t *payload, size_t length);

#endif

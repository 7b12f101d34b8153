/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Q-mode datagrams as raw IPv4 packets: with the router alert option, never fragmented, and in the
 * name of the flow's source where it has to be. RFC 5971 5.3.2, 5.8.1.2.
 */
#ifndef NATFWD_QUERY_SENDER_H
#define NATFWD_QUERY_SENDER_H

#include "core/gist/transport.h"
#include "reference-node/sockets/policy_route.h"

enum {
    QUERY_OPTIONS_MAX = 40, /* octets, of any IPv4 header */
    QUERY_PACKET_MAX = 65535
};

/* What of an IPv4 header a datagram that is sent on keeps besides its addresses. */
struct query_header {
    uint8_t type_of_service;
    uint8_t options[QUERY_OPTIONS_MAX]; /* as received; empty without */
    size_t options_length;
};

/* Writes a whole packet. Returns its octets, or 0 when it does not fit or is not IPv4. */
size_t query_packet(uint8_t packet[QUERY_PACKET_MAX], const struct gist_endpoint *source,
    const struct gist_endpoint *destination, uint8_t ip_ttl, const struct query_header *header,
    const uint8_t *payload, size_t length);

/* The header of a Query that starts here. */
struct query_header query_header_of(const struct gist_query_route *route);

struct query_sender;

/* Needs CAP_NET_RAW. Returns NULL with errno set. */
struct query_sender *query_sender_create(void);
void query_sender_destroy(struct query_sender *sender);

/* Returns false with errno set, EMSGSIZE for what is longer than the path's MTU among others. */
bool query_sender_send(struct query_sender *sender, const struct gist_query_route *route,
    const uint8_t *payload, size_t length);

/* Sends a datagram on as a router would, one IP TTL fewer and its options treated. Returns false
 * with errno set, ELOOP when no TTL is left. */
bool query_sender_forward(struct query_sender *sender, struct policy_route *routes,
    const struct gist_arrival *arrival, const struct query_header *header, const uint8_t *payload,
    size_t length);

#endif

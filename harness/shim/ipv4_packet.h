/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a router and its filter look at in an IPv4 packet. RFC 791, 792, 768, 9293. */
#ifndef NATFW_SHIM_IPV4_PACKET_H
#define NATFW_SHIM_IPV4_PACKET_H

#include "core/gist/address.h"

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_SCTP = 132,
};

/* A view: the octets stay the caller's. */
struct ipv4_packet {
    const uint8_t *octets;
    size_t length;        /* octets, as the header says; no more than there are */
    size_t header_length; /* options included */
    struct gist_address source;
    struct gist_address destination;
    uint8_t type_of_service;
    uint8_t ttl;
    uint8_t protocol;
    bool is_fragment;
    const uint8_t *payload;
    size_t payload_length;
};

/* Returns false for what is no IPv4 packet, or is cut off, or has a wrong header checksum. */
bool ipv4_packet_read(struct ipv4_packet *packet, const uint8_t *octets, size_t length);

/* The same of what an ICMP error quotes: the quotation may be cut off, its checksum is not looked
 * at. */
bool ipv4_packet_read_quoted(struct ipv4_packet *packet, const uint8_t *octets, size_t length);

/* Ports of a protocol that has them; 0 and 0 of others, or where they are cut off. */
void ipv4_packet_ports(const struct ipv4_packet *packet, uint16_t *source, uint16_t *destination);

/* A UDP datagram that is whole and whose checksum is right, or absent. */
bool ipv4_packet_is_right_udp(const struct ipv4_packet *packet);

/* As a router sends it on: octets is a copy of the packet, whose TTL is above 0. */
void ipv4_packet_lower_ttl(uint8_t *octets, size_t header_length);

#endif

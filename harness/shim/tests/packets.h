/* SPDX-License-Identifier: GPL-3.0-or-later */
/* IPv4 packets of data flows, as hosts send them. */
#ifndef NATFW_SHIM_TESTS_PACKETS_H
#define NATFW_SHIM_TESTS_PACKETS_H

#include "harness/shim/ipv4_packet.h"

enum { PROTOCOL_NOBODYS = 253 }; /* for experiments, RFC 3692 */
enum { PACKET_MAX = 128 };

struct packet {
    uint8_t octets[PACKET_MAX];
    size_t length;
};

/* UDP has a payload of four octets. A TCP segment has SYN set, an ICMP message is an echo request
 * with the source port as its identifier; both can be changed. Others have no ports. */
struct packet packet_of(uint8_t protocol, uint32_t source, uint16_t source_port,
    uint32_t destination, uint16_t destination_port);

void packet_set_tcp_flags(struct packet *packet, uint8_t flags);
void packet_set_icmp_type(struct packet *packet, uint8_t type);

/* "Port unreachable" about a packet, from somebody to its source. */
struct packet packet_quoting(const struct packet *packet, uint32_t from);

void packet_set_header_checksum(uint8_t *octets);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Building of packets; see packets.h. */
#include "harness/shim/tests/packets.h"

#include <string.h>

enum { HEADER = 20, UDP_HEADER = 8, TCP_HEADER = 20, ICMP_HEADER = 8, TCP_SYN = 2 };

static uint16_t checksum(const uint8_t *octets, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++)
        sum += (uint32_t)octets[i] << (i % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void put_u16(uint8_t *octets, uint16_t value)
{
    octets[0] = (uint8_t)(value >> 8);
    octets[1] = (uint8_t)value;
}

static void put_u32(uint8_t *octets, uint32_t value)
{
    put_u16(octets, (uint16_t)(value >> 16));
    put_u16(octets + 2, (uint16_t)value);
}

void packet_set_header_checksum(uint8_t *octets)
{
    put_u16(octets + 10, 0);
    put_u16(octets + 10, checksum(octets, HEADER, 0));
}

/* At the place that the protocol has for it; RFC 768, 9293, 792. */
static void set_checksums(struct packet *packet)
{
    uint8_t *payload = packet->octets + HEADER;
    size_t length = packet->length - HEADER;
    uint8_t protocol = packet->octets[9];
    size_t at = protocol == PROTOCOL_UDP ? 6 : protocol == PROTOCOL_TCP ? 16 : 2;
    uint32_t pseudo = 0;
    packet_set_header_checksum(packet->octets);
    if (protocol == PROTOCOL_NOBODYS)
        return;
    if (protocol != PROTOCOL_ICMP)
        pseudo =
            (uint32_t)(uint16_t)~checksum(packet->octets + 12, 8, 0) + protocol + (uint32_t)length;
    put_u16(payload + at, 0);
    put_u16(payload + at, checksum(payload, length, pseudo));
}

static struct packet with_header(
    uint8_t protocol, uint32_t source, uint32_t destination, size_t payload)
{
    struct packet packet = {.length = HEADER + payload};
    packet.octets[0] = 0x45;
    put_u16(packet.octets + 2, (uint16_t)packet.length);
    packet.octets[8] = 64;
    packet.octets[9] = protocol;
    put_u32(packet.octets + 12, source);
    put_u32(packet.octets + 16, destination);
    return packet;
}

struct packet packet_of(uint8_t protocol, uint32_t source, uint16_t source_port,
    uint32_t destination, uint16_t destination_port)
{
    size_t payload = protocol == PROTOCOL_TCP ? TCP_HEADER : UDP_HEADER + 4;
    struct packet packet = with_header(protocol, source, destination, payload);
    uint8_t *octets = packet.octets + HEADER;
    if (protocol == PROTOCOL_UDP || protocol == PROTOCOL_TCP) {
        put_u16(octets, source_port);
        put_u16(octets + 2, destination_port);
    }
    if (protocol == PROTOCOL_UDP) {
        put_u16(octets + 4, (uint16_t)payload);
    } else if (protocol == PROTOCOL_TCP) {
        put_u32(octets + 4, 1000);
        octets[12] = TCP_HEADER / 4 << 4;
        octets[13] = TCP_SYN;
        put_u16(octets + 14, 1000);
    } else if (protocol == PROTOCOL_ICMP) {
        octets[0] = 8;
        put_u16(octets + 4, source_port);
    }
    set_checksums(&packet);
    return packet;
}

void packet_set_tcp_flags(struct packet *packet, uint8_t flags)
{
    uint8_t *octets = packet->octets + HEADER;
    octets[13] = flags;
    put_u32(octets + 4, flags & TCP_SYN ? 1000 : 1001);
    put_u32(octets + 8, 1001);
    set_checksums(packet);
}

void packet_set_icmp_type(struct packet *packet, uint8_t type)
{
    packet->octets[HEADER] = type;
    set_checksums(packet);
}

struct packet packet_quoting(const struct packet *packet, uint32_t from)
{
    enum { QUOTED = HEADER + 8 };
    struct packet error = with_header(PROTOCOL_ICMP, from, 0, ICMP_HEADER + QUOTED);
    uint8_t *octets = error.octets + HEADER;
    memcpy(error.octets + 16, packet->octets + 12, 4);
    octets[0] = 3;
    octets[1] = 3;
    memcpy(octets + ICMP_HEADER, packet->octets, QUOTED);
    set_checksums(&error);
    return error;
}

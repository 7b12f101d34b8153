/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Views of IPv4 packets; see ipv4_packet.h. */
#include "harness/shim/ipv4_packet.h"

#include "core/wire/internet_checksum.h"
#include "core/wire/reader.h"

#include <string.h>

enum {
    HEADER_MIN = 20,
    UDP_HEADER = 8,
    MORE_FRAGMENTS_OR_OFFSET = 0x3fff,
    TTL_AT = 8,
    CHECKSUM_AT = 10,
    RIGHT_SUM = 0xffff
};

static struct gist_address read_address(struct wire_reader *reader)
{
    return gist_address_v4(wire_read_u32(reader));
}

static bool read_header(struct ipv4_packet *packet, const uint8_t *octets, size_t length)
{
    struct wire_reader reader = wire_reader_over(octets, length);
    memset(packet, 0, sizeof(*packet));
    uint8_t first = wire_read_u8(&reader);
    packet->octets = octets;
    packet->header_length = (size_t)(first & 15) * 4;
    packet->type_of_service = wire_read_u8(&reader);
    packet->length = wire_read_u16(&reader);
    wire_skip(&reader, 2); /* identification */
    packet->is_fragment = (wire_read_u16(&reader) & MORE_FRAGMENTS_OR_OFFSET) != 0;
    packet->ttl = wire_read_u8(&reader);
    packet->protocol = wire_read_u8(&reader);
    wire_skip(&reader, 2); /* checksum */
    packet->source = read_address(&reader);
    packet->destination = read_address(&reader);
    return !reader.failed && first >> 4 == 4 && packet->header_length >= HEADER_MIN &&
           packet->header_length <= length && packet->header_length <= packet->length;
}

static void set_payload(struct ipv4_packet *packet, size_t end)
{
    packet->length = end;
    packet->payload = packet->octets + packet->header_length;
    packet->payload_length = end - packet->header_length;
}

bool ipv4_packet_read(struct ipv4_packet *packet, const uint8_t *octets, size_t length)
{
    if (!read_header(packet, octets, length) || packet->length > length ||
        internet_sum(octets, packet->header_length, 0) != RIGHT_SUM)
        return false;
    set_payload(packet, packet->length);
    return true;
}

bool ipv4_packet_read_quoted(struct ipv4_packet *packet, const uint8_t *octets, size_t length)
{
    if (!read_header(packet, octets, length))
        return false;
    set_payload(packet, packet->length < length ? packet->length : length);
    return true;
}

void ipv4_packet_ports(const struct ipv4_packet *packet, uint16_t *source, uint16_t *destination)
{
    struct wire_reader reader = wire_reader_over(packet->payload, packet->payload_length);
    bool has_ports = packet->protocol == PROTOCOL_TCP || packet->protocol == PROTOCOL_UDP ||
                     packet->protocol == PROTOCOL_SCTP;
    *source = has_ports ? wire_read_u16(&reader) : 0;
    *destination = has_ports ? wire_read_u16(&reader) : 0;
}

bool ipv4_packet_is_right_udp(const struct ipv4_packet *packet)
{
    struct wire_reader reader = wire_reader_over(packet->payload, packet->payload_length);
    wire_skip(&reader, 4); /* ports */
    uint16_t length = wire_read_u16(&reader);
    uint16_t checksum = wire_read_u16(&reader);
    if (packet->protocol != PROTOCOL_UDP || packet->is_fragment || reader.failed ||
        length < UDP_HEADER || length > packet->payload_length)
        return false;
    /* The sum over a right checksum is all ones, and its complement is sent as all ones too. */
    return checksum == 0 ||
           internet_udp_checksum(packet->octets, packet->payload, length) == RIGHT_SUM;
}

void ipv4_packet_lower_ttl(uint8_t *octets, size_t header_length)
{
    octets[TTL_AT]--;
    octets[CHECKSUM_AT] = octets[CHECKSUM_AT + 1] = 0;
    uint16_t checksum = (uint16_t)~internet_sum(octets, header_length, 0);
    octets[CHECKSUM_AT] = (uint8_t)(checksum >> 8);
    octets[CHECKSUM_AT + 1] = (uint8_t)checksum;
}

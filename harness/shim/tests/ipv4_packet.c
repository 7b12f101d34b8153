/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Views of packets: what is one, what is cut off, whose checksum is wrong. */
#include "harness/shim/ipv4_packet.h"

#include "core/wire/internet_checksum.h"
#include "harness/shim/gist_datagram.h"
#include "harness/shim/tests/packets.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LEFT = 0xc0000202, RIGHT = 0xc6336402, HEADER = 20 };

static struct packet udp(void)
{
    return packet_of(PROTOCOL_UDP, LEFT, 4000, RIGHT, 5000);
}

/* From memory of just that size, so that a sanitizer sees what is read past it. */
static bool is_read(const uint8_t *octets, size_t length)
{
    struct ipv4_packet view;
    uint16_t source, destination;
    uint8_t *copy = malloc(length ? length : 1);
    cr_assert(copy);
    memcpy(copy, octets, length);
    bool is_one = ipv4_packet_read(&view, copy, length);
    if (is_one) {
        ipv4_packet_ports(&view, &source, &destination);
        (void)ipv4_packet_is_right_udp(&view);
        (void)(gist_datagram_is_one(&view) && gist_datagram_has_c_flag(&view));
        (void)gist_datagram_has_router_alert(&view);
    }
    free(copy);
    return is_one;
}

Test(ipv4_packet, tells_what_a_router_looks_at)
{
    struct packet packet = udp();
    struct ipv4_packet view;
    struct gist_address left = gist_address_v4(LEFT), right = gist_address_v4(RIGHT);
    uint16_t source, destination;
    cr_assert(ipv4_packet_read(&view, packet.octets, packet.length));
    cr_assert(gist_address_equal(&view.source, &left));
    cr_assert(gist_address_equal(&view.destination, &right));
    cr_assert(view.protocol == PROTOCOL_UDP && view.ttl == 64 && !view.is_fragment);
    cr_assert(view.header_length == HEADER && view.payload_length == packet.length - HEADER);
    ipv4_packet_ports(&view, &source, &destination);
    cr_assert(source == 4000 && destination == 5000);
    cr_assert(ipv4_packet_is_right_udp(&view));
}

Test(ipv4_packet, that_is_cut_off_or_damaged_is_none)
{
    struct packet packet = udp();
    for (size_t length = 0; length < packet.length; length++)
        cr_assert(!is_read(packet.octets, length), "of %zu octets", length);
    for (size_t at = 0; at < HEADER; at++) {
        struct packet damaged = packet;
        damaged.octets[at] ^= 0x40;
        cr_assert(!is_read(damaged.octets, damaged.length), "damaged at %zu", at);
    }
}

Test(ipv4_packet, ends_where_its_header_says)
{
    struct packet packet = udp();
    struct ipv4_packet view;
    cr_assert(ipv4_packet_read(&view, packet.octets, packet.length + 10));
    cr_assert(view.length == packet.length && view.payload_length == packet.length - HEADER);
}

Test(ipv4_packet, with_a_header_that_is_too_short_or_another_version_is_none)
{
    static const uint8_t firsts[] = {0x65, 0x44, 0x40, 0x4f};
    for (size_t i = 0; i < sizeof(firsts); i++) {
        struct packet packet = udp();
        size_t length = (size_t)(firsts[i] & 15) * 4;
        packet.octets[0] = firsts[i];
        packet.octets[10] = packet.octets[11] = 0;
        uint16_t checksum = (uint16_t)~internet_sum(packet.octets, length, 0);
        packet.octets[10] = (uint8_t)(checksum >> 8);
        packet.octets[11] = (uint8_t)checksum;
        cr_assert(!is_read(packet.octets, packet.length), "0x%02x", firsts[i]);
    }
}

Test(ipv4_packet, is_right_udp_only_with_its_checksum_or_without_any)
{
    struct packet packet = udp();
    struct ipv4_packet view;
    packet.octets[packet.length - 1] ^= 1;
    cr_assert(ipv4_packet_read(&view, packet.octets, packet.length));
    cr_assert(!ipv4_packet_is_right_udp(&view));
    memset(packet.octets + HEADER + 6, 0, 2);
    cr_assert(ipv4_packet_is_right_udp(&view));
    packet.octets[HEADER + 5]++;
    cr_assert(!ipv4_packet_is_right_udp(&view), "it says that it is longer than it is");
    packet.octets[HEADER + 5] = 7;
    cr_assert(!ipv4_packet_is_right_udp(&view), "shorter than its header");
}

Test(ipv4_packet, goes_on_with_a_lower_ttl_and_a_right_checksum)
{
    struct packet packet = udp();
    struct ipv4_packet view;
    for (unsigned ttl = 63; ttl > 0; ttl--) {
        ipv4_packet_lower_ttl(packet.octets, HEADER);
        cr_assert(ipv4_packet_read(&view, packet.octets, packet.length) && view.ttl == ttl);
    }
}

Test(ipv4_packet, is_read_from_a_quotation_that_is_cut_off)
{
    struct packet packet = udp();
    struct ipv4_packet view;
    uint16_t source, destination;
    cr_assert(ipv4_packet_read_quoted(&view, packet.octets, HEADER + 8));
    ipv4_packet_ports(&view, &source, &destination);
    cr_assert(view.payload_length == 8 && source == 4000 && destination == 5000);
    cr_assert(ipv4_packet_read_quoted(&view, packet.octets, HEADER + 3));
    ipv4_packet_ports(&view, &source, &destination);
    cr_assert(destination == 0, "a port that is cut off is none");
    cr_assert(!ipv4_packet_read_quoted(&view, packet.octets, HEADER - 1));
}

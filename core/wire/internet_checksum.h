/* The Internet checksum of RFC 1071, over octets in any number of parts. */
#ifndef NATFW_WIRE_INTERNET_CHECKSUM_H
#define NATFW_WIRE_INTERNET_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The ones' complement sum, going on from sum; each part but the last has an even length. */
uint32_t internet_sum(const uint8_t *octets, size_t length, uint32_t sum);

/* The checksum of a UDP datagram, which starts at its header. The addresses are those of the IPv4
 * header; what the checksum's field holds counts. */
uint16_t internet_udp_checksum(
    const uint8_t *ipv4_header, const uint8_t *datagram, size_t datagram_length);

#endif

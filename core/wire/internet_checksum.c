/* Sums of RFC 1071; see internet_checksum.h. */
#include "core/wire/internet_checksum.h"

enum { PROTOCOL_UDP = 17, IPV4_ADDRESSES_AT = 12, IPV4_ADDRESSES_LENGTH = 8 };

uint32_t internet_sum(const uint8_t *octets, size_t length, uint32_t sum)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
    if (length % 2)
        sum += (uint32_t)(octets[length - 1] << 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

uint16_t internet_udp_checksum(
    const uint8_t *ipv4_header, const uint8_t *datagram, size_t datagram_length)
{
    uint32_t sum = internet_sum(ipv4_header + IPV4_ADDRESSES_AT, IPV4_ADDRESSES_LENGTH,
        PROTOCOL_UDP + (uint32_t)datagram_length);
    uint16_t checksum = (uint16_t)~internet_sum(datagram, datagram_length, sum);
    return checksum == 0 ? 0xffff : checksum;
}

/* IP addresses and endpoints; see address.h. */
#include "core/gist/address.h"

#include <string.h>

struct gist_address gist_address_v4(uint32_t host_order)
{
    return (struct gist_address){
        .version = 4,
        .octets = {(uint8_t)(host_order >> 24), (uint8_t)(host_order >> 16),
            (uint8_t)(host_order >> 8), (uint8_t)host_order},
    };
}

size_t gist_address_length(uint8_t version)
{
    return version == 4 ? 4 : version == 6 ? 16 : 0;
}

bool gist_address_equal(const struct gist_address *a, const struct gist_address *b)
{
    return a->version == b->version && memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

bool gist_endpoint_equal(const struct gist_endpoint *a, const struct gist_endpoint *b)
{
    return a->port == b->port && gist_address_equal(&a->address, &b->address);
}

bool gist_address_matches(
    const struct gist_address *a, const struct gist_address *b, uint8_t prefix_bits)
{
    if (a->version != b->version || prefix_bits > 8 * gist_address_length(a->version))
        return false;
    size_t whole = prefix_bits / 8;
    if (memcmp(a->octets, b->octets, whole) != 0)
        return false;
    if (prefix_bits % 8 == 0)
        return true;
    uint8_t mask = (uint8_t)(0xff << (8 - prefix_bits % 8));
    return (a->octets[whole] & mask) == (b->octets[whole] & mask);
}

struct gist_address gist_address_last(const struct gist_address *address, uint8_t prefix_bits)
{
    struct gist_address last = *address;
    size_t bits = gist_address_length(address->version) * 8;
    for (size_t bit = prefix_bits; bit < bits; bit++)
        last.octets[bit / 8] |= (uint8_t)(0x80u >> (bit % 8));
    return last;
}

/* IP addresses and UDP or TCP endpoints, as GIST's objects carry them. */
#ifndef NATFW_GIST_ADDRESS_H
#define NATFW_GIST_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gist_address {
    uint8_t version;    /* 4, 6, or 0: none */
    uint8_t octets[16]; /* network order; an IPv4 address fills the first 4, the rest are 0 */
};

struct gist_endpoint {
    struct gist_address address;
    uint16_t port; /* host order */
};

/* The IPv4 address that this number is in host order. */
struct gist_address gist_address_v4(uint32_t host_order);

/* Octets of an address of this version: 4 or 16, or 0 for any other version. */
size_t gist_address_length(uint8_t version);

/* Same version and octets. */
bool gist_address_equal(const struct gist_address *a, const struct gist_address *b);
bool gist_endpoint_equal(const struct gist_endpoint *a, const struct gist_endpoint *b);

/* True when both are of one version and agree in the first prefix bits; prefix 0 always agrees. */
bool gist_address_matches(
    const struct gist_address *a, const struct gist_address *b, uint8_t prefix_bits);

/* The last address that agrees with this one in the first prefix bits: the others are all ones. */
struct gist_address gist_address_last(const struct gist_address *address, uint8_t prefix_bits);

#endif

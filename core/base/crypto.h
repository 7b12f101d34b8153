/*
 * The crypto seam: randomness and a keyed MAC, handed in by whoever runs the core. OpenSSL in the
 * node, deterministic in the simulator. Needed by RFC 5971 8.5 and RFC 5973 3.2.8, 3.5.
 */
#ifndef NATFW_BASE_CRYPTO_H
#define NATFW_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BASE_KEY_LENGTH = 32, BASE_MAC_LENGTH = 32 };

struct base_crypto {
    void *context;
    /* Fills octets with cryptographically random values. Returns false on failure. */
    bool (*random)(void *context, uint8_t *octets, size_t length);
    /* Computes a MAC of data under key, HMAC-SHA-256 or as strong. Returns false on failure. */
    bool (*mac)(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
        size_t length, uint8_t mac[BASE_MAC_LENGTH]);
};

#endif

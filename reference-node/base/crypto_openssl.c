/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Randomness and MAC by OpenSSL 3; see crypto_openssl.h. */
#include "reference-node/base/crypto_openssl.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>

struct crypto_openssl {
    EVP_MAC *hmac;
    EVP_MAC_CTX *keyed; /* used again for each MAC */
};

struct crypto_openssl *crypto_openssl_create(void)
{
    struct crypto_openssl *crypto = calloc(1, sizeof(*crypto));
    if (!crypto)
        return NULL;
    crypto->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    crypto->keyed = crypto->hmac ? EVP_MAC_CTX_new(crypto->hmac) : NULL;
    if (crypto->keyed)
        return crypto;
    crypto_openssl_destroy(crypto);
    return NULL;
}

void crypto_openssl_destroy(struct crypto_openssl *crypto)
{
    if (!crypto)
        return;
    EVP_MAC_CTX_free(crypto->keyed);
    EVP_MAC_free(crypto->hmac);
    free(crypto);
}

static bool fill_random(void *context, uint8_t *octets, size_t length)
{
    (void)context;
    return length <= INT_MAX && RAND_bytes(octets, (int)length) == 1;
}

static bool compute_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    struct crypto_openssl *crypto = context;
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end()};
    size_t written = 0;
    return EVP_MAC_init(crypto->keyed, key, BASE_KEY_LENGTH, parameters) == 1 &&
           EVP_MAC_update(crypto->keyed, data, length) == 1 &&
           EVP_MAC_final(crypto->keyed, mac, &written, BASE_MAC_LENGTH) == 1 &&
           written == BASE_MAC_LENGTH;
}

struct base_crypto crypto_openssl_seam(struct crypto_openssl *crypto)
{
    return (struct base_crypto){.context = crypto, .random = fill_random, .mac = compute_mac};
}

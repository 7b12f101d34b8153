/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core's crypto seam by OpenSSL: its random generator, and HMAC-SHA-256. */
#ifndef NATFWD_CRYPTO_OPENSSL_H
#define NATFWD_CRYPTO_OPENSSL_H

#include "core/base/crypto.h"

struct crypto_openssl;

/* Returns NULL when OpenSSL has no HMAC or no memory. */
struct crypto_openssl *crypto_openssl_create(void);
void crypto_openssl_destroy(struct crypto_openssl *crypto);

struct base_crypto crypto_openssl_seam(struct crypto_openssl *crypto);

#endif

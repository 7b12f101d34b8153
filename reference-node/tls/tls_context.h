/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all TLS connections of this node have in common: versions, our certificate, the authorities
 * and revocations that those of peers are held against, shared keys. RFC 5971 5.7.3; no version
 * before 1.2, which RFC 8996 forbids.
 *
 * It is OpenSSL's, and released by SSL_CTX_free; connections keep theirs while another one is taken
 * for new ones.
 */
#ifndef NATFWD_TLS_CONTEXT_H
#define NATFWD_TLS_CONTEXT_H

#include "reference-node/tls/credentials.h"
#include "reference-node/tls/shared_keys.h"

#include <openssl/ssl.h>

/* Returns NULL after a message that names the file and what is wrong with it. What can be used, but
 * not for long, is told too. */
SSL_CTX *tls_context_create(
    const struct config_tls *tls, const struct credentials *credentials, FILE *errors);

/* Reads the files that are configured, and tries them. Returns false after the same messages. */
bool tls_credentials_read(
    const struct config_tls *tls, struct credentials *credentials, FILE *errors);

/* Those of the context; they live as long as it does. */
const struct shared_keys *tls_context_keys(const SSL_CTX *context);

/* When our certificate ends, as UTC, "2027-11-28T12:00:00Z". Returns false where there is none. */
enum { TLS_TIME_SIZE = 24 };
bool tls_context_until(const SSL_CTX *context, char text[TLS_TIME_SIZE]);

/* The secrets of its connections are written to this file, which stays the caller's. */
void tls_context_log_keys(SSL_CTX *context, FILE *key_log);

#endif

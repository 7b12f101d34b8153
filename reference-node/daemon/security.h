/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS of the daemon: what its connections have in common, at the start and after a reload. */
#ifndef NATFWD_SECURITY_H
#define NATFWD_SECURITY_H

#include "reference-node/config/config.h"
#include "reference-node/daemon/loader.h"

#include <openssl/ssl.h>

struct daemon;

/* Opens the key log, where one is configured: files cannot be opened later. Returns false after a
 * message. */
bool security_open(struct daemon *daemon, FILE *errors);
void security_close(struct daemon *daemon);

/* Of this load; *tls is NULL where it asks for none, and the one in force where the credentials are
 * the same, so that no peer is held against them anew. Returns false after a message. */
bool security_prepare(
    const struct daemon *daemon, const struct load *load, SSL_CTX **tls, FILE *errors);
/* Connections use it from now on. Those whose peers are not authorised any more end, 4.4.2. */
void security_take(struct daemon *daemon, SSL_CTX *tls);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two ends of TLS on the bench: each with credentials of its own, joined without a network. */
#ifndef NATFWD_TESTS_TLS_BENCH_H
#define NATFWD_TESTS_TLS_BENCH_H

#include "reference-node/tests/authority.h"
#include "reference-node/tls/tls_context.h"

/* What one end is configured with; NULL: nothing. */
struct tls_end {
    const char *texts[CONFIG_CREDENTIALS];
};

/* Of these texts, in files that are called as their keys in natfwd.conf; NULL after a message,
 * which is to be freed in either case. */
SSL_CTX *bench_context(const struct tls_end *end, char **said);
/* The same; the test fails where there is anything to say. */
SSL_CTX *bench_context_without_a_word(const struct tls_end *end);

/* Carries records both ways until neither end goes on. Returns true when both are done. */
bool bench_handshake(SSL *client, SSL *server);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS on the bench; see tls_bench.h. */
#include "reference-node/tests/tls_bench.h"

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 10 };

static const char *const names[CONFIG_CREDENTIALS] = {
    "certificate", "key", "authorities", "revocations", "shared_keys"};

SSL_CTX *bench_context(const struct tls_end *end, char **said)
{
    struct config_tls tls = {.is_on = true};
    struct credentials credentials = {0};
    size_t length;
    FILE *errors = open_memstream(said, &length);
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++) {
        strcpy(tls.files[i], names[i]);
        if (!end->texts[i])
            continue;
        credentials.each[i].text = strdup(end->texts[i]);
        credentials.each[i].length = strlen(end->texts[i]);
    }
    SSL_CTX *context = tls_context_create(&tls, &credentials, errors);
    credentials_free(&credentials);
    fclose(errors);
    return context;
}

SSL_CTX *bench_context_without_a_word(const struct tls_end *end)
{
    char *said;
    SSL_CTX *context = bench_context(end, &said);
    cr_assert(context && said[0] == '\0', "%s", said);
    free(said);
    return context;
}

bool bench_handshake(SSL *client, SSL *server)
{
    BIO *one, *other;
    cr_assert(BIO_new_bio_pair(&one, 0, &other, 0) == 1);
    SSL_set_bio(client, one, one);
    SSL_set_bio(server, other, other);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (unsigned round = 0; round < ROUNDS; round++) {
        SSL_do_handshake(client);
        SSL_do_handshake(server);
    }
    return SSL_is_init_finished(client) && SSL_is_init_finished(server) &&
           SSL_get_shutdown(client) == 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What TLS connections have in common; see tls_context.h. */
#include "reference-node/tls/tls_context.h"

#include "core/spec/spec.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <time.h>

enum { CHAIN_MAX = 8 };

/* Whatever authenticates both ends; of version 1.2, for 1.3 has no others. Who offers to use a
 * shared key has perhaps no certificate. */
#define CIPHERS "kECDHEPSK:kDHEPSK:HIGH:!aNULL:!eNULL:!kRSAPSK:!SRP"

/* Of version 1.3. Shared keys go with SHA-256 only, and there may be a certificate beside them. */
#define CIPHERS_1_3 "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"

struct extras {
    struct shared_keys keys;
    FILE *key_log;
};

static void free_extras(
    void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number, void *pointer)
{
    (void)parent, (void)all, (void)index, (void)number, (void)pointer;
    struct extras *extras = data;
    if (extras)
        shared_keys_free(&extras->keys);
    free(extras);
}

static int extras_index(void)
{
    static int index = -1;
    if (index < 0)
        index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, free_extras);
    return index;
}

static struct extras *extras_of(const SSL_CTX *context)
{
    return SSL_CTX_get_ex_data(context, extras_index());
}

const struct shared_keys *tls_context_keys(const SSL_CTX *context)
{
    return &extras_of(context)->keys;
}

/* One file as a list of PEM blocks. */
struct pem {
    const char *path;
    BIO *text;
    unsigned count; /* of blocks taken */
    FILE *errors;
};

static bool pem_open(struct pem *pem, const struct config_tls *tls,
    const struct credentials *credentials, enum config_credential which, FILE *errors)
{
    const struct credential *credential = &credentials->each[which];
    *pem = (struct pem){.path = tls->files[which], .errors = errors};
    pem->text = BIO_new_mem_buf(credential->text, (int)credential->length);
    ERR_clear_error();
    return pem->text;
}

static bool fail(const struct pem *pem, const char *fault)
{
    fprintf(pem->errors, "%s: %s\n", pem->path, fault);
    ERR_clear_error();
    return false;
}

/* After the last block: all of it was read, and there was one at least. */
static bool pem_ends_well(const struct pem *pem, const char *noun)
{
    unsigned long error = ERR_peek_last_error();
    bool is_end = error == 0 || (ERR_GET_LIB(error) == ERR_LIB_PEM &&
                                    ERR_GET_REASON(error) == PEM_R_NO_START_LINE);
    ERR_clear_error();
    if (is_end && pem->count > 0)
        return true;
    if (is_end)
        fprintf(pem->errors, "%s: there is no %s in it; give PEM\n", pem->path, noun);
    else
        fprintf(pem->errors, "%s: %s %u cannot be read: %s\n", pem->path, noun, pem->count + 1,
            ERR_reason_error_string(error));
    return false;
}

static void tell_of_end(const struct pem *pem, const X509 *certificate)
{
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        fprintf(pem->errors, "%s: certificate %u has expired; peers will refuse it\n", pem->path,
            pem->count);
    else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        fprintf(pem->errors, "%s: certificate %u is not valid yet\n", pem->path, pem->count);
}

static bool take_certificates(SSL_CTX *context, struct pem *pem)
{
    X509 *certificate;
    bool is_taken = true;
    while (is_taken && (certificate = PEM_read_bio_X509(pem->text, NULL, NULL, NULL))) {
        pem->count++;
        tell_of_end(pem, certificate);
        is_taken = pem->count == 1 ? SSL_CTX_use_certificate(context, certificate) == 1
                                   : SSL_CTX_add1_chain_cert(context, certificate) == 1;
        X509_free(certificate);
    }
    return is_taken ? pem_ends_well(pem, "certificate")
                    : fail(pem, ERR_reason_error_string(ERR_peek_last_error()));
}

static int no_passphrase(char *text, int size, int is_writing, void *context)
{
    (void)text, (void)size, (void)is_writing, (void)context;
    return -1;
}

static bool take_key(SSL_CTX *context, struct pem *pem)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem->text, NULL, no_passphrase, NULL);
    if (!key && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_BAD_PASSWORD_READ)
        return fail(pem, "the key has a passphrase; give one without");
    if (!key)
        return pem_ends_well(pem, "private key");
    bool is_taken =
        SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
    EVP_PKEY_free(key);
    return is_taken || fail(pem, "it is not the key of the certificate");
}

static bool take_authorities(SSL_CTX *context, struct pem *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509 *authority;
    bool is_taken = true;
    while (is_taken && (authority = PEM_read_bio_X509(pem->text, NULL, NULL, NULL))) {
        pem->count++;
        is_taken = X509_STORE_add_cert(store, authority) == 1 &&
                   SSL_CTX_add_client_CA(context, authority) == 1;
        X509_free(authority);
    }
    return is_taken ? pem_ends_well(pem, "certificate") : fail(pem, "no memory");
}

/* Once there are lists, each authority needs one: what cannot be looked up is refused. */
static bool take_revocations(SSL_CTX *context, struct pem *pem)
{
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    X509_CRL *list;
    bool is_taken = X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    while (is_taken && (list = PEM_read_bio_X509_CRL(pem->text, NULL, NULL, NULL))) {
        pem->count++;
        is_taken = X509_STORE_add_crl(store, list) == 1;
        const ASN1_TIME *next = X509_CRL_get0_nextUpdate(list);
        if (next && X509_cmp_current_time(next) < 0)
            fprintf(pem->errors, "%s: list %u has expired; each peer of its authority is refused\n",
                pem->path, pem->count);
        X509_CRL_free(list);
    }
    return is_taken ? pem_ends_well(pem, "list") : fail(pem, "no memory");
}

/* What is not configured is taken as it is. */
static bool take_file(SSL_CTX *context, const struct config_tls *tls,
    const struct credentials *credentials, enum config_credential which, FILE *errors)
{
    static bool (*const take[])(SSL_CTX *, struct pem *) = {
        [CONFIG_CERTIFICATE] = take_certificates,
        [CONFIG_KEY] = take_key,
        [CONFIG_AUTHORITIES] = take_authorities,
        [CONFIG_REVOCATIONS] = take_revocations,
    };
    struct pem pem;
    if (!credentials->each[which].text)
        return true;
    if (which == CONFIG_SHARED_KEYS)
        return shared_keys_read(
            &extras_of(context)->keys, tls->files[which], credentials->each[which].text, errors);
    bool is_taken = pem_open(&pem, tls, credentials, which, errors) && take[which](context, &pem);
    BIO_free(pem.text);
    return is_taken;
}

/* Sessions are not resumed: each is held against the lists of revocations anew. */
static bool set_rules(SSL_CTX *context)
{
    struct extras *extras = calloc(1, sizeof(*extras));
    if (!extras || SSL_CTX_set_ex_data(context, extras_index(), extras) != 1) {
        free(extras);
        return false;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY); /* records without data have no end else */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_verify_depth(context, CHAIN_MAX);
    int highest = SPEC_VALUE("RFC5971-5.7.3-2b", 1, 0, TLS1_2_VERSION);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_max_proto_version(context, highest) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS) == 1 &&
           SSL_CTX_set_ciphersuites(context, CIPHERS_1_3) == 1;
}

SSL_CTX *tls_context_create(
    const struct config_tls *tls, const struct credentials *credentials, FILE *errors)
{
    SSL_CTX *context = SSL_CTX_new(TLS_method());
    bool is_whole = context && set_rules(context);
    if (!is_whole)
        fprintf(errors, "tls: OpenSSL has no memory, or lacks what TLS 1.2 needs\n");
    for (enum config_credential which = 0; is_whole && which < CONFIG_CREDENTIALS; which++)
        is_whole = take_file(context, tls, credentials, which, errors);
    if (is_whole)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

bool tls_credentials_read(
    const struct config_tls *tls, struct credentials *credentials, FILE *errors)
{
    if (!credentials_read(tls, credentials, errors))
        return false;
    SSL_CTX *context = tls->is_on ? tls_context_create(tls, credentials, errors) : NULL;
    SSL_CTX_free(context);
    return context || !tls->is_on;
}

bool tls_context_until(const SSL_CTX *context, char text[TLS_TIME_SIZE])
{
    const X509 *certificate = SSL_CTX_get0_certificate(context);
    struct tm until;
    return certificate && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &until) == 1 &&
           strftime(text, TLS_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &until) > 0;
}

static void write_secret(const SSL *ssl, const char *line)
{
    FILE *key_log = extras_of(SSL_get_SSL_CTX(ssl))->key_log;
    fprintf(key_log, "%s\n", line);
    fflush(key_log);
}

void tls_context_log_keys(SSL_CTX *context, FILE *key_log)
{
    extras_of(context)->key_log = key_log;
    SSL_CTX_set_keylog_callback(context, key_log ? write_secret : NULL);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TLS connection; see tls_session.h. RFC 5971 5.7.3, 5.7.3.1. */
#include "reference-node/tls/tls_session.h"

#include "core/spec/spec.h"
#include "reference-node/tls/dns_name.h"
#include "reference-node/tls/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct details {
    char key_identity[CONFIG_IDENTITY_MAX]; /* of the shared key that was asked for; "": none */
    char hint[CONFIG_IDENTITY_MAX];         /* the server's */
    SSL_CTX *trusted_by;                    /* what its peer was last held against */
};

static void free_details(
    void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number, void *pointer)
{
    (void)parent, (void)all, (void)index, (void)number, (void)pointer;
    struct details *details = data;
    if (details)
        SSL_CTX_free(details->trusted_by);
    free(details);
}

static int details_index(void)
{
    static int index = -1;
    if (index < 0)
        index = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_details);
    return index;
}

static struct details *details_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, details_index());
}

static unsigned copy_key(
    const SSL *ssl, const char *identity, unsigned char *octets, unsigned octets_max)
{
    const struct shared_key *key =
        shared_keys_find(tls_context_keys(SSL_get_SSL_CTX(ssl)), identity);
    if (!key || key->length > octets_max)
        return 0;
    memcpy(octets, key->octets, key->length);
    return (unsigned)key->length;
}

static unsigned on_client_key(
    SSL *ssl, const char *identity, unsigned char *octets, unsigned octets_max)
{
    struct details *details = details_of(ssl);
    if (strlen(identity) >= sizeof(details->key_identity))
        return 0;
    strcpy(details->key_identity, identity);
    return copy_key(ssl, identity, octets, octets_max);
}

static unsigned on_server_key(SSL *ssl, const char *hint, char *identity, unsigned identity_max,
    unsigned char *octets, unsigned octets_max)
{
    struct details *details = details_of(ssl);
    snprintf(details->hint, sizeof(details->hint), "%s", hint ? hint : "");
    if (strlen(details->key_identity) >= identity_max)
        return 0;
    strcpy(identity, details->key_identity);
    return copy_key(ssl, identity, octets, octets_max);
}

static SSL *create(SSL_CTX *context, int verify)
{
    SSL *ssl = SSL_new(context);
    struct details *details = ssl ? calloc(1, sizeof(*details)) : NULL;
    if (!details || SSL_set_ex_data(ssl, details_index(), details) != 1) {
        free(details);
        SSL_free(ssl);
        return NULL;
    }
    SSL_CTX_up_ref(context);
    details->trusted_by = context;
    SSL_set_verify(ssl, verify, NULL);
    return ssl;
}

/* TLS 1.3 takes a shared key for a session that is resumed, and asks that of a server. */
static const unsigned char session_name[] = "natfw";

SSL *tls_session_accept(SSL_CTX *context)
{
    int verify = SPEC_VALUE(
        "RFC5971-5.7.3-6b", 1, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, SSL_VERIFY_NONE);
    SSL *ssl = create(context, verify);
    if (!ssl || SSL_set_session_id_context(ssl, session_name, sizeof(session_name)) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    if (tls_context_keys(context)->count > 0)
        SSL_set_psk_server_callback(ssl, on_client_key);
    return ssl;
}

/* The first entry for this address that a key goes with. */
static const char *key_for(
    const SSL_CTX *context, const struct config_tls *tls, const struct gist_address *peer)
{
    for (size_t i = 0; i < tls->peer_count; i++) {
        const struct config_authorised_peer *entry = &tls->peers[i];
        if (entry->is_allowed && entry->namespace != CONFIG_NAMESPACE_DNS &&
            config_prefix_matches(&entry->address, peer, config_address_bits(peer), false) &&
            shared_keys_find(tls_context_keys(context), entry->identity))
            return entry->identity;
    }
    return NULL;
}

SSL *tls_session_connect(
    SSL_CTX *context, const struct config_tls *tls, const struct gist_address *peer)
{
    SSL *ssl =
        create(context, SPEC_VALUE("RFC5971-5.7.3.1-5", 1, SSL_VERIFY_PEER, SSL_VERIFY_NONE));
    const char *identity = key_for(context, tls, peer);
    if (ssl && identity) {
        snprintf(details_of(ssl)->key_identity, CONFIG_IDENTITY_MAX, "%s", identity);
        SSL_set_psk_client_callback(ssl, on_server_key);
    }
    return ssl;
}

static bool keys_are_equal(const struct shared_key *one, const struct shared_key *other)
{
    return one && other && one->length == other->length &&
           CRYPTO_memcmp(one->octets, other->octets, one->length) == 0;
}

/* Nobody has shown a certificate, and the handshake is over: it was the key. Whoever has it may
 * hint at any name: it is one that the key is of here. */
static const char *key_identity_of(const SSL *ssl)
{
    const struct details *details = details_of(ssl);
    if (SSL_get0_peer_certificate(ssl) || !SSL_is_init_finished(ssl))
        return NULL;
    if (details->hint[0] == '\0')
        return details->key_identity;
    const struct shared_keys *keys = tls_context_keys(SSL_get_SSL_CTX(ssl));
    bool is_backed = keys_are_equal(
        shared_keys_find(keys, details->hint), shared_keys_find(keys, details->key_identity));
    return is_backed ? details->hint : NULL;
}

static struct dns_name name_of(const ASN1_STRING *string)
{
    return (struct dns_name){.octets = (const char *)ASN1_STRING_get0_data(string),
        .length = (size_t)ASN1_STRING_length(string)};
}

/* Returns whether there is any; found: the one that matches, where one does. */
static bool has_dns_name(const X509 *certificate, struct dns_name wanted, bool *found)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool has_any = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_DNS)
            continue;
        has_any = true;
        *found |= dns_names_match(name_of(name->d.dNSName), wanted);
    }
    GENERAL_NAMES_free(names);
    return has_any;
}

/* The last is the most specific. */
static bool is_common_name(const X509 *certificate, struct dns_name wanted)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int last = -1, next;
    while ((next = X509_NAME_get_index_by_NID(subject, NID_commonName, last)) >= 0)
        last = next;
    if (last < 0)
        return false;
    const ASN1_STRING *string = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last));
    return dns_names_match(name_of(string), wanted);
}

static bool is_named(const X509 *certificate, const char *identity)
{
    struct dns_name wanted = {.octets = identity, .length = strlen(identity)};
    bool found = false, has_any = false;
    SPEC_DO("RFC5971-5.7.3.1-2", 1) {
        has_any = has_dns_name(certificate, wanted, &found);
    }
    SPEC_ENSURE("RFC5971-5.7.3.1-3", 1, has_any) {
        return is_common_name(certificate, wanted);
    }
    return found;
}

bool tls_session_is(const SSL *ssl, enum config_namespace namespace, const char *identity)
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    const char *key_identity = key_identity_of(ssl);
    bool is_anyone = strcmp(identity, "*") == 0;
    if (certificate && namespace != CONFIG_NAMESPACE_PSK)
        return is_anyone || is_named(certificate, identity);
    if (key_identity && namespace != CONFIG_NAMESPACE_DNS)
        return is_anyone || SPEC_HOLDS("RFC5971-5.7.3.1-7", 1, strcmp(key_identity, identity) == 0);
    return false;
}

static bool is_trusted_by(const SSL *ssl, X509 *certificate, SSL_CTX *context)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    bool holds =
        check &&
        X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(context), certificate,
            SSL_get_peer_cert_chain(ssl)) == 1 &&
        X509_STORE_CTX_set_default(check, SSL_is_server(ssl) ? "ssl_client" : "ssl_server") == 1 &&
        X509_verify_cert(check) == 1;
    X509_STORE_CTX_free(check);
    ERR_clear_error();
    return holds;
}

static bool has_the_key_of(const SSL *ssl, SSL_CTX *context)
{
    const char *identity = details_of(ssl)->key_identity;
    const struct shared_key *before =
        shared_keys_find(tls_context_keys(SSL_get_SSL_CTX(ssl)), identity);
    const struct shared_key *now = shared_keys_find(tls_context_keys(context), identity);
    return keys_are_equal(before, now);
}

bool tls_session_holds(SSL *ssl, SSL_CTX *context)
{
    struct details *details = details_of(ssl);
    X509 *certificate = SSL_get0_peer_certificate(ssl);
    if (certificate && X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)
        return false;
    if (details->trusted_by == context)
        return true;
    if (certificate ? !is_trusted_by(ssl, certificate, context) : !has_the_key_of(ssl, context))
        return false;
    SSL_CTX_up_ref(context);
    SSL_CTX_free(details->trusted_by);
    details->trusted_by = context;
    return true;
}

/* What a peer has written goes to a log. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if (*text < ' ' || *text > '~')
            *text = '?';
}

static size_t write_name(char text[TLS_TEXT_SIZE], size_t used, struct dns_name name)
{
    int length = snprintf(text + used, TLS_TEXT_SIZE - used, "%sdns:%.*s", used > 0 ? " " : "",
        (int)name.length, name.octets);
    return length < 0 || used + (size_t)length >= TLS_TEXT_SIZE ? TLS_TEXT_SIZE - 1
                                                                : used + (size_t)length;
}

static void write_names(const X509 *certificate, char text[TLS_TEXT_SIZE])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS && used < TLS_TEXT_SIZE - 1)
            used = write_name(text, used, name_of(name->d.dNSName));
    }
    GENERAL_NAMES_free(names);
    if (used == 0)
        X509_NAME_oneline(X509_get_subject_name(certificate), text, TLS_TEXT_SIZE);
}

void tls_session_peer(const SSL *ssl, char text[TLS_TEXT_SIZE])
{
    const X509 *certificate = SSL_get0_peer_certificate(ssl);
    const char *key_identity = key_identity_of(ssl);
    text[0] = '\0';
    if (certificate)
        write_names(certificate, text);
    else
        snprintf(text, TLS_TEXT_SIZE, "%s%s", key_identity ? "psk:" : "nobody",
            key_identity ? key_identity : "");
    make_printable(text);
}

static bool is_of(const void *context, enum config_namespace namespace, const char *identity)
{
    return tls_session_is(context, namespace, identity);
}

static void write_peer(const void *context, char text[PEER_IDENTITY_TEXT_SIZE])
{
    tls_session_peer(context, text);
}

struct peer_identity tls_session_identity(const SSL *ssl)
{
    return (struct peer_identity){.context = ssl, .is = is_of, .write = write_peer};
}

bool tls_session_is_alert(unsigned long error)
{
    return ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) > SSL_AD_REASON_OFFSET;
}

void tls_session_failure(
    const SSL *ssl, unsigned long error, const char *otherwise, char text[TLS_TEXT_SIZE])
{
    long verified = SSL_get_verify_result(ssl);
    const char *reason = error ? ERR_reason_error_string(error) : NULL;
    if (verified != X509_V_OK)
        snprintf(text, TLS_TEXT_SIZE, "its certificate is refused: %s",
            X509_verify_cert_error_string(verified));
    else
        snprintf(text, TLS_TEXT_SIZE, "%s%s",
            reason && tls_session_is_alert(error) ? "the peer says: " : "",
            reason ? reason : otherwise);
    make_printable(text);
}

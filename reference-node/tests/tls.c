/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS between two nodes: what is negotiated, who is let in, and as whom. RFC 5971 5.7.3, 4.4.2. */
#include "reference-node/tests/tls_bench.h"
#include "reference-node/tls/peer_database.h"
#include "reference-node/tls/tls_session.h"

#include "core/spec/tests/verify.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#define KEY_A "000102030405060708090a0b0c0d0e0f"
#define KEY_B "f00102030405060708090a0b0c0d0e0f"

static struct authority ours, theirs;
static char *our_authority, *their_authority;
static const struct subject plain = {.common_names = {"nf.example.com"}};
static const struct gist_address peer = {.version = 4, .octets = {192, 0, 2, 1}};

static void start(void)
{
    ours = authority_create("Ours");
    theirs = authority_create("Theirs");
    our_authority = authority_pem(&ours);
    their_authority = authority_pem(&theirs);
}

static void stop(void)
{
    authority_free(&ours);
    authority_free(&theirs);
    free(our_authority);
    free(their_authority);
}

TestSuite(tls, .init = start, .fini = stop);

/* Two ends, the first of which begins. */
struct pair {
    SSL_CTX *contexts[2];
    SSL *client;
    SSL *server;
    unsigned long error; /* the first */
};

/* Which entry of the peer database the client has, for a shared key; NULL: none. */
static const char *client_entry;
/* What the server calls itself, which TLS 1.2 has room for; NULL: nothing, and whatever version. */
static const char *server_hint;

static bool join(struct pair *pair, const struct tls_end *client, const struct tls_end *server)
{
    struct config_authorised_peer entry = {.namespace = CONFIG_NAMESPACE_PSK, .is_allowed = true};
    struct config_tls tls = {.peers = &entry, .peer_count = client_entry != NULL};
    char *said[2];
    snprintf(entry.identity, sizeof(entry.identity), "%s", client_entry ? client_entry : "");
    pair->contexts[0] = bench_context(client, &said[0]);
    pair->contexts[1] = bench_context(server, &said[1]);
    cr_assert(pair->contexts[0] && pair->contexts[1], "%s%s", said[0], said[1]);
    free(said[0]);
    free(said[1]);
    pair->client = tls_session_connect(pair->contexts[0], &tls, &peer);
    pair->server = tls_session_accept(pair->contexts[1]);
    if (server_hint) {
        SSL_set_max_proto_version(pair->client, TLS1_2_VERSION);
        SSL_use_psk_identity_hint(pair->server, server_hint);
    }
    ERR_clear_error();
    bool joined = bench_handshake(pair->client, pair->server);
    pair->error = ERR_peek_error();
    return joined;
}

static void part(struct pair *pair)
{
    SSL_free(pair->client);
    SSL_free(pair->server);
    SSL_CTX_free(pair->contexts[0]);
    SSL_CTX_free(pair->contexts[1]);
}

static struct tls_end end_of(const struct issued *issued, const char *authorities)
{
    return (struct tls_end){.texts = {issued->certificate, issued->key, authorities}};
}

/* Whether a server with our usual certificate and this list lets this client in. */
static bool lets_in(const struct tls_end *client, const char *revocations)
{
    struct pair pair;
    struct issued issued = authority_issue(&ours, &plain);
    struct tls_end server = end_of(&issued, our_authority);
    server.texts[CONFIG_REVOCATIONS] = revocations;
    bool joined = join(&pair, client, &server);
    part(&pair);
    issued_free(&issued);
    return joined;
}

static bool lets_in_subject(
    struct authority *authority, const struct subject *subject, const char *revocations)
{
    struct issued issued = authority_issue(authority, subject);
    struct tls_end client = end_of(&issued, our_authority);
    bool joined = lets_in(&client, revocations);
    issued_free(&issued);
    return joined;
}

Test(tls, authenticates_both_ends_with_the_highest_version_that_both_have)
{
    VERIFIES("RFC5971-5.7.3-1", "RFC5971-5.7.3-2b", "RFC5971-5.7.3-6a");
    struct pair pair;
    char text[TLS_TEXT_SIZE];
    struct subject left = {.common_names = {"left.example.com"}};
    struct issued client = authority_issue(&ours, &left);
    struct issued server = authority_issue(&ours, &plain);
    struct tls_end ends[2] = {end_of(&client, our_authority), end_of(&server, our_authority)};
    REQUIRE("RFC5971-5.7.3-1", join(&pair, &ends[0], &ends[1]));
    REQUIRE("RFC5971-5.7.3-6a", SSL_get0_peer_certificate(pair.client));
    REQUIRE("RFC5971-5.7.3-2b", SSL_version(pair.client) == TLS1_3_VERSION);
    tls_session_peer(pair.server, text);
    cr_assert_str_eq(text, "/CN=left.example.com");
    tls_session_peer(pair.client, text);
    cr_assert_str_eq(text, "/CN=nf.example.com");
    part(&pair);
    issued_free(&client);
    issued_free(&server);
}

/* A client that offers no version above this one. */
static bool joins_with_at_most(int version)
{
    struct issued issued = authority_issue(&ours, &plain);
    struct tls_end end = end_of(&issued, our_authority);
    SSL_CTX *context = bench_context_without_a_word(&end);
    SSL_CTX *old = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(old, 0);
    SSL_CTX_set_min_proto_version(old, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old, version);
    SSL_CTX_use_certificate(old, SSL_CTX_get0_certificate(context));
    SSL_CTX_use_PrivateKey(old, SSL_CTX_get0_privatekey(context));
    SSL *client = SSL_new(old), *server = tls_session_accept(context);
    bool joined = bench_handshake(client, server);
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(old);
    SSL_CTX_free(context);
    issued_free(&issued);
    return joined;
}

Test(tls, has_no_version_before_1_2)
{
    VERIFIES("RFC5971-5.7.3-2a");
    cr_assert(joins_with_at_most(TLS1_3_VERSION));
    cr_assert(joins_with_at_most(TLS1_2_VERSION));
    REQUIRE("RFC5971-5.7.3-2a", !joins_with_at_most(TLS1_1_VERSION));
    REQUIRE("RFC5971-5.7.3-2a", !joins_with_at_most(TLS1_VERSION));
}

Test(tls, resumes_no_session_and_ends_its_turn_after_a_record)
{
    struct pair pair;
    char octet;
    struct issued issued = authority_issue(&ours, &plain);
    struct tls_end end = end_of(&issued, our_authority);
    cr_assert(join(&pair, &end, &end));
    SSL_read(pair.client, &octet, 1); /* a ticket, if there is one */
    cr_assert_not(SSL_SESSION_is_resumable(SSL_get_session(pair.client)));
    cr_assert_not(SSL_CTX_get_mode(pair.contexts[1]) & SSL_MODE_AUTO_RETRY);
    part(&pair);
    issued_free(&issued);
}

Test(tls, lets_nobody_in_without_a_certificate)
{
    VERIFIES("RFC5971-5.7.3-6b");
    struct tls_end client = {.texts = {[CONFIG_AUTHORITIES] = our_authority}};
    REQUIRE("RFC5971-5.7.3-6b", !lets_in(&client, NULL));
}

Test(tls, lets_in_whom_an_authority_of_ours_has_signed_as_long_as_that_holds)
{
    struct subject expired = plain, early = plain;
    expired.from_s = -200;
    expired.until_s = -100;
    early.from_s = 100;
    cr_assert(lets_in_subject(&ours, &plain, NULL));
    cr_assert_not(lets_in_subject(&theirs, &plain, NULL), "an unknown authority");
    cr_assert_not(lets_in_subject(&ours, &expired, NULL));
    cr_assert_not(lets_in_subject(&ours, &early, NULL));
}

Test(tls, does_not_turn_to_a_server_that_an_unknown_authority_has_signed)
{
    VERIFIES("RFC5971-5.7.3.1-5");
    struct pair pair;
    char text[TLS_TEXT_SIZE];
    struct issued client = authority_issue(&ours, &plain),
                  server = authority_issue(&theirs, &plain);
    struct tls_end ends[2] = {end_of(&client, our_authority), end_of(&server, our_authority)};
    REQUIRE("RFC5971-5.7.3.1-5", !join(&pair, &ends[0], &ends[1]));
    tls_session_failure(pair.client, pair.error, "", text);
    cr_assert(strstr(text, "its certificate is refused: unable to get local issuer"), "%s", text);
    tls_session_failure(pair.server, 0, "the peer has ended it", text);
    cr_assert_str_eq(text, "the peer has ended it");
    part(&pair);
    issued_free(&client);
    issued_free(&server);
}

Test(tls, refuses_what_its_authority_has_revoked)
{
    char *none = authority_revoke(&ours, 0);
    cr_assert(lets_in_subject(&ours, &plain, none));
    char *next = authority_revoke(&ours, ours.last_serial + 1);
    cr_assert_not(lets_in_subject(&ours, &plain, next));
    cr_assert(lets_in_subject(&ours, &plain, next), "that is another one");
    char *endless = authority_list_without_end(&ours);
    cr_assert(lets_in_subject(&ours, &plain, endless));
    free(endless);
    char *other = authority_revoke(&theirs, 0);
    cr_assert_not(lets_in_subject(&ours, &plain, other), "its authority has no list");
    free(none);
    free(next);
    free(other);
}

Test(tls, holds_a_peer_against_another_authority_list_and_time)
{
    struct pair pair;
    struct issued issued = authority_issue(&ours, &plain);
    char *revocations = authority_revoke(&ours, ours.last_serial);
    struct tls_end end = end_of(&issued, our_authority), revoked = end,
                   foreign = end_of(&issued, their_authority);
    revoked.texts[CONFIG_REVOCATIONS] = revocations;
    cr_assert(join(&pair, &end, &end));
    SSL_CTX *same = bench_context_without_a_word(&end);
    SSL_CTX *other = bench_context_without_a_word(&foreign);
    SSL_CTX *list = bench_context_without_a_word(&revoked);
    cr_assert(tls_session_holds(pair.server, pair.contexts[1]));
    cr_assert(tls_session_holds(pair.server, same) && tls_session_holds(pair.client, same));
    cr_assert(!tls_session_holds(pair.server, other) && !tls_session_holds(pair.client, other));
    cr_assert(!tls_session_holds(pair.server, list) && !tls_session_holds(pair.client, list));
    cr_assert(tls_session_holds(pair.server, same));
    X509 *certificate = SSL_get0_peer_certificate(pair.server);
    X509_gmtime_adj(X509_getm_notAfter(certificate), -1);
    cr_assert_not(tls_session_holds(pair.server, same), "it has expired meanwhile");
    SSL_CTX_free(same);
    SSL_CTX_free(other);
    SSL_CTX_free(list);
    part(&pair);
    free(revocations);
    issued_free(&issued);
}

/* Whether a peer that shows this has that name. */
static bool is(const struct subject *subject, const char *identity)
{
    struct pair pair;
    struct issued issued = authority_issue(&ours, subject), server = authority_issue(&ours, &plain);
    struct tls_end ends[2] = {end_of(&issued, our_authority), end_of(&server, our_authority)};
    cr_assert(join(&pair, &ends[0], &ends[1]));
    bool is_named = tls_session_is(pair.server, CONFIG_NAMESPACE_DNS, identity);
    cr_assert_eq(is_named, tls_session_is(pair.server, CONFIG_NAMESPACE_ANY, identity));
    cr_assert_not(tls_session_is(pair.server, CONFIG_NAMESPACE_PSK, identity));
    cr_assert(tls_session_is(pair.server, CONFIG_NAMESPACE_DNS, "*"));
    part(&pair);
    issued_free(&issued);
    issued_free(&server);
    return is_named;
}

Test(tls, takes_a_peer_for_each_of_its_alternative_names)
{
    VERIFIES("RFC5971-5.7.3.1-2");
    const struct subject both = {.common_names = {"cn.example.com"},
        .alternatives = "IP:192.0.2.1,DNS:a.example.com,DNS:*.b.example.com"};
    REQUIRE("RFC5971-5.7.3.1-2", is(&both, "a.example.com"));
    REQUIRE("RFC5971-5.7.3.1-2", is(&both, "fw.b.example.com"));
    REQUIRE("RFC5971-5.7.3.1-2", !is(&both, "cn.example.com"));
    cr_assert(is(&both, "*.example.com"));
    cr_assert_not(is(&both, "b.example.com"));
}

Test(tls, takes_a_peer_for_its_last_common_name_where_it_has_no_other)
{
    VERIFIES("RFC5971-5.7.3.1-3");
    const struct subject names = {.common_names = {"first.example.com", "last.example.com"}};
    const struct subject address = {
        .common_names = {"cn.example.com"}, .alternatives = "IP:192.0.2.1"};
    REQUIRE("RFC5971-5.7.3.1-3", is(&names, "LAST.example.com"));
    REQUIRE("RFC5971-5.7.3.1-3", !is(&names, "first.example.com"));
    REQUIRE("RFC5971-5.7.3.1-3", is(&address, "cn.example.com"));
}

static bool joins_by_key(
    const char *client, const char *entry, const char *server, struct pair *pair)
{
    struct tls_end ends[2] = {
        {.texts = {[CONFIG_SHARED_KEYS] = client}}, {.texts = {[CONFIG_SHARED_KEYS] = server}}};
    client_entry = entry;
    return join(pair, &ends[0], &ends[1]);
}

Test(tls, authenticates_by_a_shared_key_and_knows_its_identity)
{
    VERIFIES("RFC5971-5.7.3.1-7");
    struct pair pair;
    char text[TLS_TEXT_SIZE];
    cr_assert(
        joins_by_key("other:" KEY_B "\nleft:" KEY_A, "left", "left:" KEY_A "\nx:" KEY_B, &pair));
    for (SSL *ssl = pair.client; ssl; ssl = ssl == pair.client ? pair.server : NULL) {
        REQUIRE("RFC5971-5.7.3.1-7", tls_session_is(ssl, CONFIG_NAMESPACE_PSK, "left"));
        REQUIRE("RFC5971-5.7.3.1-7", !tls_session_is(ssl, CONFIG_NAMESPACE_PSK, "other"));
        cr_assert(tls_session_is(ssl, CONFIG_NAMESPACE_ANY, "*"));
        cr_assert_not(tls_session_is(ssl, CONFIG_NAMESPACE_DNS, "*"));
        tls_session_peer(ssl, text);
        cr_assert_str_eq(text, "psk:left");
    }
    struct tls_end changed = {.texts = {[CONFIG_SHARED_KEYS] = "left:" KEY_B}},
                   same = {.texts = {[CONFIG_SHARED_KEYS] = "x:" KEY_B "\nleft:" KEY_A}};
    SSL_CTX *contexts[2] = {
        bench_context_without_a_word(&changed), bench_context_without_a_word(&same)};
    cr_assert(tls_session_holds(pair.server, contexts[1]));
    cr_assert_not(tls_session_holds(pair.server, contexts[0]), "another key by that identity");
    SSL_CTX_free(contexts[0]);
    SSL_CTX_free(contexts[1]);
    part(&pair);
}

Test(tls, lets_nobody_in_with_another_key_or_an_unknown_one)
{
    struct pair pair;
    cr_assert_not(joins_by_key("left:" KEY_A, "left", "left:" KEY_B, &pair));
    part(&pair);
    cr_assert_not(joins_by_key("left:" KEY_A, "left", "right:" KEY_A, &pair));
    part(&pair);
    cr_assert_not(joins_by_key("left:" KEY_A, NULL, "left:" KEY_A, &pair), "nobody to ask");
    part(&pair);
}

Test(tls, knows_a_server_by_its_hint_where_it_gives_one)
{
    VERIFIES("RFC5971-5.7.3.1-7");
    struct pair pair;
    server_hint = "right";
    cr_assert(joins_by_key("left:" KEY_A "\nright:" KEY_A, "left", "left:" KEY_A, &pair));
    cr_assert_eq(SSL_version(pair.client), TLS1_2_VERSION);
    REQUIRE("RFC5971-5.7.3.1-7", tls_session_is(pair.client, CONFIG_NAMESPACE_PSK, "right"));
    REQUIRE("RFC5971-5.7.3.1-7", !tls_session_is(pair.client, CONFIG_NAMESPACE_PSK, "left"));
    REQUIRE("RFC5971-5.7.3.1-7", tls_session_is(pair.server, CONFIG_NAMESPACE_PSK, "left"));
    part(&pair);
    cr_assert(joins_by_key("left:" KEY_A "\nright:" KEY_B, "left", "left:" KEY_A, &pair));
    cr_assert_not(tls_session_is(pair.client, CONFIG_NAMESPACE_ANY, "right"), "it has no such key");
    cr_assert_not(tls_session_is(pair.client, CONFIG_NAMESPACE_ANY, "left"));
    part(&pair);
}

Test(tls, lets_in_by_key_and_by_certificate_where_it_has_both)
{
    struct pair pair;
    struct issued issued = authority_issue(&ours, &plain);
    struct tls_end both = end_of(&issued, our_authority), certificate = both,
                   key = {.texts = {[CONFIG_SHARED_KEYS] = "left:" KEY_A}};
    both.texts[CONFIG_SHARED_KEYS] = "left:" KEY_A;
    cr_assert(join(&pair, &certificate, &both));
    cr_assert(tls_session_is(pair.server, CONFIG_NAMESPACE_DNS, "nf.example.com"));
    part(&pair);
    client_entry = "left";
    cr_assert(join(&pair, &key, &both));
    cr_assert(tls_session_is(pair.server, CONFIG_NAMESPACE_PSK, "left"));
    part(&pair);
    issued_free(&issued);
}

/* The first entry of the database for that address, that allows, and that a key goes with. */
Test(tls, chooses_the_shared_key_by_the_servers_address)
{
    struct tls_end end = {.texts = {[CONFIG_SHARED_KEYS] = "left:" KEY_A "\nright:" KEY_B}};
    struct config_authorised_peer entries[] = {
        {.identity = "left", .namespace = CONFIG_NAMESPACE_PSK, .is_allowed = false},
        {.identity = "left", .namespace = CONFIG_NAMESPACE_DNS, .is_allowed = true},
        {.identity = "left",
            .namespace = CONFIG_NAMESPACE_PSK,
            .address = {.address = {.version = 4, .octets = {198, 51, 100, 1}}, .bits = 32},
            .is_allowed = true},
        {.identity = "right", .namespace = CONFIG_NAMESPACE_PSK, .is_allowed = true}};
    struct config_tls database = {.peers = entries, .peer_count = 4};
    SSL_CTX *context = bench_context_without_a_word(&end);
    SSL *client = tls_session_connect(context, &database, &peer);
    SSL *server = tls_session_accept(context);
    cr_assert(bench_handshake(client, server));
    cr_assert(tls_session_is(server, CONFIG_NAMESPACE_PSK, "right"));
    SSL_free(client);
    SSL_free(server);
    SSL_CTX_free(context);
}

static void expect_unusable(const struct tls_end *end, const char *expected)
{
    char *said;
    SSL_CTX *context = bench_context(end, &said);
    cr_assert(!context && strstr(said, expected), "%s", said);
    free(said);
}

Test(tls, says_which_file_cannot_be_used_and_why)
{
    struct issued issued = authority_issue(&ours, &plain), other = authority_issue(&ours, &plain);
    struct tls_end end = end_of(&issued, our_authority), mixed = end, none = end, cut = end;
    EVP_PKEY *of_another_type = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(PEM_write_bio_PrivateKey(bio, of_another_type, NULL, NULL, 0, NULL, NULL) == 1);
    char *octets;
    long length = BIO_get_mem_data(bio, &octets);
    char *strange = strndup(octets, (size_t)length);
    mixed.texts[CONFIG_KEY] = other.key;
    expect_unusable(&mixed, "key: it is not the key of the certificate");
    mixed.texts[CONFIG_KEY] = strange;
    expect_unusable(&mixed, "key: it is not the key of the certificate");
    none.texts[CONFIG_AUTHORITIES] = "nothing\n";
    expect_unusable(&none, "authorities: there is no certificate in it; give PEM");
    cut.texts[CONFIG_REVOCATIONS] = "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n";
    expect_unusable(&cut, "revocations: list 1 cannot be read: ");
    free(strange);
    BIO_free(bio);
    EVP_PKEY_free(of_another_type);
    issued_free(&issued);
    issued_free(&other);
}

/* One text after the other; to be freed. */
static char *both(const char *one, const char *other)
{
    size_t size = strlen(one) + strlen(other) + 1;
    char *text = malloc(size);
    snprintf(text, size, "%s%s", one, other);
    return text;
}

Test(tls, follows_certificates_up_to_an_authority_of_ours_and_each_may_be_revoked)
{
    struct pair pair;
    struct authority between = authority_below(&ours, "Between");
    struct issued issued = authority_issue(&between, &plain);
    char *own = authority_pem(&between), *chain = both(issued.certificate, own);
    char *lists[2] = {authority_revoke(&ours, 0), authority_revoke(&between, 0)};
    char *lower = authority_revoke(&ours, 1), *none = both(lists[0], lists[1]),
         *upper = both(lower, lists[1]);
    struct tls_end whole = {.texts = {chain, issued.key, our_authority}}, alone = whole,
                   listed = whole;
    alone.texts[CONFIG_CERTIFICATE] = issued.certificate;
    cr_assert(lets_in(&whole, NULL));
    cr_assert_not(lets_in(&alone, NULL), "who has signed it is not there");
    cr_assert(join(&pair, &whole, &whole));
    listed.texts[CONFIG_REVOCATIONS] = none;
    SSL_CTX *holding = bench_context_without_a_word(&listed);
    listed.texts[CONFIG_REVOCATIONS] = upper;
    SSL_CTX *revoking = bench_context_without_a_word(&listed);
    cr_assert(tls_session_holds(pair.server, holding) && tls_session_holds(pair.client, holding));
    cr_assert(!tls_session_holds(pair.server, revoking), "who has signed it is revoked");
    cr_assert(!tls_session_holds(pair.client, revoking));
    part(&pair);
    SSL_CTX_free(holding);
    SSL_CTX_free(revoking);
    authority_free(&between);
    issued_free(&issued);
    for (char **text = (char *[]){own, chain, lists[0], lists[1], lower, none, upper, NULL}; *text;
         text++)
        free(*text);
}

Test(tls, asks_of_each_end_a_certificate_that_may_be_used_there)
{
    struct subject only_serves = {.common_names = {"nf.example.com"}, .usage = "serverAuth"};
    struct subject only_asks = {.common_names = {"nf.example.com"}, .usage = "clientAuth"};
    struct pair pair;
    struct issued server = authority_issue(&ours, &only_serves),
                  client = authority_issue(&ours, &only_asks);
    struct tls_end serves = end_of(&server, our_authority), asks = end_of(&client, our_authority);
    cr_assert_not(join(&pair, &serves, &asks));
    part(&pair);
    cr_assert(join(&pair, &asks, &serves));
    SSL_CTX *other = bench_context_without_a_word(&serves);
    cr_assert(tls_session_holds(pair.server, other) && tls_session_holds(pair.client, other));
    SSL_CTX_free(other);
    part(&pair);
    issued_free(&server);
    issued_free(&client);
}

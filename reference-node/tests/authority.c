/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A certificate authority for tests; see authority.h. */
#include "reference-node/tests/authority.h"

#include <criterion/criterion.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

enum { DAY_S = 86400, X509_V3 = 2, CRL_V2 = 1 };

static void add_name(X509_NAME *name, const char *common_name)
{
    cr_assert(X509_NAME_add_entry_by_txt(
                  name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0) == 1);
}

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    cr_assert(extension && X509_add_ext(certificate, extension, -1) == 1, "%s", value);
    X509_EXTENSION_free(extension);
}

static X509 *begin(EVP_PKEY *key, long serial, long from_s, long until_s)
{
    X509 *certificate = X509_new();
    cr_assert(certificate && X509_set_version(certificate, X509_V3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), from_s);
    X509_gmtime_adj(X509_getm_notAfter(certificate), until_s ? until_s : DAY_S);
    cr_assert(X509_set_pubkey(certificate, key) == 1);
    return certificate;
}

static char *text_of(BIO *bio)
{
    char *data;
    long length = BIO_get_mem_data(bio, &data);
    char *text = strndup(data, (size_t)length);
    BIO_free(bio);
    return text;
}

static char *pem_of(X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(PEM_write_bio_X509(bio, certificate) == 1);
    return text_of(bio);
}

/* Signed by itself where nobody is above. */
static struct authority create(struct authority *above, const char *name)
{
    struct authority authority = {.key = EVP_EC_gen("P-256"), .revocations = X509_CRL_new()};
    cr_assert(authority.key && authority.revocations);
    long serial = above ? ++above->last_serial : 1000;
    X509 *certificate = authority.certificate = begin(authority.key, serial, -DAY_S, 0);
    add_name(X509_get_subject_name(certificate), name);
    X509_set_issuer_name(
        certificate, X509_get_subject_name(above ? above->certificate : certificate));
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    cr_assert(X509_sign(certificate, above ? above->key : authority.key, EVP_sha256()) > 0);
    return authority;
}

struct authority authority_create(const char *name)
{
    return create(NULL, name);
}

struct authority authority_below(struct authority *above, const char *name)
{
    return create(above, name);
}

void authority_free(struct authority *authority)
{
    EVP_PKEY_free(authority->key);
    X509_free(authority->certificate);
    X509_CRL_free(authority->revocations);
}

struct issued authority_issue(struct authority *authority, const struct subject *subject)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = begin(key, ++authority->last_serial, subject->from_s, subject->until_s);
    for (size_t i = 0; i < 2 && subject->common_names[i]; i++)
        add_name(X509_get_subject_name(certificate), subject->common_names[i]);
    X509_set_issuer_name(certificate, X509_get_subject_name(authority->certificate));
    add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
    if (subject->usage)
        add_extension(certificate, NID_ext_key_usage, subject->usage);
    if (subject->alternatives)
        add_extension(certificate, NID_subject_alt_name, subject->alternatives);
    cr_assert(X509_sign(certificate, authority->key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    cr_assert(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    struct issued issued = {.certificate = pem_of(certificate), .key = text_of(bio)};
    X509_free(certificate);
    EVP_PKEY_free(key);
    return issued;
}

void issued_free(struct issued *issued)
{
    free(issued->certificate);
    free(issued->key);
}

char *authority_pem(const struct authority *authority)
{
    return pem_of(authority->certificate);
}

static void revoke(X509_CRL *list, long serial)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    ASN1_INTEGER_set(number, serial);
    X509_REVOKED_set_serialNumber(revoked, number);
    X509_REVOKED_set_revocationDate(revoked, now);
    cr_assert(X509_CRL_add0_revoked(list, revoked) == 1);
    ASN1_INTEGER_free(number);
    ASN1_TIME_free(now);
}

char *authority_revoke(struct authority *authority, long serial)
{
    X509_CRL *list = authority->revocations;
    ASN1_TIME *before = X509_gmtime_adj(NULL, -DAY_S), *after = X509_gmtime_adj(NULL, DAY_S);
    BIO *bio = BIO_new(BIO_s_mem());
    if (serial != 0)
        revoke(list, serial);
    X509_CRL_set_version(list, CRL_V2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(list, before);
    X509_CRL_set1_nextUpdate(list, after);
    cr_assert(X509_CRL_sign(list, authority->key, EVP_sha256()) > 0);
    cr_assert(PEM_write_bio_X509_CRL(bio, list) == 1);
    ASN1_TIME_free(before);
    ASN1_TIME_free(after);
    return text_of(bio);
}

char *authority_list_without_end(const struct authority *authority)
{
    X509_CRL *list = X509_CRL_new();
    ASN1_TIME *before = X509_gmtime_adj(NULL, -DAY_S);
    BIO *bio = BIO_new(BIO_s_mem());
    X509_CRL_set_version(list, CRL_V2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(authority->certificate));
    X509_CRL_set1_lastUpdate(list, before);
    cr_assert(X509_CRL_sign(list, authority->key, EVP_sha256()) > 0);
    cr_assert(PEM_write_bio_X509_CRL(bio, list) == 1);
    ASN1_TIME_free(before);
    X509_CRL_free(list);
    return text_of(bio);
}

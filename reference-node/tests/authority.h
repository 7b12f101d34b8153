/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small certificate authority for tests; what it makes is PEM, to be freed. */
#ifndef NATFWD_TESTS_AUTHORITY_H
#define NATFWD_TESTS_AUTHORITY_H

#include <openssl/x509.h>

struct authority {
    EVP_PKEY *key;
    X509 *certificate;
    X509_CRL *revocations;
    long last_serial;
};

struct authority authority_create(const char *name);
/* One that another has signed. */
struct authority authority_below(struct authority *above, const char *name);
void authority_free(struct authority *authority);

struct subject {
    const char *common_names[2]; /* in their order; NULL: none */
    const char *usage;           /* "serverAuth"; NULL: any */
    const char *alternatives;    /* "DNS:a.example.com,DNS:b.example.com"; NULL: none */
    long from_s;                 /* from now */
    long until_s;                /* 0: a day */
};

/* A certificate and its key. */
struct issued {
    char *certificate;
    char *key;
};
struct issued authority_issue(struct authority *authority, const struct subject *subject);
void issued_free(struct issued *issued);

char *authority_pem(const struct authority *authority);
/* Its list of what it has revoked, with one more: the certificate of that number, the first being
 * 1; 0: none. */
char *authority_revoke(struct authority *authority, long serial);
/* One that revokes nothing, and does not say until when it holds. */
char *authority_list_without_end(const struct authority *authority);

#endif

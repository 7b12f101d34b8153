/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One TLS connection: how it authenticates, and whom. RFC 5971 5.7.3: the Querying node is the
 * client, the Responding node the server; both show a certificate, or know the same key.
 */
#ifndef NATFWD_TLS_SESSION_H
#define NATFWD_TLS_SESSION_H

#include "reference-node/tls/peer_identity.h"

#include <openssl/ssl.h>

enum { TLS_TEXT_SIZE = PEER_IDENTITY_TEXT_SIZE };

/* Each returns what SSL_free releases, or NULL without memory. The client uses the first shared key
 * that the peer database has for this address, and whatever the server wants else. */
SSL *tls_session_accept(SSL_CTX *context);
SSL *tls_session_connect(
    SSL_CTX *context, const struct config_tls *tls, const struct gist_address *peer);

/* Of a handshake that is over. Whether this identity of the peer database is the peer's, 5.7.3.1.
 */
bool tls_session_is(const SSL *ssl, enum config_namespace namespace, const char *identity);

/* Whether what authenticated the peer holds now: by the time, and, where context is another one
 * than it was last held against, by that one's authorities, revocations and keys. */
bool tls_session_holds(SSL *ssl, SSL_CTX *context);

/* Who the peer is, as it shows it: printable. */
void tls_session_peer(const SSL *ssl, char text[TLS_TEXT_SIZE]);
/* It, and how it is compared, for the peer database; as long as the connection is there. */
struct peer_identity tls_session_identity(const SSL *ssl);
/* Whether it is the peer that says so. */
bool tls_session_is_alert(unsigned long error);
/* Why its handshake has failed, where OpenSSL knows; else what is given. */
void tls_session_failure(
    const SSL *ssl, unsigned long error, const char *otherwise, char text[TLS_TEXT_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may begin a handshake of TLS with us, which costs us more than the peer: so many at once and
 * so many a second, in shares, before the core hears of the connection. RFC 5971 8.4.
 */
#ifndef NATFWD_HANDSHAKES_H
#define NATFWD_HANDSHAKES_H

#include "core/gist/share.h"

struct handshakes {
    struct base_shares open;
    struct base_shares begun;
};

enum { HANDSHAKES_MAX = 64 }; /* at once */

/* Returns false without memory or randomness. */
bool handshakes_create(struct handshakes *handshakes);
void handshakes_destroy(struct handshakes *handshakes);

/* Returns false where that one's share is used up, or there are too many. Each that began ends. */
bool handshakes_begin(
    struct handshakes *handshakes, uint64_t now_ms, const struct gist_share_holder *holder);
void handshakes_end(
    struct handshakes *handshakes, uint64_t now_ms, const struct gist_share_holder *holder);

#endif

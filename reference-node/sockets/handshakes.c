/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shares of handshakes; see handshakes.h. */
#include "reference-node/sockets/handshakes.h"

#include "reference-node/base/heap.h"

#include <openssl/rand.h>

/* At once, of HANDSHAKES_MAX. */
enum { OPEN_STRANGER = 4, OPEN_KNOWN = 16 };

/* A second. One costs us some 2 ms of the processor. */
static const struct gist_share_limits rates = {
    .stranger = 10, .known = 100, .known_network = 200, .interface = 50, .strangers = 50};

static struct gist_share share_at_once(struct handshakes *handshakes)
{
    return (struct gist_share){.shares = &handshakes->open,
        .limits = gist_share_limits_of(HANDSHAKES_MAX, OPEN_STRANGER, OPEN_KNOWN)};
}

bool handshakes_create(struct handshakes *handshakes)
{
    struct base_allocator allocator = heap_allocator();
    uint8_t key[BASE_HASH_KEY_LENGTH];
    *handshakes = (struct handshakes){0};
    if (RAND_bytes(key, sizeof(key)) == 1 &&
        base_shares_open(&handshakes->open, &allocator, key, 0) &&
        base_shares_open(&handshakes->begun, &allocator, key, GIST_SHARE_RATE_PER_MS))
        return true;
    handshakes_destroy(handshakes);
    return false;
}

void handshakes_destroy(struct handshakes *handshakes)
{
    if (handshakes->open.cells)
        base_shares_close(&handshakes->open);
    if (handshakes->begun.cells)
        base_shares_close(&handshakes->begun);
    *handshakes = (struct handshakes){0};
}

bool handshakes_begin(
    struct handshakes *handshakes, uint64_t now_ms, const struct gist_share_holder *holder)
{
    struct gist_share at_once = share_at_once(handshakes);
    struct gist_share rate = {.shares = &handshakes->begun, .limits = rates};
    if (gist_share_take(&at_once, now_ms, holder, 1) != GIST_SHARE_TAKEN)
        return false;
    if (gist_share_take(&rate, now_ms, holder, 1) == GIST_SHARE_TAKEN)
        return true;
    gist_share_give_back(&at_once, now_ms, holder, 1);
    return false;
}

void handshakes_end(
    struct handshakes *handshakes, uint64_t now_ms, const struct gist_share_holder *holder)
{
    struct gist_share at_once = share_at_once(handshakes);
    gist_share_give_back(&at_once, now_ms, holder, 1);
}

/*
 * The peers that had a session with success not long ago: they come before strangers. Memory is
 * fixed; who is remembered longest ago makes room, and only a session with success is remembered.
 */
#ifndef NATFW_NATFW_KNOWN_PEERS_H
#define NATFW_NATFW_KNOWN_PEERS_H

#include "core/base/table.h"
#include "core/gist/address.h"

enum { NATFW_KNOWN_ROWS = 256, NATFW_KNOWN_PLACES = 4, NATFW_KNOWN_FOR_MS = 3600000 };

_Static_assert((NATFW_KNOWN_ROWS & (NATFW_KNOWN_ROWS - 1)) == 0, "a power of 2");

struct natfw_known_peer {
    struct gist_address address;
    uint64_t until_ms;
};

struct natfw_known_peers {
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    struct natfw_known_peer rows[NATFW_KNOWN_ROWS][NATFW_KNOWN_PLACES];
};

/* It had success now, with a session that lives until expires_ms. */
void natfw_known_peers_add(struct natfw_known_peers *peers, uint64_t now_ms,
    const struct gist_address *address, uint64_t expires_ms);
bool natfw_known_peers_have(
    const struct natfw_known_peers *peers, uint64_t now_ms, const struct gist_address *address);

#endif

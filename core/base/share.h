/*
 * Shares: how much each of many has of what there is for all, without an entry for each of them.
 *
 * What is taken in a name is counted in one cell of each row, chosen by a keyed hash of the name;
 * the lower of its cells counts for it. That is never too little, and too much only where others
 * share all of its cells. So memory is fixed however many names peers make up, and none of them
 * pushes another out.
 */
#ifndef NATFW_BASE_SHARE_H
#define NATFW_BASE_SHARE_H

#include "core/base/allocator.h"
#include "core/base/table.h"

#include <stdbool.h>
#include <stdint.h>

enum { BASE_SHARE_ROWS = 2, BASE_SHARE_CELLS = 1024 };

_Static_assert((BASE_SHARE_CELLS & (BASE_SHARE_CELLS - 1)) == 0, "a power of 2");

struct base_share_cell {
    uint64_t taken;
    uint64_t looked_at_ms;
};

struct base_shares {
    struct base_allocator allocator;
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    uint64_t returns_per_ms; /* 0: what is taken is kept until it is given back */
    struct base_share_cell *cells;
};

/* In whose name. */
struct base_share_name {
    const void *octets;
    size_t length;
};

/* What is taken comes back by itself at returns_per_ms. Returns false without memory. */
bool base_shares_open(struct base_shares *shares, const struct base_allocator *allocator,
    const uint8_t hash_key[BASE_HASH_KEY_LENGTH], uint64_t returns_per_ms);
void base_shares_close(struct base_shares *shares);

/* How much this name has. */
uint64_t base_share_taken(
    const struct base_shares *shares, uint64_t now_ms, struct base_share_name name);

/* Takes it without asking: whoever calls has looked at what the name has already. */
void base_share_take(
    struct base_shares *shares, uint64_t now_ms, struct base_share_name name, uint64_t amount);
void base_share_give_back(
    struct base_shares *shares, uint64_t now_ms, struct base_share_name name, uint64_t amount);

#endif

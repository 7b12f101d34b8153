/* A count-min sketch whose cells may run dry; see share.h. */
#include "core/base/share.h"

#include <string.h>

enum { CELL_COUNT = BASE_SHARE_ROWS * BASE_SHARE_CELLS };

bool base_shares_open(struct base_shares *shares, const struct base_allocator *allocator,
    const uint8_t hash_key[BASE_HASH_KEY_LENGTH], uint64_t returns_per_ms)
{
    *shares = (struct base_shares){.allocator = *allocator, .returns_per_ms = returns_per_ms};
    memcpy(shares->hash_key, hash_key, sizeof(shares->hash_key));
    shares->cells = base_allocate(allocator, CELL_COUNT * sizeof(*shares->cells));
    return shares->cells;
}

void base_shares_close(struct base_shares *shares)
{
    base_release(&shares->allocator, shares->cells, CELL_COUNT * sizeof(*shares->cells));
    shares->cells = NULL;
}

/* Each row goes by bits of the hash of its own. */
static size_t cell_of(uint64_t hash, size_t row)
{
    return row * BASE_SHARE_CELLS + (hash >> (32 * row) & (BASE_SHARE_CELLS - 1));
}

static uint64_t hash_of(const struct base_shares *shares, struct base_share_name name)
{
    return base_hash(shares->hash_key, name.octets, name.length);
}

static uint64_t left_in(
    const struct base_shares *shares, const struct base_share_cell *cell, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms > cell->looked_at_ms ? now_ms - cell->looked_at_ms : 0;
    if (shares->returns_per_ms == 0)
        return cell->taken;
    return passed_ms > cell->taken / shares->returns_per_ms
               ? 0
               : cell->taken - passed_ms * shares->returns_per_ms;
}

uint64_t base_share_taken(
    const struct base_shares *shares, uint64_t now_ms, struct base_share_name name)
{
    uint64_t hash = hash_of(shares, name);
    uint64_t least = UINT64_MAX;
    for (size_t row = 0; row < BASE_SHARE_ROWS; row++) {
        uint64_t left = left_in(shares, &shares->cells[cell_of(hash, row)], now_ms);
        if (left < least)
            least = left;
    }
    return least;
}

void base_share_take(
    struct base_shares *shares, uint64_t now_ms, struct base_share_name name, uint64_t amount)
{
    uint64_t hash = hash_of(shares, name);
    for (size_t row = 0; row < BASE_SHARE_ROWS; row++) {
        struct base_share_cell *cell = &shares->cells[cell_of(hash, row)];
        cell->taken = left_in(shares, cell, now_ms) + amount;
        cell->looked_at_ms = now_ms;
    }
}

void base_share_give_back(
    struct base_shares *shares, uint64_t now_ms, struct base_share_name name, uint64_t amount)
{
    uint64_t hash = hash_of(shares, name);
    for (size_t row = 0; row < BASE_SHARE_ROWS; row++) {
        struct base_share_cell *cell = &shares->cells[cell_of(hash, row)];
        uint64_t left = left_in(shares, cell, now_ms);
        cell->taken = left > amount ? left - amount : 0;
        cell->looked_at_ms = now_ms;
    }
}

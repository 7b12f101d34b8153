#include "pool.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 65536 };

struct pool_piece {
    struct pool_piece *next;
};

static size_t steps(size_t size)
{
    return (size + POOL_STEP - 1) / POOL_STEP;
}

static void put(struct pool_piece **list, void *octets)
{
    struct pool_piece *piece = octets;
    piece->next = *list;
    *list = piece;
}

/* Cuts a new block into pieces of this size; its first step links it to the others. */
static void cut_block(struct pool *pool, size_t class)
{
    char *block = malloc(BLOCK);
    if (!block) {
        return;
    }
    put(&pool->blocks, block);
    size_t size = class * POOL_STEP;
    for (size_t at = POOL_STEP; at + size <= BLOCK; at += size) {
        put(&pool->free[class], block + at);
    }
}

static void *take(struct pool *pool, size_t size)
{
    if (size > POOL_LARGEST) {
        return malloc(size);
    }
    size_t class = steps(size);
    if (!pool->free[class]) {
        cut_block(pool, class);
    }
    struct pool_piece *piece = pool->free[class];
    if (piece) {
        pool->free[class] = piece->next;
    }
    return piece;
}

static void give_back(struct pool *pool, void *octets, size_t size)
{
    if (size > POOL_LARGEST) {
        free(octets);
    } else {
        put(&pool->free[steps(size)], octets);
    }
}

static void *resize(struct pool *pool, void *old, size_t old_size, size_t size)
{
    if (old_size > POOL_LARGEST && size > POOL_LARGEST) {
        return realloc(old, size);
    }
    if (old_size <= POOL_LARGEST && size <= POOL_LARGEST && steps(old_size) == steps(size)) {
        return old;
    }
    void *octets = take(pool, size);
    if (!octets) { /* what shrinks may stay, and Lua counts on it */
        return size < old_size ? old : NULL;
    }
    memcpy(octets, old, old_size < size ? old_size : size);
    give_back(pool, old, old_size);
    return octets;
}

void *pool_allocate(void *userdata, void *old, size_t old_size, size_t size)
{
    struct pool *pool = userdata;
    if (size > 0) {
        return old ? resize(pool, old, old_size, size) : take(pool, size);
    }
    if (old) {
        give_back(pool, old, old_size);
    }
    return NULL;
}

void pool_free(struct pool *pool)
{
    while (pool->blocks) {
        struct pool_piece *block = pool->blocks;
        pool->blocks = block->next;
        free(block);
    }
}

/* An allocator for a Lua state: what is small comes from lists of free pieces of one size, for Lua
 * makes and drops small objects all the time. */
#ifndef NATFW_CONFORM_POOL_H
#define NATFW_CONFORM_POOL_H

#include <stddef.h>

enum { POOL_STEP = 16, POOL_LARGEST = 256 };

struct pool_piece;

/* Zeroed, it is empty. It keeps what it has taken from the system until pool_free(). */
struct pool {
    struct pool_piece *free[POOL_LARGEST / POOL_STEP + 1]; /* by size, in steps */
    struct pool_piece *blocks;
};

/* A lua_Alloc, whose userdata is a pool. */
void *pool_allocate(void *userdata, void *old, size_t old_size, size_t size);

/* To be called when the state is closed. */
void pool_free(struct pool *pool);

#endif

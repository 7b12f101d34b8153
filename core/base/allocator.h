/*
 * Where the stateful parts of the core get memory, so that tests can count it and let it fail.
 * The codec allocates nothing.
 */
#ifndef NATFW_BASE_ALLOCATOR_H
#define NATFW_BASE_ALLOCATOR_H

#include <stddef.h>

struct base_allocator {
    void *context;
    /* Returns length zeroed octets, or NULL. */
    void *(*allocate)(void *context, size_t length);
    /* Takes back what allocate gave; length is the same, memory is not NULL. */
    void (*release)(void *context, void *memory, size_t length);
};

/* Returns length zeroed octets that the caller owns, or NULL. */
static inline void *base_allocate(const struct base_allocator *allocator, size_t length)
{
    return allocator->allocate(allocator->context, length);
}

/* Takes back what base_allocate gave; length is the same, memory may be NULL. */
static inline void base_release(const struct base_allocator *allocator, void *memory, size_t length)
{
    if (memory)
        allocator->release(allocator->context, memory, length);
}

#endif

/*
 * Where the stateful parts of the core get memory, so that tests can count it and let it fail.
 * The codec allocates nothing.
 */
#ifndef NATFW_GIST_ALLOCATOR_H
#define NATFW_GIST_ALLOCATOR_H

#include <stddef.h>

struct gist_allocator {
    void *context;
    /* Returns length zeroed octets, or NULL. */
    void *(*allocate)(void *context, size_t length);
    /* Takes back what allocate gave; length is the same, memory may be NULL. */
    void (*release)(void *context, void *memory, size_t length);
};

#endif

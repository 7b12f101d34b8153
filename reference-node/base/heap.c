/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The allocator seam by the C library; see heap.h. */
#include "reference-node/base/heap.h"

#include <stdlib.h>

static void *allocate(void *context, size_t length)
{
    (void)context;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context;
    (void)length;
    free(memory);
}

struct base_allocator heap_allocator(void)
{
    return (struct base_allocator){.allocate = allocate, .release = release};
}

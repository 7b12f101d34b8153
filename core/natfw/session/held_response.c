/* A RESPONSE that waits; see held_response.h. RFC 5973 3.7.1. */
#include "core/natfw/session/held_response.h"

#include <string.h>

bool natfw_held_response_keep(struct natfw_held_response *held,
    const struct base_allocator *allocator, const uint8_t *octets, size_t length)
{
    natfw_held_response_drop(held, allocator);
    held->octets = base_allocate(allocator, length);
    if (!held->octets)
        return false;
    memcpy(held->octets, octets, length);
    held->length = length;
    return true;
}

void natfw_held_response_drop(
    struct natfw_held_response *held, const struct base_allocator *allocator)
{
    base_release(allocator, held->octets, held->length);
    held->octets = NULL;
    held->length = 0;
}

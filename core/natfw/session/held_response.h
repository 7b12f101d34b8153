/* A success RESPONSE that waits until the rule that it promises is in the data plane. RFC
 * 5973 3.7.1.
 */
#ifndef NATFW_NATFW_HELD_RESPONSE_H
#define NATFW_NATFW_HELD_RESPONSE_H

#include "core/base/allocator.h"
#include "core/natfw/middlebox.h"

struct natfw_held_response {
    uint8_t *octets; /* as it is to go on; NULL: none waits */
    size_t length;
    natfw_handle handle; /* of the request that it answers */
    uint32_t sequence_number;
    uint32_t lifetime_s;
    uint8_t hop_count;
};

/* Copies the octets, in place of what was held. Returns false without memory: nothing is held. */
bool natfw_held_response_keep(struct natfw_held_response *held,
    const struct base_allocator *allocator, const uint8_t *octets, size_t length);

/* Forgets the RESPONSE that waits, if there is one. */
void natfw_held_response_drop(
    struct natfw_held_response *held, const struct base_allocator *allocator);

#endif

/* Message sequence numbers; see sequence.h. RFC 1982 3. */
#include "core/natfw/session/sequence.h"

#include "core/spec/spec.h"

bool natfw_sequence_is_newer(uint32_t received, uint32_t stored)
{
    uint32_t distance = received - stored; /* modulo 2^32 */
    return SPEC_VALUE("RFC5973-3.5-4", 1, distance != 0 && distance<0x80000000u, received> stored);
}

uint32_t natfw_sequence_next(uint32_t sequence_number)
{
    return sequence_number + SPEC_VALUE("RFC5973-3.5-3", 1, 1u, 2u);
}

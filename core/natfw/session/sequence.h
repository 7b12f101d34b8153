/* Message sequence numbers. RFC 5973 3.5, by the serial number arithmetic of RFC 1982. */
#ifndef NATFW_NATFW_SEQUENCE_H
#define NATFW_NATFW_SEQUENCE_H

#include <stdbool.h>
#include <stdint.h>

/* True when received is provably newer than stored: at a distance of exactly 2^31 neither is
 * (ruling A31). */
bool natfw_sequence_is_newer(uint32_t received, uint32_t stored);

uint32_t natfw_sequence_next(uint32_t sequence_number);

#endif

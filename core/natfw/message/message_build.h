/* NATFW messages built. RFC 5973 4. */
#ifndef NATFW_NATFW_MESSAGE_BUILD_H
#define NATFW_NATFW_MESSAGE_BUILD_H

#include "core/natfw/message/message.h"

/* Builds a message. Returns the octets written, or 0 when they do not fit, or say what a parser has
 * to reject: an object that is missing or has no place there, a value, a combination. */
size_t natfw_message_build(const struct natfw_message *message, uint8_t *octets, size_t capacity);

/* The same, and tells why not: what would be answered to it, and about which object. The code is
 * NATFW_NO_CODE when there is no room. */
size_t natfw_message_build_or_tell(const struct natfw_message *message, uint8_t *octets,
    size_t capacity, struct natfw_info *fault);

/* Writes a message as it is given, valid or not: for who tests others. Returns its octets, or 0. */
size_t natfw_message_write(const struct natfw_message *message, uint8_t *octets, size_t capacity);

#endif

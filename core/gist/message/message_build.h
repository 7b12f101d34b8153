/* GIST messages built. RFC 5971 5.1, A. */
#ifndef NATFW_GIST_MESSAGE_BUILD_H
#define NATFW_GIST_MESSAGE_BUILD_H

#include "core/gist/message/message.h"

/* Builds a message with the objects that are present, in the order of its type; header.length is
 * not used. Returns its octets, or 0 when it does not fit, or says what a parser has to reject. */
size_t gist_message_build(const struct gist_message *message, uint8_t *octets, size_t capacity);

/* The same, and tells why not: what an Error message would report of it, with the object's type.
 * The code is GIST_NO_ERROR when there is no room, or when a field does not hold its value. */
size_t gist_message_build_or_tell(
    const struct gist_message *message, uint8_t *octets, size_t capacity, struct gist_fault *fault);

/* Writes a message as it is given, valid or not: for who tests others. Returns its octets, or 0. */
size_t gist_message_write(const struct gist_message *message, uint8_t *octets, size_t capacity);

#endif

/* GIST messages parsed. RFC 5971 5.1, A. */
#ifndef NATFW_GIST_MESSAGE_PARSE_H
#define NATFW_GIST_MESSAGE_PARSE_H

#include "core/gist/message/message.h"

/*
 * Parses one whole message, which then holds views into the octets. Returns false with the fault
 * that an Error message has to report; its code is GIST_NO_ERROR when there is not even a common
 * header to report it about. Objects that were decoded are in the message also then. The hop count
 * and all that depends on how the message arrived are left to the caller.
 */
bool gist_message_parse(
    const uint8_t *octets, size_t length, struct gist_message *message, struct gist_fault *fault);

#endif

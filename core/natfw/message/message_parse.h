/* NATFW messages parsed. RFC 5973 4. */
#ifndef NATFW_NATFW_MESSAGE_PARSE_H
#define NATFW_NATFW_MESSAGE_PARSE_H

#include "core/natfw/message/message.h"

/*
 * Parses one message. On a fault returns false and tells the NATFW_INFO to answer with, in the
 * order of ruling A11. message->type is then whatever the header said, and the sequence number is
 * salvaged where its object can be found (ruling A04).
 */
bool natfw_message_parse(
    const uint8_t *octets, size_t length, struct natfw_message *message, struct natfw_info *fault);

#endif

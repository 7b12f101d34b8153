/*
 * The session authorisation object, as structure: a list of attributes. RFC 5981 3.
 *
 * To a NATFW message it is an object like any other that this node does not know: it is carried on
 * unchanged (AB=10). What it authorises, and whether its signature holds, is not judged here.
 */
#ifndef NATFW_NATFW_SESSION_AUTH_H
#define NATFW_NATFW_SESSION_AUTH_H

#include "core/natfw/message.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

enum { NATFW_SESSION_AUTH = 0x016 };

enum natfw_auth_type { /* X-Type */
    NATFW_AUTH_ENTITY_ID = 1,
    NATFW_AUTH_SESSION_ID = 2,
    NATFW_AUTH_SOURCE_ADDRESS = 3,
    NATFW_AUTH_DESTINATION_ADDRESS = 4,
    NATFW_AUTH_START_TIME = 5,
    NATFW_AUTH_END_TIME = 6,
    NATFW_AUTH_OBJECT_LIST = 7,
    NATFW_AUTH_AUTHENTICATION_DATA = 8
};

struct natfw_auth_attribute {
    uint8_t type;    /* enum natfw_auth_type, or one that is not known */
    uint8_t subtype; /* its meaning depends on the type */
    const uint8_t *value;
    size_t length; /* octets of value, without padding */
};

/* The attributes of the first such object that the message was received with. Returns false when
 * there is none. */
bool natfw_session_auth_find(const struct natfw_message *message, struct wire_reader *attributes);

/* Reads the next attribute and its padding. Returns false at the end, and when an attribute is
 * shorter than its header or longer than the object: then attributes->failed tells. */
bool natfw_auth_attribute_next(
    struct wire_reader *attributes, struct natfw_auth_attribute *attribute);

/* Is the list one that RFC 5981 3.2 allows: every attribute whole, AUTHENTICATION_DATA the last,
 * and there when an object list is? */
bool natfw_session_auth_is_sound(struct wire_reader attributes);

/* Writes an attribute, padded with zeros to a word. */
void natfw_auth_attribute_write(
    struct wire_writer *writer, const struct natfw_auth_attribute *attribute);

#endif

/*
 * The session authorisation object, as structure: a list of attributes. RFC 5981 3.
 *
 * To a NATFW message it is an object like any other that this node does not know: it is carried on
 * unchanged (AB=10). What it authorises, and whether its signature holds, is not judged here.
 */
#ifndef NATFW_NATFW_SESSION_AUTH_H
#define NATFW_NATFW_SESSION_AUTH_H

#include "core/natfw/message/message.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

enum { NATFW_SESSION_AUTH = 0x016 };

enum natfw_auth_entity_type { /* SubType of AUTH_ENT_ID */
    NATFW_AUTH_ENTITY_IPV4 = 1,
    NATFW_AUTH_ENTITY_IPV6 = 2,
    NATFW_AUTH_ENTITY_URI = 6, /* from FQDN, 3, on they are text */
    NATFW_AUTH_ENTITY_PGP_CERTIFICATE = 9,
    NATFW_AUTH_ENTITY_HMAC_SIGNED = 10
};

enum natfw_auth_address_type { /* SubType of SOURCE_ADDR and DEST_ADDR */
    NATFW_AUTH_IPV4 = 1,
    NATFW_AUTH_IPV6 = 2,
    NATFW_AUTH_UDP_PORTS = 3,
    NATFW_AUTH_TCP_PORTS = 4,
    NATFW_AUTH_SPI = 5
};

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
    bool padding_is_zero;
};

/* The attributes of the first such object that the message was received with. Returns false when
 * there is none. */
bool natfw_session_auth_find(const struct natfw_message *message, struct wire_reader *attributes);

/* Reads the next attribute and its padding. Returns false at the end, and when an attribute is
 * shorter than its header or longer than the object: then attributes->failed tells. */
bool natfw_auth_attribute_next(
    struct wire_reader *attributes, struct natfw_auth_attribute *attribute);

/* What an attribute's value says, by its type and subtype; the rest is zero. */
struct natfw_auth_value {
    size_t address_length;  /* octets: 4, 16, or 0 where it has no address */
    const uint8_t *address; /* network order */
    uint32_t spi;
    uint32_t seconds; /* NTP timestamp */
    uint32_t fraction;
    uint8_t transform_id; /* of HMAC_SIGNED */
    bool has_key_id;
    uint32_t key_id;
    size_t count;         /* of ports, or of object types */
    const uint8_t *items; /* 2 octets each, network order */
    struct {
        const uint8_t *data;
        size_t length;
    } octets; /* a name, certificate, session id, or authentication data */
};

/* Reads a value. entity is the subtype of the AUTH_ENT_ID before it, or 0: it tells whether
 * authentication data begins with a key id (4.1.1, 4.4). Returns false when type and subtype are
 * not known, or have no such value. */
bool natfw_auth_value_read(
    const struct natfw_auth_attribute *attribute, uint8_t entity, struct natfw_auth_value *value);

/* The entity after this attribute, for the next. */
static inline uint8_t natfw_auth_entity(
    const struct natfw_auth_attribute *attribute, uint8_t entity)
{
    return attribute->type == NATFW_AUTH_ENTITY_ID ? attribute->subtype : entity;
}

/* Is the list one that RFC 5981 3.2 and 4.4 allow: every attribute whole, with a value of its type,
 * padded with zeros; AUTHENTICATION_DATA the last, and there when an object list is; a port list of
 * a kind once; and beside HMAC_SIGNED all that it needs? */
bool natfw_session_auth_is_sound(struct wire_reader attributes);

/* Writes an attribute, padded with zeros to a word. */
void natfw_auth_attribute_write(
    struct wire_writer *writer, const struct natfw_auth_attribute *attribute);

#endif

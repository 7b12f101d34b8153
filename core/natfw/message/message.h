/*
 * NATFW messages: CREATE, EXTERNAL, RESPONSE and NOTIFY with their objects. RFC 5973 4.
 *
 * A message is the content of one GIST NSLP-Data object. Parsing allocates nothing: what a parsed
 * message points to lies in the octets that were parsed.
 */
#ifndef NATFW_NATFW_MESSAGE_H
#define NATFW_NATFW_MESSAGE_H

#include "core/natfw/info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum natfw_message_type {
    NATFW_CREATE = 1,
    NATFW_EXTERNAL = 2,
    NATFW_RESPONSE = 3,
    NATFW_NOTIFY = 4
};

enum natfw_object_type {
    NATFW_LT = 0x00c,
    NATFW_EXTERNAL_IP = 0x00d,
    NATFW_EXTERNAL_BINDING = 0x00e,
    NATFW_EFI = 0x00f,
    NATFW_INFO = 0x010,
    NATFW_NONCE = 0x011,
    NATFW_MSN = 0x012,
    NATFW_DTINFO = 0x013,
    NATFW_ICMP_TYPES = 0x014
};

enum { NATFW_OBJECT_FIRST = NATFW_LT, NATFW_OBJECT_LAST = NATFW_ICMP_TYPES };
enum { NATFW_OBJECT_KINDS = NATFW_OBJECT_LAST - NATFW_OBJECT_FIRST + 1 };

/* Room for any message that this node builds, unless it carries unknown objects on. */
enum { NATFW_MESSAGE_MAX = 1024 };

struct natfw_external_address { /* 4.2.2, and 4.2.3 with its addresses as a view */
    bool has_port;              /* else only an address was reserved, and the field is 0 */
    uint16_t port;
    uint32_t address;
};

struct natfw_external_binding {
    bool has_port;
    uint16_t port;
    size_t address_count;
    const uint8_t *addresses; /* 4 octets each, network order */
};

struct natfw_efi { /* 4.2.4 */
    uint16_t action;
    uint16_t sub_ports;
};

struct natfw_dtinfo {       /* 4.2.8 */
    bool has_protocol;      /* I */
    bool has_ports;         /* P */
    bool has_spi;           /* S */
    uint8_t sender_prefix;  /* bits; 0: any sender */
    uint8_t protocol;       /* 0 unless has_protocol */
    uint16_t receiver_port; /* DR; 0: any */
    uint16_t sender_port;   /* DS; 0: any */
    uint32_t spi;
    uint32_t sender_address; /* host order; 0: any */
};

struct natfw_icmp_types { /* 4.2.9 */
    uint8_t count;
    const uint8_t *types;
};

struct natfw_message {
    uint8_t type;                 /* enum natfw_message_type, once parsed without fault */
    bool proxy;                   /* P; requests only */
    bool end_to_end;              /* E; only with proxy */
    bool has[NATFW_OBJECT_KINDS]; /* see natfw_message_has */
    uint32_t lifetime_s;
    uint32_t sequence_number; /* MSN */
    uint32_t nonce;
    struct natfw_info info;
    struct natfw_efi efi;
    struct natfw_external_address external_address;
    struct natfw_external_binding external_binding;
    struct natfw_dtinfo dtinfo;
    struct natfw_icmp_types icmp_types;
    /* All objects as they came: build keeps their order, and carries on the unknown ones with
     * AB=10. */
    const uint8_t *received_objects;
    size_t received_length;
};

static inline bool natfw_message_has(
    const struct natfw_message *message, enum natfw_object_type type)
{
    return message->has[type - NATFW_OBJECT_FIRST];
}

static inline void natfw_message_add(struct natfw_message *message, enum natfw_object_type type)
{
    message->has[type - NATFW_OBJECT_FIRST] = true;
}

static inline bool natfw_is_request(const struct natfw_message *message)
{
    return message->type == NATFW_CREATE || message->type == NATFW_EXTERNAL;
}

/* One that is never answered, whatever is wrong with it. RFC 5973 3.2.7. */
static inline bool natfw_is_answer(const struct natfw_message *message)
{
    return message->type == NATFW_RESPONSE || message->type == NATFW_NOTIFY;
}

#endif

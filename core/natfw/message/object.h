/*
 * The frame of NATFW objects, and which message carries which. RFC 5973 4.2, 4.3.
 * Private to the codec.
 */
#ifndef NATFW_NATFW_OBJECT_H
#define NATFW_NATFW_OBJECT_H

#include "core/natfw/message/message.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

/* The flags of the header, figure 20. */
enum { NATFW_FLAG_P = 0x80, NATFW_FLAG_E = 0x40, NATFW_FLAGS_RESERVED = 0x3f };

/* What a node does with an object that it does not know, by the bits A and B. */
enum natfw_treatment {
    NATFW_TREAT_MANDATORY = 0, /* reject the message */
    NATFW_TREAT_OPTIONAL = 1,  /* delete the object */
    NATFW_TREAT_FORWARD = 2,   /* keep it in what is forwarded */
    NATFW_TREAT_INVALID = 3
};

struct natfw_object {
    enum natfw_treatment treatment;
    uint16_t type;
    size_t length;            /* octets of value as the header says */
    const uint8_t *start;     /* of the header */
    struct wire_reader value; /* failed when the message ends before the object does */
};

/* Reads the next object. Returns false at the end, and when less than a header is left: then
 * objects->failed tells. */
bool natfw_object_next(struct wire_reader *objects, struct natfw_object *object);

/* Does a message of this kind carry the object? RFC 5973 4.3.1 to 4.3.4. */
enum natfw_presence { NATFW_ABSENT, NATFW_OPTIONAL, NATFW_MANDATORY };
enum natfw_presence natfw_object_presence(
    const struct natfw_message *message, enum natfw_object_type type);

static inline bool natfw_object_is_known(uint16_t type)
{
    return type >= NATFW_OBJECT_FIRST && type <= NATFW_OBJECT_LAST;
}

/* Is this a length that an object of the type can have? Octets of value. */
bool natfw_object_length_fits(const struct natfw_object *object);

/* Reads the value of a known object of fitting length into its field of the message. */
void natfw_object_read(const struct natfw_object *object, struct natfw_message *message);

/* Writes header and value of a known object from its field of the message. */
void natfw_object_write(
    struct wire_writer *writer, const struct natfw_message *message, enum natfw_object_type type);

#endif

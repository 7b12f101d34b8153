/* The general object format: a type-length-value with extensibility flags. RFC 5971 A.2. */
#ifndef NATFW_GIST_OBJECT_H
#define NATFW_GIST_OBJECT_H

#include "core/gist/message/fault.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

enum gist_object_type {
    GIST_OBJECT_MRI = 0,
    GIST_OBJECT_SESSION_ID = 1,
    GIST_OBJECT_NLI = 2,
    GIST_OBJECT_STACK_PROPOSAL = 3,
    GIST_OBJECT_STACK_CONFIGURATION = 4,
    GIST_OBJECT_QUERY_COOKIE = 5,
    GIST_OBJECT_RESPONDER_COOKIE = 6,
    GIST_OBJECT_NAT_TRAVERSAL = 7,
    GIST_OBJECT_NSLP_DATA = 8,
    GIST_OBJECT_ERROR = 9,
    GIST_OBJECT_HELLO_ID = 10,
    GIST_OBJECT_TYPE_COUNT
};

/* The AB flags, A.2.1: what to do with an object of a type that is not known. */
enum gist_extensibility {
    GIST_MANDATORY = 0,
    GIST_IGNORE = 1,
    GIST_FORWARD_OBJECT = 2,
    GIST_RESERVED = 3
};

enum {
    GIST_OBJECT_HEADER_LENGTH = 4,     /* octets */
    GIST_OBJECT_VALUE_MAX = 4 * 0xfff, /* octets */
};

/* A view of octets inside a message. */
struct gist_octets {
    const uint8_t *octets;
    size_t length;
};

struct gist_object {
    enum gist_extensibility extensibility;
    uint16_t type;            /* 12 bits; enum gist_object_type when known */
    struct gist_octets whole; /* header included */
    struct wire_reader value;
};

/* Reads the next object. The reader fails when the object does not fit. */
struct gist_object gist_object_read(struct wire_reader *reader);

/* Begins an object; gist_object_end puts its length in. Returns where it began. */
size_t gist_object_begin(struct wire_writer *writer, enum gist_object_type type);
/* Fails the writer when the value is no whole number of words or too long. */
void gist_object_end(struct wire_writer *writer, size_t beginning);

/* What a reader of a value returns when it finds this subcode of Object Value Error: false. */
static inline bool gist_value_fault(uint8_t *subcode, uint8_t found)
{
    *subcode = found;
    return false;
}

/* An Object Value Error about this object, found at this octet of its value. */
struct gist_fault gist_object_fault(
    const struct gist_object *object, uint8_t subcode, size_t value_offset);

#endif

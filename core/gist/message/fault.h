/*
 * What is wrong with a received message, in the terms of the GIST error catalogue, with the
 * Additional Information that the Error message has to carry. RFC 5971 A.4.2 to A.4.4.
 */
#ifndef NATFW_GIST_FAULT_H
#define NATFW_GIST_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum gist_error_class {
    GIST_CLASS_INFORMATIONAL = 0,
    GIST_CLASS_SUCCESS = 1,
    GIST_CLASS_PROTOCOL_ERROR = 2,
    GIST_CLASS_TRANSIENT_FAILURE = 3,
    GIST_CLASS_PERMANENT_FAILURE = 4
};

enum gist_error_code {
    GIST_NO_ERROR = 0,
    GIST_COMMON_HEADER_PARSE_ERROR = 1,
    GIST_HOP_LIMIT_EXCEEDED = 2,
    GIST_INCORRECT_ENCAPSULATION = 3,
    GIST_INCORRECTLY_DELIVERED_MESSAGE = 4,
    GIST_NO_ROUTING_STATE = 5,
    GIST_UNKNOWN_NSLPID = 6,
    GIST_ENDPOINT_FOUND = 7,
    GIST_MESSAGE_TOO_LARGE = 8,
    GIST_OBJECT_TYPE_ERROR = 9,
    GIST_OBJECT_VALUE_ERROR = 10,
    GIST_INVALID_IP_LAYER_TTL = 11,
    GIST_MRI_VALIDATION_FAILURE = 12
};

/* Subcodes of Common Header Parse Error, A.4.4.1. */
enum {
    GIST_UNKNOWN_VERSION = 0,
    GIST_UNKNOWN_TYPE = 1,
    GIST_INVALID_R_FLAG = 2,
    GIST_INCORRECT_MESSAGE_LENGTH = 3,
    GIST_INVALID_E_FLAG = 4,
    GIST_INVALID_C_FLAG = 5
};

/* Subcodes of Object Type Error, A.4.4.9. */
enum {
    GIST_DUPLICATE_OBJECT = 0,
    GIST_UNRECOGNISED_OBJECT = 1,
    GIST_MISSING_OBJECT = 2,
    GIST_INVALID_OBJECT_TYPE = 3,
    GIST_UNTRANSLATED_OBJECT = 4,
    GIST_INVALID_EXTENSIBILITY_FLAGS = 5
};

/* Subcodes of Object Value Error, A.4.4.10. */
enum {
    GIST_INCORRECT_LENGTH = 0,
    GIST_VALUE_NOT_SUPPORTED = 1,
    GIST_INVALID_FLAG_FIELD_COMBINATION = 2,
    GIST_EMPTY_LIST = 3,
    GIST_INVALID_COOKIE = 4,
    GIST_STACK_MISMATCH = 5
};

/* Subcodes of MRI Validation Failure, A.4.4.12. */
enum { GIST_MRI_TOO_WILD = 0, GIST_IP_VERSION_MISMATCH = 1, GIST_INGRESS_FILTER_FAILURE = 2 };

/* An object at fault, its header included: a view into the message. */
struct gist_faulty_object {
    const uint8_t *octets; /* NULL: none */
    size_t length;         /* octets, as far as they are in the message */
    uint16_t offset;       /* octets from its header's start to where the error was found */
};

struct gist_fault {
    uint8_t error_class; /* enum gist_error_class */
    uint16_t code;       /* enum gist_error_code; GIST_NO_ERROR: no fault */
    uint8_t subcode;
    bool has_object_type; /* Object Type Info */
    uint16_t object_type;
    bool has_calculated_length;           /* Message Length Info */
    uint16_t calculated_length;           /* words */
    bool has_link_mtu;                    /* MTU Info */
    uint16_t link_mtu;                    /* octets */
    struct gist_faulty_object objects[2]; /* Object Value Info; the second with subcode 5 only */
};

/* A fault without additional information; its class is the one that the catalogue gives. */
struct gist_fault gist_fault_of(enum gist_error_code code, uint8_t subcode);
struct gist_fault gist_fault_of_object_type(uint8_t subcode, uint16_t object_type);

/* The catalogue's name, for people. */
const char *gist_fault_name(uint16_t code, uint8_t subcode);

#endif

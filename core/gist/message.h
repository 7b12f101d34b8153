/*
 * GIST messages: Query, Response, Confirm, Data, Error and MA-Hello. RFC 5971 5.1, 5.2, A.
 *
 * A message here is what follows the magic number in D-mode, and what the stream carries in C-mode.
 * Nothing is allocated: a parsed message holds views into its octets.
 */
#ifndef NATFW_GIST_MESSAGE_H
#define NATFW_GIST_MESSAGE_H

#include "core/gist/common_header.h"
#include "core/gist/error_data.h"
#include "core/gist/mri_object.h"
#include "core/gist/nat_traversal.h"
#include "core/gist/network_layer_information.h"
#include "core/gist/object.h"
#include "core/gist/stack.h"

struct gist_message {
    struct gist_common_header header;
    uint32_t present; /* a bit 1 << enum gist_object_type for each object */
    struct gist_nat_traversal nat_traversal;
    struct gist_mri mri;
    struct gist_session_id session_id;
    struct gist_nli nli;
    struct gist_octets query_cookie;
    struct gist_octets responder_cookie;
    struct gist_stack_proposal stack_proposal;
    struct gist_stack_configuration stack_configuration;
    struct gist_octets nslp_data;
    struct gist_error_data error;
    uint32_t hello_id;
    /* Of a parsed message: each object as it came, header included. */
    struct gist_octets objects[GIST_OBJECT_TYPE_COUNT];
};

bool gist_message_has(const struct gist_message *message, enum gist_object_type type);
void gist_message_add(struct gist_message *message, enum gist_object_type type);

/*
 * Parses one whole message. Returns false with the fault that an Error message has to report; its
 * code is GIST_NO_ERROR when there is not even a common header to report it about. Objects that
 * were decoded are in the message also then. The hop count and all that depends on how the message
 * arrived are left to the caller.
 */
bool gist_message_parse(
    const uint8_t *octets, size_t length, struct gist_message *message, struct gist_fault *fault);

/* Builds a message with the objects that are present, in the order of its type; header.length is
 * not used. Returns its octets, or 0 when it does not fit, or says what a parser has to reject. */
size_t gist_message_build(const struct gist_message *message, uint8_t *octets, size_t capacity);

/* The same, and tells why not: what an Error message would report of it, with the object's type.
 * The code is GIST_NO_ERROR when there is no room, or when a field does not hold its value. */
size_t gist_message_build_or_tell(
    const struct gist_message *message, uint8_t *octets, size_t capacity, struct gist_fault *fault);

/* Writes a message as it is given, right or wrong: for who tests others. Returns its octets, or 0.
 */
size_t gist_message_write(const struct gist_message *message, uint8_t *octets, size_t capacity);

#endif

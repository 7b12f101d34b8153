/*
 * GIST messages: Query, Response, Confirm, Data, Error and MA-Hello. RFC 5971 5.1, 5.2, A.
 *
 * A message here is what follows the magic number in D-mode, and what the stream carries in C-mode.
 * Nothing is allocated: a parsed message holds views into its octets.
 */
#ifndef NATFW_GIST_MESSAGE_H
#define NATFW_GIST_MESSAGE_H

#include "core/gist/message/common_header.h"
#include "core/gist/message/error_data.h"
#include "core/gist/message/mri_object.h"
#include "core/gist/message/nat_traversal.h"
#include "core/gist/message/network_layer_information.h"
#include "core/gist/message/object.h"
#include "core/gist/message/stack.h"

_Static_assert(GIST_OBJECT_TYPE_COUNT <= 32, "a bit of `present` for each object");

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

static inline bool gist_message_has(const struct gist_message *message, enum gist_object_type type)
{
    return message->present & UINT32_C(1) << type;
}

static inline void gist_message_add(struct gist_message *message, enum gist_object_type type)
{
    message->present |= UINT32_C(1) << type;
}

#endif

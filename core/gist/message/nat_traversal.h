/* The NAT-Traversal object. This node accepts it and echoes it; it is no GIST-aware NAT. RFC 5971
 * 7.2.2, A.3.9. */
#ifndef NATFW_GIST_NAT_TRAVERSAL_H
#define NATFW_GIST_NAT_TRAVERSAL_H

#include "core/gist/message/object.h"
#include "core/gist/mri.h"

struct gist_nat_traversal {
    uint8_t type_count;
    uint8_t nat_count;
    struct gist_octets value; /* the whole value; what a builder writes */
    struct gist_octets mri_value;
    bool mri_understood;
    struct gist_mri mri;       /* the one that the message was first sent with */
    struct gist_octets types;  /* 16 bits each, as in object headers */
    struct gist_octets opaque; /* of each NAT: length and octets, padded */
};

/* On false, subcode is one of Object Value Error and the reader's position tells where. */
bool gist_nat_traversal_read(
    struct wire_reader *value, struct gist_nat_traversal *traversal, uint8_t *subcode);

/* Whether every NAT on the way translated objects of this type. */
bool gist_nat_traversal_translated(
    const struct gist_nat_traversal *traversal, enum gist_object_type type);

#endif

/* The Message-Routing-Information object of both routing methods. RFC 5971 A.3.1. */
#ifndef NATFW_GIST_MRI_OBJECT_H
#define NATFW_GIST_MRI_OBJECT_H

#include "core/gist/message/object.h"
#include "core/gist/mri.h"

enum { GIST_MRI_VALUE_MAX = 52 }; /* octets: path-coupled, IPv6, everything present */
_Static_assert(GIST_MRI_VALUE_MAX == 4 + 2 * 16 + 4 * 4, "head, addresses, four more words");

/* Reads the whole value. On false, subcode is one of Object Value Error and the reader's position
 * tells where the error is. */
bool gist_mri_read(struct wire_reader *value, struct gist_mri *mri, uint8_t *subcode);

/* Writes the value, without the object header. Fails the writer when mri has no such form. */
void gist_mri_write(struct wire_writer *writer, const struct gist_mri *mri);

#endif

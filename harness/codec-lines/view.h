/*
 * A message that the core has parsed, as JSON with the field names of natfw-conform decode --lines.
 */
#ifndef NATFW_HARNESS_CODEC_LINES_VIEW_H
#define NATFW_HARNESS_CODEC_LINES_VIEW_H

#include "core/gist/address.h"
#include "core/gist/message/object.h"
#include "core/wire/reader.h"

#include <jansson.h>

/* A whole message: "fault", or "header" and "objects" by their type. */
json_t *gist_view(const uint8_t *octets, size_t length);
json_t *natfw_view(const uint8_t *octets, size_t length);

/* The attributes of a SESSION_AUTH, RFC 5981 3; null where the object is not sound. */
json_t *session_auth_view(struct wire_reader attributes);

/* Values; a number that is not significant is null. */
json_t *view_number_if(bool significant, uint32_t number);
json_t *view_hex(const uint8_t *octets, size_t length);
json_t *view_octets(struct gist_octets octets);
json_t *view_address(const struct gist_address *address);
json_t *view_address_v4(uint32_t host_order);

#endif

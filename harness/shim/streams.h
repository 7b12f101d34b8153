/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messaging associations of a box as streams: which association is which stream, and what waits
 * until a stream is there. In place of reference-node/sockets/association_socket.c. */
#ifndef NATFW_SHIM_STREAMS_H
#define NATFW_SHIM_STREAMS_H

#include "harness/shim/box_output.h"

struct streams;

/* Returns NULL without memory. output stays the caller's. */
struct streams *streams_create(const struct box_output *output, size_t streams_max);
/* All streams are gone, and nobody is told. */
void streams_destroy(struct streams *streams);

/* The transport seam's part; peer and own of a STREAM_OPEN are given in event. */
bool streams_open(
    struct streams *streams, gist_association_id association, const struct stream_event *event);
bool streams_write(
    struct streams *streams, gist_association_id association, const uint8_t *octets, size_t length);
void streams_close(struct streams *streams, gist_association_id association);

/* Whether one more may be accepted. */
bool streams_has_room(const struct streams *streams);
/* A stream that a peer opened becomes this association, and is accepted. Returns false without
 * memory. */
bool streams_accept(
    struct streams *streams, const struct stream_event *event, gist_association_id association);

/* The association of a stream, or 0 when there is none, or the box has closed it. */
gist_association_id streams_association(const struct streams *streams, uint32_t number);
/* The stream that the box opened is there: what waited goes out. Unknown ones are ignored. */
void streams_accepted(struct streams *streams, const struct stream_event *event);
/* The name of its peer, as TLS has authenticated it; NULL where that has not. */
const char *streams_name(const struct streams *streams, gist_association_id association);
/* Whom the box opened the stream to; NULL when it is unknown. */
const struct gist_address *streams_peer(const struct streams *streams, uint32_t number);
/* The stream is gone. Unknown ones are ignored. */
void streams_gone(struct streams *streams, uint32_t number);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frames of the shim protocol: a length, a kind, a body. docs/shim-protocol.md. */
#ifndef NATFW_SHIM_FRAMES_H
#define NATFW_SHIM_FRAMES_H

#include "core/gist/address.h"
#include "core/wire/reader.h"
#include "core/wire/writer.h"

#include <stdio.h>

enum { SHIM_VERSION = 1, FRAME_MAX = 1048576, FRAME_TEXT_MAX = 256 };

enum frame_kind {
    /* From the runner. */
    FRAME_HELLO = 0x01,
    FRAME_CONFIGURATION = 0x02,
    FRAME_PORT = 0x03,
    FRAME_ROUTE = 0x04,
    FRAME_START = 0x05,
    FRAME_TURN = 0x06,
    FRAME_GO = 0x07,
    FRAME_TRIGGER = 0x20,
    FRAME_RESTART = 0x30,
    FRAME_END = 0x31,
    /* In both directions: the box's own have FRAME_OF_BOX set. */
    FRAME_PACKET = 0x10,
    FRAME_STREAM_OPEN = 0x11,
    FRAME_STREAM_ACCEPT = 0x12,
    FRAME_STREAM_OCTETS = 0x13,
    FRAME_STREAM_CLOSE = 0x14,
    FRAME_STREAM_RESET = 0x15,
    FRAME_OF_BOX = 0x80,
    /* From the shim. */
    FRAME_QUIET = 0x86,
    FRAME_TRIGGER_DONE = 0xa0,
    FRAME_LOG = 0xb0,
    FRAME_FAULT = 0xbf
};

/* The name that docs/shim-protocol.md has for a frame of the runner; NULL for none. */
const char *frame_name(uint8_t kind);

struct frame {
    uint8_t kind;
    struct wire_reader body; /* over octets that last until the next is read */
};

enum frame_status { FRAME_READ, FRAME_NO_MORE, FRAME_BAD };

/* Reads the next frame into octets, which has room for FRAME_MAX. FRAME_BAD is what is no frame, or
 * is cut off. */
enum frame_status frame_read(FILE *in, uint8_t *octets, struct frame *frame);

/* Fields of a body. Texts are NUL-terminated; one with a NUL in it, or that does not fit, fails the
 * reader. */
uint64_t frame_read_u64(struct wire_reader *body);
struct gist_address frame_read_address(struct wire_reader *body);
struct gist_endpoint frame_read_endpoint(struct wire_reader *body);
void frame_read_text(struct wire_reader *body, char text[FRAME_TEXT_MAX]);
/* Returns a view of length octets, or NULL when the reader fails. */
const uint8_t *frame_read_octets(struct wire_reader *body, size_t *length);

void frame_put_u64(struct wire_writer *body, uint64_t value);
void frame_put_endpoint(struct wire_writer *body, const struct gist_endpoint *endpoint);
/* No more than 65535 octets go into one; of more, the first. */
void frame_put_octets(struct wire_writer *body, const uint8_t *octets, size_t length);

/* Writes one frame; false when it cannot be written. */
bool frame_write(FILE *out, uint8_t kind, const struct wire_writer *body);

#endif

/*
 * A bounded reader over bytes in network order.
 *
 * Its error is sticky: the first read past the end fails the reader, and every later read yields
 * zero without touching memory. A parser therefore reads like the figure of its message and checks
 * once, at the end.
 */
#ifndef NATFW_WIRE_READER_H
#define NATFW_WIRE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_reader {
    const uint8_t *data;
    size_t length;   /* octets */
    size_t position; /* octets; never beyond length */
    bool failed;
};

struct wire_reader wire_reader_over(const uint8_t *data, size_t length);

/* Each returns 0 and fails the reader when fewer octets are left. */
uint8_t wire_read_u8(struct wire_reader *reader);
uint16_t wire_read_u16(struct wire_reader *reader);
uint32_t wire_read_u32(struct wire_reader *reader);

/* Copies length octets to destination, or zeros it and fails the reader. */
void wire_read_bytes(struct wire_reader *reader, uint8_t *destination, size_t length);

/* Returns a view of the next length octets, or NULL when the reader fails. */
const uint8_t *wire_read_view(struct wire_reader *reader, size_t length);

/* Returns a reader over the next length octets; it has failed when fewer are left. */
struct wire_reader wire_read_part(struct wire_reader *reader, size_t length);

void wire_skip(struct wire_reader *reader, size_t length);
size_t wire_remaining(const struct wire_reader *reader);

/* True when nothing failed and every octet was read. */
bool wire_finished(const struct wire_reader *reader);

#endif

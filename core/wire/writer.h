/*
 * A bounded writer of bytes in network order.
 *
 * Its error is sticky, as the reader's is: a write that does not fit fails the writer and writes
 * nothing, and so does every later one. A builder checks once, at the end.
 */
#ifndef NATFW_WIRE_WRITER_H
#define NATFW_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wire_writer {
    uint8_t *data;
    size_t capacity; /* octets */
    size_t position; /* octets written; never beyond capacity */
    bool failed;
};

struct wire_writer wire_writer_over(uint8_t *data, size_t capacity);

void wire_put_u8(struct wire_writer *writer, uint8_t value);
void wire_put_u16(struct wire_writer *writer, uint16_t value);
void wire_put_u32(struct wire_writer *writer, uint32_t value);
void wire_put_bytes(struct wire_writer *writer, const uint8_t *source, size_t length);
void wire_put_zeros(struct wire_writer *writer, size_t length);

/* Writes zeros up to the next multiple of 4 octets from the start. */
void wire_pad_to_word(struct wire_writer *writer);

/* Overwrites two octets that were written before; position counts from the start. */
void wire_patch_u16(struct wire_writer *writer, size_t position, uint16_t value);

/* Returns the octets written, or 0 when anything did not fit. */
size_t wire_written(const struct wire_writer *writer);

#endif

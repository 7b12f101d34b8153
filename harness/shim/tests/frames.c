/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames: what is read, what is refused, and that nothing is read past an end. */
#include "harness/shim/frames.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *octets;

static void start(void)
{
    octets = malloc(FRAME_MAX);
    cr_assert(octets);
}

static void stop(void)
{
    free(octets);
}

TestSuite(frames, .init = start, .fini = stop);

/* What reading gives for these octets; in says where it stopped. */
static enum frame_status read_from(const void *data, size_t length, struct frame *frame)
{
    char *copy = malloc(length); /* of that size, so that a sanitizer sees what is read past it */
    cr_assert(copy);
    memcpy(copy, data, length);
    FILE *in = fmemopen(copy, length, "r");
    cr_assert(in);
    enum frame_status status = frame_read(in, octets, frame);
    fclose(in);
    free(copy);
    return status;
}

Test(frames, are_read_one_after_the_other_until_there_are_no_more)
{
    uint8_t two[] = {0, 0, 0, 2, FRAME_RESTART, 7, 0, 0, 0, 1, FRAME_END};
    struct frame frame;
    FILE *in = fmemopen(two, sizeof(two), "r");
    cr_assert(in);
    cr_assert(frame_read(in, octets, &frame) == FRAME_READ && frame.kind == FRAME_RESTART);
    cr_assert(wire_read_u8(&frame.body) == 7 && wire_finished(&frame.body));
    cr_assert(frame_read(in, octets, &frame) == FRAME_READ && frame.kind == FRAME_END);
    cr_assert(wire_finished(&frame.body));
    cr_assert(frame_read(in, octets, &frame) == FRAME_NO_MORE);
    fclose(in);
}

Test(frames, that_end_early_are_bad_wherever_they_do)
{
    uint8_t whole[] = {0, 0, 0, 4, FRAME_GO, 1, 2, 3};
    struct frame frame;
    for (size_t length = 1; length < sizeof(whole); length++)
        cr_assert(read_from(whole, length, &frame) == FRAME_BAD, "of %zu octets", length);
    cr_assert(read_from(whole, sizeof(whole), &frame) == FRAME_READ);
}

Test(frames, are_bad_without_a_kind_and_beyond_the_limit)
{
    uint8_t empty[] = {0, 0, 0, 0, FRAME_GO};
    uint8_t *large = calloc(1, FRAME_MAX + 5);
    struct frame frame;
    cr_assert(large);
    cr_assert(read_from(empty, sizeof(empty), &frame) == FRAME_BAD);
    memcpy(large, (uint8_t[]){0x00, 0x10, 0x00, 0x00, FRAME_GO}, 5); /* FRAME_MAX itself */
    cr_assert(read_from(large, FRAME_MAX + 4, &frame) == FRAME_READ);
    memcpy(large, (uint8_t[]){0x00, 0x10, 0x00, 0x01, FRAME_GO}, 5);
    cr_assert(read_from(large, FRAME_MAX + 5, &frame) == FRAME_BAD);
    memcpy(large, (uint8_t[]){0xff, 0xff, 0xff, 0xff, FRAME_GO}, 5);
    cr_assert(read_from(large, FRAME_MAX + 5, &frame) == FRAME_BAD);
    free(large);
}

Test(frames, have_fields_that_fail_the_reader_when_they_are_wrong)
{
    char text[FRAME_TEXT_MAX];
    size_t length;
    struct wire_reader version = wire_reader_over((const uint8_t[]){5, 1, 2, 3, 4}, 5);
    (void)frame_read_address(&version);
    cr_assert(version.failed, "an address of version 5");
    struct wire_reader nul = wire_reader_over((const uint8_t[]){3, 'a', 0, 'b'}, 4);
    frame_read_text(&nul, text);
    cr_assert(nul.failed && text[0] == '\0', "a text with a NUL");
    struct wire_reader early = wire_reader_over((const uint8_t[]){3, 'a', 'b'}, 3);
    frame_read_text(&early, text);
    cr_assert(early.failed, "a text that ends early");
    struct wire_reader cut = wire_reader_over((const uint8_t[]){0, 3, 1, 2}, 4);
    cr_assert(!frame_read_octets(&cut, &length) && cut.failed, "octets that end early");
}

Test(frames, give_back_what_was_written)
{
    uint8_t body[64];
    uint8_t written[80] = {0};
    struct frame frame;
    struct gist_endpoint v4 = {.address = gist_address_v4(0xc0000201), .port = 270};
    struct gist_endpoint v6 = {
        .address = {.version = 6, .octets = {0x20, 1, 0xd, 0xb8}}, .port = 1};
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    frame_put_u64(&writer, UINT64_C(0x8000000180000002));
    frame_put_endpoint(&writer, &v4);
    frame_put_endpoint(&writer, &v6);
    FILE *out = fmemopen(written, sizeof(written), "w");
    cr_assert(out && frame_write(out, FRAME_QUIET, &writer));
    fclose(out);
    cr_assert(read_from(written, 5 + writer.position, &frame) == FRAME_READ);
    cr_assert(frame.kind == FRAME_QUIET);
    cr_assert(frame_read_u64(&frame.body) == UINT64_C(0x8000000180000002));
    struct gist_endpoint back = frame_read_endpoint(&frame.body);
    cr_assert(gist_address_equal(&back.address, &v4.address) && back.port == 270);
    back = frame_read_endpoint(&frame.body);
    cr_assert(gist_address_equal(&back.address, &v6.address) && back.port == 1);
    cr_assert(wire_finished(&frame.body));
}

Test(frames, are_not_written_when_their_body_had_no_room)
{
    uint8_t body[4];
    char written[16] = "";
    struct wire_writer writer = wire_writer_over(body, sizeof(body));
    frame_put_u64(&writer, 1);
    FILE *out = fmemopen(written, sizeof(written), "w");
    cr_assert(out && !frame_write(out, FRAME_QUIET, &writer));
    cr_assert(ftell(out) == 0);
    fclose(out);
}

Test(frames, have_the_names_of_the_protocol)
{
    cr_assert(strcmp(frame_name(FRAME_STREAM_OPEN), "STREAM OPEN") == 0);
    cr_assert(!frame_name(FRAME_QUIET), "the shim's own are none that it hears");
    cr_assert(!frame_name(0) && !frame_name(0xff));
}

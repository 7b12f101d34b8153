/* core/wire: reads and writes stay inside their bounds, and errors stick. */
#include "core/wire/reader.h"
#include "core/wire/writer.h"

#include <criterion/criterion.h>

Test(wire, reads_network_order)
{
    const uint8_t octets[] = {1, 2, 3, 4, 5, 6, 7};
    struct wire_reader reader = wire_reader_over(octets, sizeof(octets));
    cr_assert_eq(wire_read_u8(&reader), 0x01);
    cr_assert_eq(wire_read_u16(&reader), 0x0203);
    cr_assert_eq(wire_read_u32(&reader), 0x04050607);
    cr_assert(wire_finished(&reader));
}

Test(wire, a_read_past_the_end_fails_and_the_failure_sticks)
{
    const uint8_t octets[] = {1, 2, 3};
    struct wire_reader reader = wire_reader_over(octets, sizeof(octets));
    cr_assert_eq(wire_read_u32(&reader), 0);
    cr_assert(reader.failed);
    cr_assert_eq(wire_read_u8(&reader), 0, "a failed reader yields nothing more");
    cr_assert_eq(wire_remaining(&reader), 0);
    cr_assert_not(wire_finished(&reader));
}

Test(wire, a_part_is_bounded_by_itself)
{
    const uint8_t octets[] = {1, 2, 3, 4};
    struct wire_reader reader = wire_reader_over(octets, sizeof(octets));
    struct wire_reader part = wire_read_part(&reader, 2);
    cr_assert_eq(wire_read_u16(&part), 0x0102);
    cr_assert_eq(wire_read_u8(&part), 0);
    cr_assert(part.failed);
    cr_assert_not(reader.failed);
    cr_assert_eq(wire_read_u16(&reader), 0x0304);
}

Test(wire, a_huge_length_does_not_overflow_the_check)
{
    const uint8_t octets[] = {1, 2, 3, 4};
    struct wire_reader reader = wire_reader_over(octets, sizeof(octets));
    wire_skip(&reader, 2);
    cr_assert_null(wire_read_view(&reader, SIZE_MAX));
    cr_assert(reader.failed);
}

Test(wire, writes_what_the_reader_reads)
{
    uint8_t octets[12];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    wire_put_u16(&writer, 0);
    wire_put_u8(&writer, 0xab);
    wire_pad_to_word(&writer);
    wire_put_u32(&writer, 0xdeadbeef);
    wire_patch_u16(&writer, 0, 0x1234);
    cr_assert_eq(wire_written(&writer), 8);
    struct wire_reader reader = wire_reader_over(octets, 8);
    cr_assert_eq(wire_read_u32(&reader), 0x1234ab00);
    cr_assert_eq(wire_read_u32(&reader), 0xdeadbeef);
}

Test(wire, a_write_that_does_not_fit_writes_nothing_and_sticks)
{
    uint8_t octets[4] = {9, 9, 9, 9};
    struct wire_writer writer = wire_writer_over(octets, 3);
    wire_put_u32(&writer, 0);
    cr_assert_eq(octets[0], 9);
    wire_put_u8(&writer, 1);
    cr_assert_eq(octets[0], 9);
    cr_assert_eq(wire_written(&writer), 0);
}

Test(wire, a_patch_outside_what_was_written_fails)
{
    uint8_t octets[8];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    wire_put_u16(&writer, 7);
    wire_patch_u16(&writer, 1, 0);
    cr_assert(writer.failed);
}

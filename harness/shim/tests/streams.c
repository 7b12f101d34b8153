/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Associations as streams: what waits for one, what ends it, what is unknown. */
#include "harness/shim/streams.h"

#include "harness/shim/tests/output.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { STREAMS_MAX = 3 };

static struct output seen;
static struct box_output told;
static struct streams *streams;
static const struct stream_event opening = {
    .port = 1, .peer = {.address = {.version = 4, .octets = {192, 0, 2, 2}}, .port = 30270}};

static void start(void)
{
    told = output_into(&seen);
    streams = streams_create(&told, STREAMS_MAX);
    cr_assert(streams);
}

static void stop(void)
{
    streams_destroy(streams);
}

TestSuite(streams, .init = start, .fini = stop);

static void require_told(size_t at, enum stream_event_kind kind, uint32_t number)
{
    cr_assert(at < seen.stream_count, "only %zu events", seen.stream_count);
    cr_assert(seen.streams[at].kind == kind && seen.streams[at].stream == number,
        "event %zu is %d of stream %u", at, seen.streams[at].kind, seen.streams[at].stream);
}

static const struct stream_event *of(uint32_t number)
{
    static struct stream_event event;
    event = (struct stream_event){.stream = number};
    return &event;
}

Test(streams, that_the_box_opens_have_even_numbers_and_keep_what_is_written_until_they_are_there)
{
    cr_assert(streams_open(streams, 10, &opening) && streams_open(streams, 11, &opening));
    require_told(0, STREAM_OPEN, 2);
    require_told(1, STREAM_OPEN, 4);
    cr_assert(streams_write(streams, 11, (const uint8_t *)"ab", 2));
    cr_assert(streams_write(streams, 11, (const uint8_t *)"cd", 2));
    cr_assert(seen.stream_count == 2, "written before it is there");
    streams_accepted(streams, of(4));
    require_told(2, STREAM_OCTETS, 4);
    cr_assert(seen.streams[2].length == 4 && seen.stream_count == 3);
    cr_assert(streams_association(streams, 4) == 11 && streams_association(streams, 2) == 10);
}

Test(streams, that_are_closed_before_they_are_there_deliver_first)
{
    cr_assert(streams_open(streams, 10, &opening));
    cr_assert(streams_write(streams, 10, (const uint8_t *)"ab", 2));
    streams_close(streams, 10);
    cr_assert(seen.stream_count == 1 && streams_association(streams, 2) == 0);
    cr_assert(!streams_write(streams, 10, (const uint8_t *)"c", 1));
    streams_accepted(streams, of(2));
    require_told(1, STREAM_OCTETS, 2);
    require_told(2, STREAM_CLOSE, 2);
    streams_accepted(streams, of(2));
    cr_assert(seen.stream_count == 3, "it is gone");
}

Test(streams, that_a_peer_opens_are_accepted_once_and_closed_once)
{
    cr_assert(streams_accept(streams, of(7), 20));
    require_told(0, STREAM_ACCEPT, 7);
    cr_assert(!streams_accept(streams, of(7), 21), "the number is taken");
    cr_assert(streams_write(streams, 20, (const uint8_t *)"ab", 2));
    require_told(1, STREAM_OCTETS, 7);
    streams_close(streams, 20);
    streams_close(streams, 20);
    require_told(2, STREAM_CLOSE, 7);
    cr_assert(seen.stream_count == 3);
}

Test(streams, go_out_in_portions_that_a_frame_has_room_for)
{
    enum { LONG = 65535 + 10 };
    uint8_t *octets = calloc(1, LONG);
    cr_assert(octets && streams_accept(streams, of(1), 20));
    cr_assert(streams_write(streams, 20, octets, LONG));
    cr_assert(seen.stream_count == 3 && seen.octets == LONG);
    cr_assert(seen.streams[1].length == 65535);
    free(octets);
}

Test(streams, keep_no_more_than_a_limit_for_one_that_is_not_there)
{
    enum { LIMIT = 1 << 20 };
    uint8_t *octets = calloc(1, LIMIT + 1);
    cr_assert(octets && streams_open(streams, 10, &opening));
    cr_assert(!streams_write(streams, 10, octets, LIMIT + 1));
    cr_assert(streams_write(streams, 10, octets, LIMIT));
    cr_assert(!streams_write(streams, 10, octets, 1));
    free(octets);
}

Test(streams, have_a_limit_and_give_their_place_back)
{
    for (uint32_t i = 0; i < STREAMS_MAX; i++)
        cr_assert(streams_accept(streams, of(2 * i + 1), i + 1));
    cr_assert(!streams_has_room(streams) && !streams_open(streams, 10, &opening));
    streams_gone(streams, 3);
    cr_assert(streams_has_room(streams) && streams_open(streams, 10, &opening));
    require_told(STREAMS_MAX, STREAM_OPEN, 2);
}

Test(streams, that_are_unknown_are_ignored)
{
    streams_accepted(streams, of(2));
    streams_gone(streams, 2);
    streams_close(streams, 5);
    cr_assert(!streams_write(streams, 5, (const uint8_t *)"a", 1) && !streams_peer(streams, 2));
    cr_assert(seen.stream_count == 0 && streams_association(streams, 9) == 0);
}

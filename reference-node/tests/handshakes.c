/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How many handshakes of TLS one may begin: at once, and in a second. */
#include "reference-node/sockets/handshakes.h"

#include <criterion/criterion.h>

enum { NOW_MS = 1 << 30, SECOND_MS = 1000 };

static struct handshakes handshakes;

static void start(void)
{
    cr_assert(handshakes_create(&handshakes));
}

static void stop(void)
{
    handshakes_destroy(&handshakes);
}

TestSuite(handshakes, .init = start, .fini = stop);

static struct gist_share_holder holder(uint8_t number, bool known)
{
    return (struct gist_share_holder){
        .address = {.version = 4, .octets = {192, 0, number, 1}}, .interface = 1, .known = known};
}

/* How many of so many it may begin at this time, which go on. */
static unsigned begin(struct gist_share_holder who, unsigned count, uint64_t now_ms)
{
    unsigned begun = 0;
    for (unsigned i = 0; i < count; i++)
        begun += handshakes_begin(&handshakes, now_ms, &who);
    return begun;
}

static void end(struct gist_share_holder who, unsigned count, uint64_t now_ms)
{
    for (unsigned i = 0; i < count; i++)
        handshakes_end(&handshakes, now_ms, &who);
}

Test(handshakes, of_a_stranger_are_four_at_once_and_of_a_known_peer_sixteen)
{
    cr_assert_eq(begin(holder(1, false), 20, NOW_MS), 4);
    cr_assert_eq(begin(holder(2, false), 20, NOW_MS), 4);
    cr_assert_eq(begin(holder(3, true), 40, NOW_MS), 16);
    end(holder(1, false), 3, NOW_MS);
    cr_assert_eq(begin(holder(1, false), 20, NOW_MS), 3);
}

Test(handshakes, of_strangers_behind_one_interface_leave_the_known_theirs)
{
    unsigned begun = 0;
    for (uint8_t i = 0; i < 100; i++)
        begun += begin(holder(i, false), 4, NOW_MS);
    cr_assert_eq(begun, HANDSHAKES_MAX / 4);
    cr_assert_eq(begin(holder(200, true), 16, NOW_MS), 16);
}

Test(handshakes, of_a_stranger_are_ten_a_second)
{
    unsigned begun = 0;
    for (unsigned i = 0; i < 20; i++) {
        unsigned now = begin(holder(1, false), 1, NOW_MS);
        end(holder(1, false), now, NOW_MS);
        begun += now;
    }
    cr_assert_eq(begun, 10);
    cr_assert_eq(
        begin(holder(1, false), 4, NOW_MS + SECOND_MS), 4, "what the rate refuses is no share");
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is heard in a turn of the loop, and in which order those are asked who wait. */
#include "reference-node/sockets/turn_input.h"

#include "core/base/container.h"

#include <criterion/criterion.h>

enum { CROWD = 1000, TURN_OCTETS = 16384, LEAST_OCTETS = 128 };

struct peer {
    struct turn_waiter waiter;
    struct turn_input *input;
    struct peer *ends; /* another, when it is heard */
    size_t octets;     /* that it says each time */
    unsigned more;     /* times that it will have something to say */
    unsigned heard;
    unsigned last; /* in the order of all hearings */
};

static unsigned hearings;

static void hear(struct turn_waiter *waiter)
{
    struct peer *peer = BASE_CONTAINER(waiter, struct peer, waiter);
    peer->heard++;
    peer->last = ++hearings;
    if (peer->ends)
        turn_input_leave(peer->input, &peer->ends->waiter);
    if (peer->octets > 0)
        turn_input_take(peer->input, peer->octets);
    if (peer->more > 0 && peer->more-- > 0)
        turn_input_wait(peer->input, waiter);
}

static void begin(struct turn_input *input, struct peer *peer, size_t octets)
{
    *peer = (struct peer){.waiter.hear = hear, .input = input, .octets = octets};
    turn_input_wait(input, &peer->waiter);
}

struct bench {
    struct event_base *base;
    struct turn_input input;
};

static void open_bench(struct bench *bench)
{
    bench->base = event_base_new();
    cr_assert(bench->base && turn_input_open(&bench->input, bench->base));
}

static void turn(const struct bench *bench)
{
    cr_assert(event_base_loop(bench->base, EVLOOP_ONCE | EVLOOP_NONBLOCK) >= 0);
}

static void close_bench(struct bench *bench)
{
    turn_input_close(&bench->input);
    event_base_free(bench->base);
}

Test(turn_input, asks_a_crowd_in_the_order_of_coming_and_few_of_it_in_a_turn)
{
    static struct peer crowd[CROWD];
    struct bench bench;
    open_bench(&bench);
    for (unsigned i = 0; i < CROWD; i++)
        begin(&bench.input, &crowd[i], 1);
    for (unsigned turns = 1; hearings < CROWD; turns++) {
        turn(&bench);
        cr_assert(
            hearings <= turns * (TURN_OCTETS / LEAST_OCTETS), "%u in turn %u", hearings, turns);
        cr_assert(turns <= CROWD / (TURN_OCTETS / LEAST_OCTETS) + 1, "it has ended");
    }
    for (unsigned i = 0; i < CROWD; i++)
        cr_assert(crowd[i].heard == 1 && crowd[i].last == i + 1, "peer %u", i);
    close_bench(&bench);
}

Test(turn_input, hears_so_many_octets_in_a_turn)
{
    static struct peer crowd[6];
    struct bench bench;
    open_bench(&bench);
    for (unsigned i = 0; i < 6; i++)
        begin(&bench.input, &crowd[i], TURN_OCTETS / 4);
    turn(&bench);
    cr_assert_eq(hearings, 4);
    cr_assert_eq(turn_input_left(&bench.input), 0);
    turn(&bench);
    cr_assert_eq(hearings, 6);
    cr_assert_eq(turn_input_left(&bench.input), TURN_OCTETS / 2);
    close_bench(&bench);
}

Test(turn_input, gives_each_one_hearing_a_turn)
{
    struct peer talker, other;
    struct bench bench;
    open_bench(&bench);
    begin(&bench.input, &talker, LEAST_OCTETS);
    begin(&bench.input, &other, LEAST_OCTETS);
    talker.more = 2;
    turn_input_wait(&bench.input, &talker.waiter);
    for (unsigned turns = 1; turns <= 3; turns++) {
        turn(&bench);
        cr_assert_eq(talker.heard, turns);
        cr_assert_eq(other.heard, 1);
    }
    turn(&bench);
    cr_assert_eq(talker.heard, 3, "it has nothing more to say");
    close_bench(&bench);
}

Test(turn_input, forgets_who_leaves)
{
    struct peer first, second, third;
    struct bench bench;
    open_bench(&bench);
    begin(&bench.input, &first, LEAST_OCTETS);
    begin(&bench.input, &second, LEAST_OCTETS);
    begin(&bench.input, &third, LEAST_OCTETS);
    first.ends = &third;
    turn_input_leave(&bench.input, &second.waiter);
    turn_input_leave(&bench.input, &second.waiter);
    turn(&bench);
    cr_assert(first.heard == 1 && second.heard == 0 && third.heard == 0);
    turn_input_wait(&bench.input, &second.waiter);
    turn(&bench);
    cr_assert_eq(second.heard, 1, "it came again");
    close_bench(&bench);
}

Test(turn_input, begins_anew_after_what_was_heard_without_waiting)
{
    struct bench bench;
    open_bench(&bench);
    turn_input_take(&bench.input, TURN_OCTETS + 1);
    cr_assert_eq(turn_input_left(&bench.input), 0);
    turn(&bench);
    cr_assert_eq(turn_input_left(&bench.input), TURN_OCTETS);
    close_bench(&bench);
}

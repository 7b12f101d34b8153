/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is heard in one turn of the loop from all peers together, so that others have theirs. Who is
 * not heard any more waits, and is asked in the order of coming: how many wait costs a turn
 * nothing.
 */
#ifndef NATFWD_TURN_INPUT_H
#define NATFWD_TURN_INPUT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

/* Who has something to say. */
struct turn_waiter {
    void (*hear)(struct turn_waiter *waiter); /* it may wait again, or be freed */
    bool waits;
    struct turn_waiter *next;
    struct turn_waiter *prev;
};

struct turn_input {
    size_t octets; /* in this turn so far */
    struct turn_waiter *waiters;
    size_t waiting; /* of them */
    struct event *next_turn;
};

/* Returns false without memory. */
bool turn_input_open(struct turn_input *input, struct event_base *base);
void turn_input_close(struct turn_input *input);

/* How many octets may still be heard in this turn. */
size_t turn_input_left(const struct turn_input *input);

/* That many were heard. Few count for more, as the work is with each message. */
void turn_input_take(struct turn_input *input, size_t octets);

/* It is heard in a later turn, after those that wait already; once, however often it asks. */
void turn_input_wait(struct turn_input *input, struct turn_waiter *waiter);
void turn_input_leave(struct turn_input *input, struct turn_waiter *waiter);

#endif

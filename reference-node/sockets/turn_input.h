/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is heard in one turn of the loop from all peers together, so that others have theirs. */
#ifndef NATFWD_TURN_INPUT_H
#define NATFWD_TURN_INPUT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

struct turn_input {
    size_t octets; /* in this turn so far */
    struct event *next_turn;
};

/* Returns false without memory. */
bool turn_input_open(struct turn_input *input, struct event_base *base);
void turn_input_close(struct turn_input *input);

/* How many octets may still be heard in this turn. */
size_t turn_input_left(struct turn_input *input);
void turn_input_take(struct turn_input *input, size_t octets);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input by turns; see turn_input.h. */
#include "reference-node/sockets/turn_input.h"

#include <utlist.h>

enum { OCTETS_MAX = 16384, OCTETS_LEAST = 128 };

static void arm(struct turn_input *input)
{
    const struct timeval at_once = {0};
    if (!event_pending(input->next_turn, EV_TIMEOUT, NULL))
        event_add(input->next_turn, &at_once);
}

static void on_next_turn(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct turn_input *input = context;
    input->octets = 0;
    for (size_t left = input->waiting; left > 0 && input->waiters; left--) {
        struct turn_waiter *first = input->waiters;
        if (turn_input_left(input) == 0)
            break;
        turn_input_leave(input, first);
        first->hear(first);
    }
}

bool turn_input_open(struct turn_input *input, struct event_base *base)
{
    *input = (struct turn_input){.next_turn = evtimer_new(base, on_next_turn, input)};
    return input->next_turn;
}

void turn_input_close(struct turn_input *input)
{
    if (input->next_turn)
        event_free(input->next_turn);
}

size_t turn_input_left(const struct turn_input *input)
{
    return input->octets < OCTETS_MAX ? OCTETS_MAX - input->octets : 0;
}

void turn_input_take(struct turn_input *input, size_t octets)
{
    input->octets += octets < OCTETS_LEAST ? OCTETS_LEAST : octets;
    arm(input);
}

void turn_input_wait(struct turn_input *input, struct turn_waiter *waiter)
{
    if (waiter->waits)
        return;
    waiter->waits = true;
    DL_APPEND(input->waiters, waiter);
    input->waiting++;
    arm(input);
}

void turn_input_leave(struct turn_input *input, struct turn_waiter *waiter)
{
    if (!waiter->waits)
        return;
    waiter->waits = false;
    DL_DELETE(input->waiters, waiter);
    input->waiting--;
}

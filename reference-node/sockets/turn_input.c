/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Input by turns; see turn_input.h. */
#include "reference-node/sockets/turn_input.h"

enum { OCTETS_MAX = 16384 };

static void on_next_turn(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct turn_input *input = context;
    input->octets = 0;
}

bool turn_input_open(struct turn_input *input, struct event_base *base)
{
    input->octets = 0;
    input->next_turn = evtimer_new(base, on_next_turn, input);
    return input->next_turn;
}

void turn_input_close(struct turn_input *input)
{
    if (input->next_turn)
        event_free(input->next_turn);
}

size_t turn_input_left(struct turn_input *input)
{
    const struct timeval at_once = {0};
    if (!event_pending(input->next_turn, EV_TIMEOUT, NULL))
        event_add(input->next_turn, &at_once);
    return input->octets < OCTETS_MAX ? OCTETS_MAX - input->octets : 0;
}

void turn_input_take(struct turn_input *input, size_t octets)
{
    input->octets += octets;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The event loop, turn by turn; see loop.h. */
#include "reference-node/base/loop.h"

#include <time.h>

static struct loop_counters counters;

static uint64_t processor_us(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

int loop_run(struct event_base *base)
{
    uint64_t start_us = processor_us();
    int result = 0;
    while (result == 0 && !event_base_got_break(base) && !event_base_got_exit(base)) {
        result = event_base_loop(base, EVLOOP_ONCE);
        uint64_t end_us = processor_us();
        counters.turns++;
        if (end_us - start_us > counters.longest_turn_us)
            counters.longest_turn_us = end_us - start_us;
        start_us = end_us;
    }
    return result < 0 ? -1 : 0;
}

struct loop_counters loop_counters(void)
{
    return counters;
}

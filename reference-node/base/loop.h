/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop, turn by turn: while one lasts, everybody else waits. Its length is the processor
 * time that it took, so that a busy machine does not make it longer.
 */
#ifndef NATFWD_LOOP_H
#define NATFWD_LOOP_H

#include <event2/event.h>
#include <stdint.h>

struct loop_counters {
    uint64_t turns;
    uint64_t longest_turn_us;
};

/* Runs until event_base_loopbreak or event_base_loopexit, or until nothing is left to wait for.
 * Returns -1 on failure. */
int loop_run(struct event_base *base);

/* Of this process. */
struct loop_counters loop_counters(void);

#endif

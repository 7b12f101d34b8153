/* Timers: an intrusive pairing heap, so that starting one never fails and thousands cost no scan.
 */
#ifndef NATFW_BASE_TIMER_H
#define NATFW_BASE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct base_timer {
    uint64_t deadline_ms;
    /* context is that of base_timers_run; NULL where nobody runs the timers but looks at them. */
    void (*expire)(void *context, void *owner);
    void *owner;
    bool running;
    struct base_timer *child;    /* first of those that are later */
    struct base_timer *next;     /* sibling */
    struct base_timer *previous; /* sibling, or parent of the first child */
};

struct base_timers {
    struct base_timer *first;
};

/* Starts the timer, or moves it when it runs already. */
void base_timer_start(struct base_timers *timers, struct base_timer *timer, uint64_t deadline_ms);
void base_timer_stop(struct base_timers *timers, struct base_timer *timer);

/* How many have their turn at once, so that others are not kept waiting. */
enum { BASE_TIMERS_AT_ONCE = 64 };

/* Stops the timers that are due and calls their expire, earliest first. Those that a call starts
 * and that are due as well have their turn too. When there are more of them than
 * BASE_TIMERS_AT_ONCE, the rest is left to the next call: the first deadline has passed by then. */
void base_timers_run(struct base_timers *timers, uint64_t now_ms, void *context);

#endif

/* The node's timers: an intrusive pairing heap, so that starting one never fails and thousands cost
 * no scan. */
#ifndef NATFW_GIST_TIMER_H
#define NATFW_GIST_TIMER_H

#include <stdbool.h>
#include <stdint.h>

struct gist_node;

struct gist_timer {
    uint64_t deadline_ms;
    void (*expire)(struct gist_node *node, void *owner);
    void *owner;
    bool running;
    struct gist_timer *child;    /* first of those that are later */
    struct gist_timer *next;     /* sibling */
    struct gist_timer *previous; /* sibling, or parent of the first child */
};

struct gist_timers {
    struct gist_timer *first;
};

/* Starts the timer, or moves it when it runs already. */
void gist_timer_start(struct gist_timers *timers, struct gist_timer *timer, uint64_t deadline_ms);
void gist_timer_stop(struct gist_timers *timers, struct gist_timer *timer);

#endif

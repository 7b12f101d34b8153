/* A pairing heap of timers; see timer.h. */
#include "core/gist/timer.h"

#include <stddef.h>

static struct gist_timer *merge(struct gist_timer *a, struct gist_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    struct gist_timer *first = b->deadline_ms < a->deadline_ms ? b : a;
    struct gist_timer *later = first == a ? b : a;
    later->previous = first;
    later->next = first->child;
    if (first->child)
        first->child->previous = later;
    first->child = later;
    first->next = first->previous = NULL;
    return first;
}

/* Merges siblings in pairs, then the pairs: what keeps the heap shallow. */
static struct gist_timer *merge_siblings(struct gist_timer *timer)
{
    struct gist_timer *pairs = NULL;
    while (timer) {
        struct gist_timer *second = timer->next;
        struct gist_timer *rest = second ? second->next : NULL;
        timer->next = timer->previous = NULL;
        if (second)
            second->next = second->previous = NULL;
        struct gist_timer *pair = merge(timer, second);
        pair->next = pairs;
        pairs = pair;
        timer = rest;
    }
    struct gist_timer *merged = NULL;
    while (pairs) {
        struct gist_timer *rest = pairs->next;
        pairs->next = NULL;
        merged = merge(merged, pairs);
        pairs = rest;
    }
    return merged;
}

static void unlink_from_parent(struct gist_timer *timer)
{
    if (timer->previous->child == timer)
        timer->previous->child = timer->next;
    else
        timer->previous->next = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
}

void gist_timer_stop(struct gist_timers *timers, struct gist_timer *timer)
{
    if (!timer->running)
        return;
    struct gist_timer *children = merge_siblings(timer->child);
    if (timers->first == timer) {
        timers->first = children;
    } else {
        unlink_from_parent(timer);
        timers->first = merge(timers->first, children);
    }
    timer->child = timer->next = timer->previous = NULL;
    timer->running = false;
}

void gist_timer_start(struct gist_timers *timers, struct gist_timer *timer, uint64_t deadline_ms)
{
    gist_timer_stop(timers, timer);
    timer->deadline_ms = deadline_ms;
    timer->running = true;
    timers->first = merge(timers->first, timer);
}

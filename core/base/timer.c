/* A pairing heap of timers; see timer.h. */
#include "core/base/timer.h"

#include <stddef.h>

static struct base_timer *merge(struct base_timer *a, struct base_timer *b)
{
    if (!a || !b)
        return a ? a : b;
    struct base_timer *first = b->deadline_ms < a->deadline_ms ? b : a;
    struct base_timer *later = first == a ? b : a;
    later->previous = first;
    later->next = first->child;
    if (first->child)
        first->child->previous = later;
    first->child = later;
    first->next = first->previous = NULL;
    return first;
}

/* Merges siblings in pairs, then the pairs: what keeps the heap shallow. */
static struct base_timer *merge_siblings(struct base_timer *timer)
{
    struct base_timer *pairs = NULL;
    while (timer) {
        struct base_timer *second = timer->next;
        struct base_timer *rest = second ? second->next : NULL;
        timer->next = timer->previous = NULL;
        if (second)
            second->next = second->previous = NULL;
        struct base_timer *pair = merge(timer, second);
        pair->next = pairs;
        pairs = pair;
        timer = rest;
    }
    struct base_timer *merged = NULL;
    while (pairs) {
        struct base_timer *rest = pairs->next;
        pairs->next = NULL;
        merged = merge(merged, pairs);
        pairs = rest;
    }
    return merged;
}

static void unlink_from_parent(struct base_timer *timer)
{
    if (timer->previous->child == timer)
        timer->previous->child = timer->next;
    else
        timer->previous->next = timer->next;
    if (timer->next)
        timer->next->previous = timer->previous;
}

void base_timer_stop(struct base_timers *timers, struct base_timer *timer)
{
    if (!timer->running)
        return;
    struct base_timer *children = merge_siblings(timer->child);
    if (timers->first == timer) {
        timers->first = children;
    } else {
        unlink_from_parent(timer);
        timers->first = merge(timers->first, children);
    }
    timer->child = timer->next = timer->previous = NULL;
    timer->running = false;
}

void base_timer_start(struct base_timers *timers, struct base_timer *timer, uint64_t deadline_ms)
{
    base_timer_stop(timers, timer);
    timer->deadline_ms = deadline_ms;
    timer->running = true;
    timers->first = merge(timers->first, timer);
}

void base_timers_run(struct base_timers *timers, uint64_t now_ms, void *context)
{
    for (unsigned count = 0;
         count < BASE_TIMERS_AT_ONCE && timers->first && timers->first->deadline_ms <= now_ms;
         count++) {
        struct base_timer *timer = timers->first;
        base_timer_stop(timers, timer);
        timer->expire(context, timer->owner);
    }
}

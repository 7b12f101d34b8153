/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock that the core's times are read from: milliseconds, never going back; and the times that
 * people read. */
#ifndef NATFWD_CLOCK_H
#define NATFWD_CLOCK_H

#include <stdint.h>
#include <sys/time.h>
#include <time.h>

enum { CLOCK_TEXT_SIZE = 32 };

uint64_t clock_now_ms(void);

/* Milliseconds since 1970, by the clock on the wall, which may be set. */
uint64_t clock_wall_ms(void);

/* A span, as timers take it. */
struct timeval clock_timeval(uint64_t milliseconds);

/* A time of CLOCK_REALTIME as 2026-11-27T12:00:00.000Z. */
void clock_text(const struct timespec *when, char text[CLOCK_TEXT_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monotonic clock; timeouts in the kernel run on the same one. */
#include "reference-node/base/clock.h"

#include <stdio.h>

static uint64_t read_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t clock_now_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

uint64_t clock_wall_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

struct timeval clock_timeval(uint64_t milliseconds)
{
    return (struct timeval){.tv_sec = (time_t)(milliseconds / 1000),
        .tv_usec = (suseconds_t)(milliseconds % 1000 * 1000)};
}

void clock_text(const struct timespec *when, char text[CLOCK_TEXT_SIZE])
{
    struct tm parts;
    gmtime_r(&when->tv_sec, &parts);
    size_t length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%03ldZ", when->tv_nsec / 1000000);
}

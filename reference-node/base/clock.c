/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The monotonic clock; timeouts in the kernel run on the same one. */
#include "reference-node/base/clock.h"

#include <time.h>

uint64_t clock_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

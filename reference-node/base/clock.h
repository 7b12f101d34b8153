/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clock that the core's times are read from: milliseconds, never going back. */
#ifndef NATFWD_CLOCK_H
#define NATFWD_CLOCK_H

#include <stdint.h>

uint64_t clock_now_ms(void);

#endif

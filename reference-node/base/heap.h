/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core's allocator seam by the C library. */
#ifndef NATFWD_HEAP_H
#define NATFWD_HEAP_H

#include "core/base/allocator.h"

struct base_allocator heap_allocator(void);

#endif

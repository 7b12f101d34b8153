/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The system calls that a running natfwd makes, and no others. */
#ifndef NATFWD_SANDBOX_H
#define NATFWD_SANDBOX_H

#include <stdbool.h>

/* From now on any other call fails with EPERM; it cannot be undone. Returns false with errno set.
 * In builds with a sanitizer, which makes calls of its own, it does nothing. */
bool sandbox_enter(void);

/* Whether this build has a sandbox at all. */
bool sandbox_is_there(void);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who runs the daemon and its loop, and what is asked of it. */
#ifndef NATFWD_OWNER_H
#define NATFWD_OWNER_H

#include <stdint.h>

struct daemon_owner {
    void *context;
    uint64_t (*reload)(void *context); /* as reload_begin */
    /* The daemon has done what it had to; its last messages have a moment to leave. */
    void (*stop)(void *context);
};

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many lines of the log there may be: so many of a kind, and of one peer so many of a kind, in
 * ten seconds. What is left out is counted, and its last line kept for the summary.
 */
#ifndef NATFWD_LOG_LIMIT_H
#define NATFWD_LOG_LIMIT_H

#include "core/base/share.h"

enum { LOG_LIMIT_WINDOW_MS = 10000, LOG_LIMIT_KINDS_MAX = 64, LOG_LIMIT_SAMPLE_MAX = 400 };

struct log_limit_kind {
    const void *name; /* NULL: none yet */
    uint64_t since_ms;
    uint64_t passed;
    uint64_t left_out;
    int level;
    char sample[LOG_LIMIT_SAMPLE_MAX];
};

/* Once there are more kinds than it holds, the last are one kind. */
struct log_limit {
    uint32_t per_kind; /* 0: no limit */
    uint32_t per_peer; /* 0: no limit */
    struct log_limit_kind kinds[LOG_LIMIT_KINDS_MAX];
    struct base_shares peers;
};

/* Returns false without memory. */
bool log_limit_open(struct log_limit *limit, uint32_t per_kind, uint32_t per_peer);
void log_limit_close(struct log_limit *limit);

/* Whether this line may go. kind is told apart by its address; peer may be NULL. */
bool log_limit_passes(struct log_limit *limit, uint64_t now_ms, int level, const void *kind,
    const struct base_share_name *peer, const char *line);

/* The next kind of which something was left out in a window that is over, with its count and
 * sample; the next window begins for it. NULL when there is none. */
const struct log_limit_kind *log_limit_summary(
    struct log_limit *limit, uint64_t now_ms, uint64_t *left_out);

/* Whether a summary is still to come. */
bool log_limit_leaves_out(const struct log_limit *limit);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sessions' file: what a natfwd that ended, in order or not, leaves to the next. Each session
 * has a line of fixed length, written over in place, so that a change costs one write and the file
 * does not grow with time. The file is one natfwd's at a time.
 */
#ifndef NATFWD_JOURNAL_H
#define NATFWD_JOURNAL_H

#include "reference-node/journal/record.h"

#include <stdio.h>

struct journal;

/* Opens the file and makes it where there is none. Lines that are no records are told on errors, by
 * their number, and left out. Returns NULL after saying what failed. */
struct journal *journal_open(const char *path, struct record_time now, FILE *errors);
void journal_close(struct journal *journal);

/* What was in the file when it was opened, until journal_forget_found. */
const struct natfw_snapshot *journal_found(const struct journal *journal, size_t *count);
/* Sessions that were found and not put again since are no longer in the file. */
void journal_forget_found(struct journal *journal);
/* Whether the machine has not been booted since the file was written. */
bool journal_is_of_this_boot(const struct journal *journal);

/* Writes the session's line, or takes it out. Returns false with errno set, once for each time that
 * writing stops working. */
bool journal_put(
    struct journal *journal, const struct natfw_snapshot *snapshot, struct record_time now);
bool journal_drop(struct journal *journal, const struct gist_session_id *id);

#endif

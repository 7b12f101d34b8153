/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sessions in words: many as a table, one in full, and one that has changed as a line. */
#ifndef NATFWCTL_SESSIONS_H
#define NATFWCTL_SESSIONS_H

#include <jansson.h>

void sessions_print_table(const json_t *sessions);
void sessions_print_one(const json_t *session);
void sessions_print_event(const json_t *event);

#endif

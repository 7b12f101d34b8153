/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of what natfwd says; what is missing reads as "-" or 0. */
#ifndef NATFWCTL_MEMBERS_H
#define NATFWCTL_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>

enum { MEMBER_ANSWER_SIZE = 128 };

const char *member_string(const json_t *object, const char *key);
long long member_number(const json_t *object, const char *key);
/* "7/0x04", and with words "7/0x04 conflicts with policy"; "-" where nothing was answered. */
void member_answer(
    const json_t *object, const char *key, bool with_words, char text[MEMBER_ANSWER_SIZE]);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Members of what natfwd says; see members.h. */
#include "reference-node/natfwctl/members.h"

#include <stdio.h>

const char *member_string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "-";
}

long long member_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

void member_answer(
    const json_t *object, const char *key, bool with_words, char text[MEMBER_ANSWER_SIZE])
{
    const json_t *answer = json_object_get(object, key);
    if (json_is_object(answer))
        snprintf(text, MEMBER_ANSWER_SIZE, "%lld/0x%02llx%s%s", member_number(answer, "class"),
            (unsigned long long)member_number(answer, "code"), with_words ? " " : "",
            with_words ? member_string(answer, "text") : "");
    else
        snprintf(text, MEMBER_ANSWER_SIZE, "-");
}

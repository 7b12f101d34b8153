/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comments, quotes and braces of a configuration; see config_text.h. */
#include "reference-node/config/config_text.h"

#include <string.h>

/* The octets of what starts here: a quoted string, to the end of the text where it is not closed.
 */
static size_t quoted_length(const char *start)
{
    size_t length = 1;
    while (start[length] && start[length] != start[0])
        length += start[length] == '\\' && start[length + 1] ? 2 : 1;
    return start[length] ? length + 1 : length;
}

/* The same of a comment, without the line's end; 0 where there is none. */
static size_t comment_length(const char *start)
{
    if (start[0] == '#' || strncmp(start, "//", 2) == 0)
        return strcspn(start, "\n");
    if (strncmp(start, "/*", 2) != 0)
        return 0;
    const char *end = strstr(start + 2, "*/");
    return end ? (size_t)(end - start) + 2 : strlen(start);
}

static bool is_quote(char letter)
{
    return letter == '"' || letter == '\'';
}

char *config_text_without_comments(const char *text)
{
    char *plain = strdup(text);
    for (char *at = plain; at && *at;) {
        size_t length = is_quote(*at) ? quoted_length(at) : comment_length(at);
        for (size_t i = 0; i < length && !is_quote(*at); i++)
            if (at[i] != '\n')
                at[i] = ' ';
        at += length > 0 ? length : 1;
    }
    return plain;
}

bool config_text_is_closed(const char *path, const char *text, FILE *errors)
{
    unsigned line = 1;
    int depth = 0;
    for (const char *at = text; *at;) {
        size_t length = is_quote(*at) ? quoted_length(at) : 1;
        for (size_t i = 0; i < length; i++)
            line += at[i] == '\n';
        depth += (*at == '{') - (*at == '}');
        at += length;
    }
    if (depth > 0)
        fprintf(errors, "%s:%u: a { has no }; close the section or list\n", path, line - 1);
    return depth <= 0;
}

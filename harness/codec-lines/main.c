/*
 * What the core's codec makes of messages, one a line: the core's half of harness/compare-codecs.
 *
 * Reads "gist HEX" or "natfw HEX" (no magic number) from standard input, and answers each line with
 * a JSON object: "fault", or "header" and "objects" by their type. The names of the fields are
 * those of natfw-conform decode --lines; a field that is not significant is null.
 */
#include "harness/codec-lines/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Turns hex into octets in place; returns their number, or -1. */
static long unhex(char *text)
{
    uint8_t *octets = (uint8_t *)text;
    long length = 0;
    for (; text[0] && text[0] != '\n'; text += 2, length++) {
        char pair[3] = {text[0], text[1], '\0'};
        if (strspn(pair, "0123456789abcdefABCDEF") < 2)
            return -1;
        octets[length] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return length;
}

/* The view of one line; NULL when it is neither gist nor natfw with hex. */
static json_t *view_of(char *line)
{
    bool natfw = strncmp(line, "natfw ", 6) == 0;
    if (!natfw && strncmp(line, "gist ", 5) != 0)
        return NULL;
    char *text = line + (natfw ? 6 : 5);
    long length = unhex(text);
    if (length < 0)
        return NULL;
    /* Memory of just its size, for sanitizers. */
    uint8_t *octets = malloc((size_t)length + 1);
    if (!octets)
        return NULL;
    memcpy(octets, text, (size_t)length);
    json_t *view = natfw ? natfw_view(octets, (size_t)length) : gist_view(octets, (size_t)length);
    free(octets);
    return view;
}

int main(int count, char **words)
{
    if (count > 1) {
        bool help = strcmp(words[1], "--help") == 0;
        fprintf(help ? stdout : stderr, "usage: %s <LINES\nlines: gist HEX, natfw HEX\n", words[0]);
        return help ? 0 : 2;
    }
    char *line = NULL;
    size_t capacity = 0;
    for (unsigned number = 1; getline(&line, &capacity, stdin) > 0; number++) {
        json_t *view = view_of(line);
        if (!view) {
            fprintf(stderr, "%s: line %u: expected 'gist HEX' or 'natfw HEX'\n", words[0], number);
            return 2;
        }
        json_dumpf(view, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(view);
    }
    free(line);
    return ferror(stdin) || fflush(stdout) != 0 ? 1 : 0;
}

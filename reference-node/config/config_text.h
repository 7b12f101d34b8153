/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The text of a configuration, as it has to be for libconfuse to tell the right line.
 */
#ifndef NATFW_REFERENCE_NODE_CONFIG_TEXT_H
#define NATFW_REFERENCE_NODE_CONFIG_TEXT_H

#include <stdbool.h>
#include <stdio.h>

/* The same text with blanks for comments: libconfuse counts their lines more than once. The caller
 * frees it; NULL when there is no memory. */
char *config_text_without_comments(const char *text);

/* Whether each section and list of a text without comments is closed: libconfuse takes the end of
 * the file for that. If not, says where. */
bool config_text_is_closed(const char *path, const char *text, FILE *errors);

#endif

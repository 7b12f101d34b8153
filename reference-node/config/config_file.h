/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The configuration file, natfwd.conf(5). */
#ifndef NATFWD_CONFIG_FILE_H
#define NATFWD_CONFIG_FILE_H

#include "reference-node/config/config.h"

/* Reads and checks a file. Faults go to errors, one line each, as FILE:LINE: KEY: what, and what
 * to do. Returns NULL when there was one. Warnings go there too. */
struct config *config_read(const char *path, FILE *errors);

/* The file's text, to be freed; NULL after saying on errors why it cannot be read. */
char *config_read_file(const char *path, FILE *errors);

/* Reads and checks a text, which faults call by this name, as config_read does. */
struct config *config_read_text(const char *name, const char *text, FILE *errors);

#endif

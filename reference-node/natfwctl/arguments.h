/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of natfwctl, as the request that it stands for. */
#ifndef NATFWCTL_ARGUMENTS_H
#define NATFWCTL_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>

struct arguments {
    const char *socket_path;
    const char *command;
    const char *session;
    bool as_json;
    json_t *request; /* empty before */
};

/* Returns -1 to go on, or the status to exit with after saying why. */
int arguments_read(int argc, char **argv, struct arguments *arguments);

#endif

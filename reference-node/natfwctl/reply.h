/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What natfwd says, in words. */
#ifndef NATFWCTL_REPLY_H
#define NATFWCTL_REPLY_H

#include "reference-node/natfwctl/arguments.h"
#include "reference-node/natfwctl/exit_status.h"

/* Prints a reply: what was asked for on standard output, a fault or a warning on standard error. */
enum exit_status reply_print(const struct arguments *arguments, const json_t *reply);

#endif

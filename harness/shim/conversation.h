/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shim's side of the protocol: frames in, a box, frames out. docs/shim-protocol.md. */
#ifndef NATFW_SHIM_CONVERSATION_H
#define NATFW_SHIM_CONVERSATION_H

#include <stdbool.h>
#include <stdio.h>

struct conversation;

/* more stands at the end of each configuration: lines of natfwd.conf(5), or "". Returns NULL
 * without memory. All stays the caller's. */
struct conversation *conversation_create(FILE *in, FILE *out, FILE *errors, const char *more);
void conversation_destroy(struct conversation *conversation);

/* Goes on until there is no more input. Returns false after saying on errors what of it was none of
 * the protocol. */
bool conversation_run(struct conversation *conversation);

#endif

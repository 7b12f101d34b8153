/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command open: asks the path, and replies once the path has answered. */
#ifndef NATFWD_OPEN_COMMAND_H
#define NATFWD_OPEN_COMMAND_H

#include "reference-node/control/command.h"

/* Returns the reply, or NULL when it comes later. */
json_t *open_command(
    struct commands *commands, struct control_client *client, const json_t *request);

/* Replies to whoever waits for this session. */
void open_command_event(struct commands *commands, const struct natfw_event *event);
/* A client has gone: what it waits for ends, for nobody else knows of it. */
void open_command_client_gone(struct commands *commands, const struct control_client *client);
void open_command_forget_all(struct commands *commands);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command watch: tells a client of each change of a session, until it goes. */
#ifndef NATFWD_WATCH_COMMAND_H
#define NATFWD_WATCH_COMMAND_H

#include "reference-node/control/command.h"

json_t *watch_command(
    struct commands *commands, struct control_client *client, const json_t *request);

/* Tells the watchers. One that does not read what it was told is ended. */
void watch_command_event(struct commands *commands, const struct natfw_event *event);
void watch_command_client_gone(struct commands *commands, const struct control_client *client);
/* How many watch now. */
size_t watch_command_count(const struct commands *commands);
void watch_command_forget_all(struct commands *commands);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands reload and uninstall: what is asked of the daemon itself. */
#ifndef NATFWD_DAEMON_COMMANDS_H
#define NATFWD_DAEMON_COMMANDS_H

#include "reference-node/control/command.h"

json_t *reload_command(
    struct commands *commands, struct control_client *client, const json_t *request);
json_t *uninstall_command(
    struct commands *commands, struct control_client *client, const json_t *request);

/* Tells whoever waits for a reload. */
void daemon_commands_reloaded(
    struct commands *commands, uint64_t attempt, bool taken, const char *said);

void daemon_commands_client_gone(struct commands *commands, struct control_client *client);

#endif

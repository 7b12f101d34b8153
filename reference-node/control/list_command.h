/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command list: every session, however many there are, some in each turn of the loop. */
#ifndef NATFWD_LIST_COMMAND_H
#define NATFWD_LIST_COMMAND_H

#include "reference-node/control/command.h"

/* Returns NULL, and replies in parts; or why it cannot. */
json_t *list_command(
    struct commands *commands, struct control_client *client, const json_t *request);

#endif

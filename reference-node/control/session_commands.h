/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands on one session, or on all that were opened here: show, close. Each returns its
 * reply. */
#ifndef NATFWD_SESSION_COMMANDS_H
#define NATFWD_SESSION_COMMANDS_H

#include "reference-node/control/command.h"

json_t *show_command(
    struct commands *commands, struct control_client *client, const json_t *request);
json_t *close_command(
    struct commands *commands, struct control_client *client, const json_t *request);

#endif

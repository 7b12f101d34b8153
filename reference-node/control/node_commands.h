/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands on the node itself: status, stats. Each returns its reply. */
#ifndef NATFWD_NODE_COMMANDS_H
#define NATFWD_NODE_COMMANDS_H

#include "reference-node/control/command.h"

/* What runs here, since when, and what is in force. */
json_t *status_command(
    struct commands *commands, struct control_client *client, const json_t *request);
/* What has been counted. */
json_t *stats_command(
    struct commands *commands, struct control_client *client, const json_t *request);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What natfwctl can ask for: open, close, list, show, watch, status, stats, reload, uninstall.
 * Requests and replies are JSON, as natfwd(8) lists them; each reply has "ok".
 */
#ifndef NATFWD_COMMANDS_H
#define NATFWD_COMMANDS_H

#include "reference-node/control/command.h"

struct commands *commands_create(const struct commands_target *target);
void commands_destroy(struct commands *commands);

/* For struct control_listener. */
void commands_request(void *context, struct control_client *client, const json_t *request);
void commands_client_gone(void *context, struct control_client *client);

/* Tells whoever waits for this session or watches. */
void commands_session_event(struct commands *commands, const struct natfw_event *event);

/* The configuration file was taken over or not, for the reason that was said: tells whoever asked
 * for it. */
void commands_reloaded(struct commands *commands, uint64_t attempt, bool taken, const char *said);

#endif

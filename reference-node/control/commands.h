/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What natfwctl can ask for: open, close, list, show, stats. Requests and replies are JSON, as
 * natfwd(8) lists them; each reply has "ok".
 */
#ifndef NATFWD_COMMANDS_H
#define NATFWD_COMMANDS_H

#include "core/natfw/node.h"
#include "reference-node/control/control.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/sockets/association_socket.h"

struct commands;

/* What commands act on; all of it stays the caller's. */
struct commands_target {
    struct event_base *base;
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct pinholes *pinholes;
    struct association_socket *associations;
    bool initiator; /* may open sessions */
};

struct commands *commands_create(const struct commands_target *target);
void commands_destroy(struct commands *commands);

/* For struct control_listener. */
void commands_request(void *context, struct control_client *client, const json_t *request);
void commands_client_gone(void *context, struct control_client *client);

/* Tells whoever waits for this session. */
void commands_session_event(struct commands *commands, const struct natfw_event *event);

#endif

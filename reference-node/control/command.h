/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands of the control socket act on and have in common: keys of requests, replies. */
#ifndef NATFWD_COMMAND_H
#define NATFWD_COMMAND_H

#include "core/natfw/node.h"
#include "reference-node/config/config.h"
#include "reference-node/control/control.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/sockets/association_socket.h"

#include <time.h>

/* All of it stays the caller's. */
struct commands_target {
    struct event_base *base;
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct pinholes *pinholes;
    const struct conntrack *conntrack; /* NULL where there is none */
    struct association_socket *associations;
    const struct config *config;
    void *context;
    bool (*is_local)(void *context, const struct gist_address *address);
    /* Takes the firewall out of the kernel and ends the process soon after. Returns 0 or an errno
     * value, and then all goes on. */
    int (*uninstall)(void *context);
    /* Begins to take the configuration file over, as it is now. Returns the attempt that does; its
     * end is told to commands_reloaded, before the return where it comes at once. */
    uint64_t (*reload)(void *context);
};

struct opening;
struct watcher;

/* Who waits for an attempt at a reload; nobody where the client is NULL. */
struct reload_waiter {
    struct control_client *client;
    uint64_t attempt;
};

struct commands {
    struct commands_target target;
    struct opening *openings; /* clients that wait for the outcome of their open */
    struct watcher *watchers;
    struct reload_waiter reloading[CONTROL_CLIENTS_MAX];
    uint64_t start_ms;
    struct timespec start; /* by the clock on the wall */
};

/* A number of the request, the default when it is not there, or -1 when it cannot be used. */
json_int_t command_number(
    const json_t *request, const char *key, json_int_t otherwise, json_int_t high);
bool command_is_true_or_missing(const json_t *request, const char *key);
/* "" when it is not there, or is no string. */
const char *command_string(const json_t *request, const char *key);

/* Adds what a forwarder's pinhole has let pass, as packets and octets, where that is known. */
void command_add_traffic(
    const struct commands *commands, const struct natfw_session_view *view, json_t *session);
/* A session as it is now, or when it ended; view NULL: there is none. */
json_t *command_session_json(const struct commands *commands, const struct gist_session_id *id,
    const struct natfw_session_view *view);
json_t *command_session_reply(const struct commands *commands, const struct gist_session_id *id);
/* Why natfw_node_open and its like did not do it. */
json_t *command_failure(enum natfw_result result);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asking the daemon for another configuration, or to go for good; see daemon_commands.h. */
#include "reference-node/control/daemon_commands.h"

#include "reference-node/base/log.h"

#include <string.h>

/* Answered by daemon_commands_reloaded. */
json_t *reload_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)request;
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct reload_waiter *waiter = &commands->reloading[i];
        if (waiter->client)
            continue;
        *waiter = (struct reload_waiter){.client = client};
        waiter->attempt = commands->target.reload(commands->target.context);
        return NULL;
    }
    return control_error("refused", "too many wait for a reload already");
}

void daemon_commands_reloaded(
    struct commands *commands, uint64_t attempt, bool taken, const char *said)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        struct reload_waiter *waiter = &commands->reloading[i];
        struct control_client *client = waiter->client;
        if (!client || waiter->attempt > attempt)
            continue;
        waiter->client = NULL;
        int length = (int)strlen(said);
        while (length > 0 && said[length - 1] == '\n')
            length--;
        control_reply(client,
            taken ? json_pack("{s:b}", "ok", 1) : control_error("refused", "%.*s", length, said));
    }
}

void daemon_commands_client_gone(struct commands *commands, struct control_client *client)
{
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        if (commands->reloading[i].client == client)
            commands->reloading[i].client = NULL;
}

json_t *uninstall_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    (void)request;
    int error = commands->target.uninstall(commands->target.context);
    if (error)
        return control_error("refused", "the table stays: %s", strerror(error));
    if (!commands->target.config->natfw.forwarder)
        return json_pack("{s:b, s:n}", "ok", 1, "table");
    log_line(LOG_LEVEL_WARNING,
        "table inet %s is taken out by natfwctl: nothing is closed any more",
        commands->target.config->table);
    return json_pack("{s:b, s:s}", "ok", 1, "table", commands->target.config->table);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which command a request means; see commands.h. */
#include "reference-node/control/commands.h"

#include "reference-node/base/clock.h"
#include "reference-node/control/daemon_commands.h"
#include "reference-node/control/list_command.h"
#include "reference-node/control/node_commands.h"
#include "reference-node/control/open_command.h"
#include "reference-node/control/session_commands.h"
#include "reference-node/control/watch_command.h"

#include <stdlib.h>
#include <string.h>

struct commands *commands_create(const struct commands_target *target)
{
    struct commands *commands = calloc(1, sizeof(*commands));
    if (!commands)
        return NULL;
    commands->target = *target;
    commands->start_ms = clock_now_ms();
    clock_gettime(CLOCK_REALTIME, &commands->start);
    return commands;
}

void commands_destroy(struct commands *commands)
{
    if (!commands)
        return;
    open_command_forget_all(commands);
    watch_command_forget_all(commands);
    free(commands);
}

void commands_client_gone(void *context, struct control_client *client)
{
    open_command_client_gone(context, client);
    watch_command_client_gone(context, client);
    daemon_commands_client_gone(context, client);
}

void commands_session_event(struct commands *commands, const struct natfw_event *event)
{
    open_command_event(commands, event);
    watch_command_event(commands, event);
}

void commands_reloaded(struct commands *commands, uint64_t attempt, bool taken, const char *said)
{
    daemon_commands_reloaded(commands, attempt, taken, said);
}

/* A key that is not understood could have been a limit: nothing is done in spite of it. */
static json_t *find_unknown_key(const json_t *request, const char *const known[])
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)request, key, value) {
        const char *const *one = known;
        while (*one && strcmp(*one, key) != 0)
            one++;
        if (!*one && strcmp(key, "command") != 0)
            return control_error("usage", "%s: no such key for this command", key);
    }
    return NULL;
}

void commands_request(void *context, struct control_client *client, const json_t *request)
{
    static const struct {
        const char *name;
        json_t *(*run)(
            struct commands *commands, struct control_client *client, const json_t *request);
        const char *keys[11];
    } table[] = {
        {"open", open_command,
            {"from", "to", "protocol", "lifetime_s", "timeout_s", "sub_ports", "refresh", "secure",
                "action", "wait"}},
        {"close", close_command, {"session", "all"}},
        {"list", list_command, {0}},
        {"show", show_command, {"session"}},
        {"watch", watch_command, {0}},
        {"status", status_command, {0}},
        {"stats", stats_command, {0}},
        {"reload", reload_command, {0}},
        {"uninstall", uninstall_command, {0}},
    };
    const char *name = command_string(request, "command");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        json_t *reply = find_unknown_key(request, table[i].keys);
        if (!reply)
            reply = table[i].run(context, client, request);
        if (reply)
            control_reply(client, reply);
        return;
    }
    control_reply(client, control_error("usage",
                              "command: give open, close, list, show, watch, status, stats, reload "
                              "or uninstall"));
}

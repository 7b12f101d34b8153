/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command watch; see watch_command.h. */
#include "reference-node/control/watch_command.h"

#include "reference-node/base/clock.h"
#include "reference-node/control/session_json.h"

#include <stdlib.h>
#include <utlist.h>

struct watcher {
    struct control_client *client;
    struct watcher *next;
};

static void forget(struct commands *commands, struct watcher *watcher)
{
    LL_DELETE(commands->watchers, watcher); // NOLINT(clang-analyzer-unix.Malloc): none is freed yet
    free(watcher);
}

void watch_command_forget_all(struct commands *commands)
{
    while (commands->watchers)
        forget(commands, commands->watchers);
}

void watch_command_client_gone(struct commands *commands, const struct control_client *client)
{
    struct watcher *watcher, *next;
    LL_FOREACH_SAFE(commands->watchers, watcher, next) {
        if (watcher->client == client)
            forget(commands, watcher);
    }
}

size_t watch_command_count(const struct commands *commands)
{
    size_t count = 0;
    const struct watcher *watcher;
    LL_COUNT(commands->watchers, watcher, count);
    return count;
}

json_t *watch_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)request;
    struct watcher *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return control_error("refused", "no memory to watch");
    watch_command_client_gone(commands, client); /* once is enough */
    watcher->client = client;
    LL_PREPEND(commands->watchers, watcher);
    return json_pack("{s:b, s:b}", "ok", 1, "watching", 1);
}

static json_t *event_json(const struct commands *commands, const struct natfw_event *event)
{
    char time[CLOCK_TEXT_SIZE];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_text(&now, time);
    json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "event", session_event_name(event->kind),
        "time", time, "session", command_session_json(commands, &event->session_id, event->session),
        "answer", session_code_json(event->info.code));
    if (json && event->why)
        json_object_set_new(json, "why", json_string(event->why));
    return json;
}

/* A message that was dropped, or not sent, has changed nothing, and peers can cause many. */
static bool changes_nothing(enum natfw_event_kind kind)
{
    return kind == NATFW_EVENT_DISCARDED || kind == NATFW_EVENT_UNSENT;
}

void watch_command_event(struct commands *commands, const struct natfw_event *event)
{
    struct watcher *watcher, *next;
    if (!commands->watchers || changes_nothing(event->kind))
        return;
    json_t *json = event_json(commands, event);
    LL_FOREACH_SAFE(commands->watchers, watcher, next) {
        control_tell(watcher->client, json);
    }
    json_decref(json);
}

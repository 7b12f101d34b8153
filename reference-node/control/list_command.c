/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command list; see list_command.h. */
#include "reference-node/control/list_command.h"

#include "reference-node/base/clock.h"
#include "reference-node/control/session_json.h"

#include <stdlib.h>

#define OPENING "{\"ok\":true,\"sessions\":["

enum { SESSIONS_PER_TURN = 64 }; /* the kernel is asked for the counters of each */

struct listing {
    const struct commands *commands;
    struct natfw_walk *walk;
    struct evbuffer *reply;
    bool has_session; /* already */
};

static void append_session(void *context, const struct natfw_session_view *view)
{
    struct listing *listing = context;
    json_t *session = session_json(view, clock_now_ms());
    command_add_traffic(listing->commands, view, session);
    char *text = session ? json_dumps(session, JSON_COMPACT) : NULL;
    if (text)
        evbuffer_add_printf(listing->reply, "%s%s", listing->has_session ? "," : OPENING, text);
    listing->has_session |= text != NULL;
    free(text);
    json_decref(session);
}

static bool append_part(void *context, struct evbuffer *reply)
{
    struct listing *listing = context;
    listing->reply = reply;
    if (natfw_node_walk_on(listing->walk, SESSIONS_PER_TURN, append_session, listing))
        return true;
    evbuffer_add_printf(reply, "%s]}", listing->has_session ? "" : OPENING);
    return false;
}

static void release(void *context)
{
    struct listing *listing = context;
    natfw_node_walk_end(listing->walk);
    free(listing);
}

json_t *list_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)request;
    struct listing *listing = calloc(1, sizeof(*listing));
    if (listing)
        listing->walk = natfw_node_walk_begin(commands->target.natfw);
    if (!listing || !listing->walk) {
        free(listing);
        return control_error("refused", "no memory for a list");
    }
    listing->commands = commands;
    struct control_parts parts = {.context = listing, .append = append_part, .release = release};
    control_reply_in_parts(client, &parts);
    return NULL;
}

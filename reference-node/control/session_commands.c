/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands show and close; see session_commands.h. */
#include "reference-node/control/session_commands.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/text.h"

#include <stdlib.h>
#include <string.h>

enum { SID_PREFIX_MIN = 1 };

struct search {
    const char *prefix;
    bool initiator_only;
    struct gist_session_id found;
    unsigned count;
};

static void match_prefix(void *context, const struct natfw_session_view *view)
{
    struct search *search = context;
    char id[TEXT_SID_SIZE];
    text_of_session_id(&view->id, id);
    if (strncmp(id, search->prefix, strlen(search->prefix)) != 0 ||
        (search->initiator_only && view->role != NATFW_INITIATOR))
        return;
    search->found = view->id;
    search->count++;
}

/* Finds the one session that the request means. Returns NULL, or why there is none. */
static json_t *find_session(struct commands *commands, const json_t *request, bool initiator_only,
    struct gist_session_id *id)
{
    struct search search = {
        .prefix = command_string(request, "session"), .initiator_only = initiator_only};
    size_t length = strlen(search.prefix);
    if (length < SID_PREFIX_MIN || strspn(search.prefix, "0123456789abcdef") != length)
        return control_error("usage", "session: give an id, or the first digits of one");
    natfw_node_each_session(commands->target.natfw, match_prefix, &search);
    if (search.count == 0)
        return control_error(
            "usage", "no session %s%s", search.prefix, initiator_only ? " was opened here" : "");
    if (search.count > 1)
        return control_error(
            "usage", "%u sessions begin with %s: give more digits", search.count, search.prefix);
    *id = search.found;
    return NULL;
}

json_t *show_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    struct gist_session_id id;
    json_t *fault = find_session(commands, request, false, &id);
    return fault ? fault : command_session_reply(commands, &id);
}

/* Each is told to the path, by a message of its own. */
enum { CLOSED_PER_TURN = 64 };

struct closing {
    const struct commands *commands;
    struct natfw_walk *walk;
    struct gist_session_id ids[CLOSED_PER_TURN]; /* of a turn */
    size_t count;
    json_int_t closed; /* of all */
    bool has_begun;    /* the reply */
};

static void note_own(void *context, const struct natfw_session_view *view)
{
    struct closing *closing = context;
    if (view->role == NATFW_INITIATOR)
        closing->ids[closing->count++] = view->id;
}

/* A blank a turn keeps the reply going. */
static bool close_part(void *context, struct evbuffer *reply)
{
    struct closing *closing = context;
    struct natfw_node *natfw = closing->commands->target.natfw;
    closing->count = 0;
    bool has_more = natfw_node_walk_on(closing->walk, CLOSED_PER_TURN, note_own, closing);
    for (size_t i = 0; i < closing->count; i++)
        closing->closed += natfw_node_close(natfw, clock_now_ms(), &closing->ids[i]) == NATFW_OK;
    evbuffer_add_printf(reply, "%s", closing->has_begun ? " " : "{\"ok\":true,");
    closing->has_begun = true;
    if (!has_more)
        evbuffer_add_printf(reply, "\"closed\":%" JSON_INTEGER_FORMAT "}", closing->closed);
    return has_more;
}

static void end_closing(void *context)
{
    struct closing *closing = context;
    natfw_node_walk_end(closing->walk);
    free(closing);
}

static json_t *close_all(struct commands *commands, struct control_client *client)
{
    struct closing *closing = calloc(1, sizeof(*closing));
    if (closing)
        closing->walk = natfw_node_walk_begin(commands->target.natfw);
    if (!closing || !closing->walk) {
        free(closing);
        return control_error("refused", "no memory to close them all");
    }
    closing->commands = commands;
    struct control_parts parts = {.context = closing, .append = close_part, .release = end_closing};
    control_reply_in_parts(client, &parts);
    return NULL;
}

json_t *close_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    struct gist_session_id id;
    if (json_is_true(json_object_get(request, "all")))
        return close_all(commands, client);
    json_t *fault = find_session(commands, request, true, &id);
    if (fault)
        return fault;
    enum natfw_result result = natfw_node_close(commands->target.natfw, clock_now_ms(), &id);
    if (result != NATFW_OK)
        return command_failure(result);
    return json_pack("{s:b, s:i}", "ok", 1, "closed", 1);
}

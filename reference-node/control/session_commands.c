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

struct own_sessions {
    struct gist_session_id *ids;
    size_t count;
    size_t room;
};

static void count_own(void *context, const struct natfw_session_view *view)
{
    struct own_sessions *own = context;
    own->room += view->role == NATFW_INITIATOR;
}

static void note_own(void *context, const struct natfw_session_view *view)
{
    struct own_sessions *own = context;
    if (view->role == NATFW_INITIATOR && own->count < own->room)
        own->ids[own->count++] = view->id;
}

static json_t *close_all(struct commands *commands)
{
    struct own_sessions own = {0};
    natfw_node_each_session(commands->target.natfw, count_own, &own);
    own.ids = calloc(own.room + 1, sizeof(*own.ids));
    if (!own.ids)
        return control_error("refused", "no memory");
    natfw_node_each_session(commands->target.natfw, note_own, &own);
    json_int_t closed = 0;
    for (size_t i = 0; i < own.count; i++)
        closed += natfw_node_close(commands->target.natfw, clock_now_ms(), &own.ids[i]) == NATFW_OK;
    free(own.ids);
    return json_pack("{s:b, s:I}", "ok", 1, "closed", closed);
}

json_t *close_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    struct gist_session_id id;
    if (json_is_true(json_object_get(request, "all")))
        return close_all(commands);
    json_t *fault = find_session(commands, request, true, &id);
    if (fault)
        return fault;
    enum natfw_result result = natfw_node_close(commands->target.natfw, clock_now_ms(), &id);
    if (result != NATFW_OK)
        return command_failure(result);
    return json_pack("{s:b, s:i}", "ok", 1, "closed", 1);
}

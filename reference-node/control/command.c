/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands have in common; see command.h. */
#include "reference-node/control/command.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/text.h"
#include "reference-node/control/session_json.h"

json_int_t command_number(
    const json_t *request, const char *key, json_int_t otherwise, json_int_t high)
{
    const json_t *value = json_object_get(request, key);
    if (!value)
        return otherwise;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    return number >= 0 && number <= high ? number : -1;
}

bool command_is_true_or_missing(const json_t *request, const char *key)
{
    const json_t *value = json_object_get(request, key);
    return !value || json_is_true(value);
}

const char *command_string(const json_t *request, const char *key)
{
    const char *value = json_string_value(json_object_get(request, key));
    return value ? value : "";
}

void command_add_traffic(
    const struct commands *commands, const struct natfw_session_view *view, json_t *session)
{
    struct nft_traffic traffic;
    if (!view->rule_installed ||
        !pinholes_traffic(commands->target.pinholes, &view->rule, &traffic))
        return;
    json_object_set_new(session, "packets", json_integer((json_int_t)traffic.packets));
    json_object_set_new(session, "octets", json_integer((json_int_t)traffic.octets));
}

json_t *command_session_json(const struct commands *commands, const struct gist_session_id *id,
    const struct natfw_session_view *view)
{
    if (view) {
        json_t *session = session_json(view, clock_now_ms());
        command_add_traffic(commands, view, session);
        return session;
    }
    char text[TEXT_SID_SIZE];
    text_of_session_id(id, text);
    return json_pack("{s:s, s:s}", "session", text, "state", "dead");
}

json_t *command_session_reply(const struct commands *commands, const struct gist_session_id *id)
{
    struct natfw_session_view view;
    bool is_there = natfw_node_session(commands->target.natfw, id, &view);
    return json_pack("{s:b, s:o}", "ok", 1, "session",
        command_session_json(commands, id, is_there ? &view : NULL));
}

json_t *command_failure(enum natfw_result result)
{
    static const struct {
        const char *kind;
        const char *message;
    } errors[] = {
        [NATFW_NO_SESSION] = {"usage", "no such session that was opened here"},
        [NATFW_NO_MEMORY] = {"refused", "this node has no room for another session"},
        [NATFW_NO_RANDOMNESS] = {"refused", "this node has no randomness"},
        [NATFW_INVALID] = {"usage", "this flow or lifetime cannot be asked for"},
        [NATFW_NO_ROUTE] = {"refused", "there is no route to the flow's destination"},
    };
    return control_error(errors[result].kind, "%s", errors[result].message);
}

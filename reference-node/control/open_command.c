/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command open; see open_command.h. */
#include "reference-node/control/open_command.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/text.h"
#include "reference-node/control/session_json.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { LIFETIME_DEFAULT_S = 120, TIMEOUT_DEFAULT_S = 60, TIMEOUT_MAX_S = 3600 };

/* A client that waits for the outcome of its open. */
struct opening {
    struct commands *commands;
    struct control_client *client;
    struct gist_session_id session;
    json_t *warning; /* NULL: none */
    struct event *timeout;
    struct opening *next;
};

static void forget(struct opening *opening)
{
    LL_DELETE(opening->commands->openings, opening);
    event_free(opening->timeout);
    json_decref(opening->warning);
    free(opening);
}

void open_command_forget_all(struct commands *commands)
{
    while (commands->openings)
        forget(commands->openings);
}

/* The reply goes out with the warning, and nobody waits any more. */
static void answer(struct opening *opening, json_t *reply)
{
    struct control_client *client = opening->client;
    if (opening->warning)
        json_object_set(reply, "warning", opening->warning);
    forget(opening);
    control_reply(client, reply);
}

static json_t *refusal(
    const char *kind, const struct gist_session_id *id, enum natfw_code code, const char *message)
{
    char text[TEXT_SID_SIZE];
    text_of_session_id(id, text);
    return json_pack("{s:b, s:s, s:s, s:s, s:o}", "ok", 0, "error", kind, "message", message,
        "session", text, "answer", session_code_json(code));
}

static json_t *reply_of(const struct commands *commands, const struct natfw_event *event)
{
    if (event->kind == NATFW_EVENT_ESTABLISHED || event->kind == NATFW_EVENT_REFRESHED ||
        event->kind == NATFW_EVENT_UPDATED)
        return command_session_reply(commands, &event->session_id);
    if (event->info.code == NATFW_NO_CODE)
        return refusal(
            "no_answer", &event->session_id, NATFW_NO_CODE, "the session ended without an answer");
    return refusal("refused", &event->session_id, event->info.code, text_of_code(event->info.code));
}

void open_command_event(struct commands *commands, const struct natfw_event *event)
{
    struct opening *opening, *next;
    if (!natfw_node_has_answered(commands->target.natfw, event))
        return;
    LL_FOREACH_SAFE(commands->openings, opening, next) {
        if (gist_session_id_equal(&opening->session, &event->session_id))
            answer(opening, reply_of(commands, event));
    }
}

/* Nobody knows the session that would stay. */
static void on_timeout(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct opening *opening = context;
    struct natfw_node *natfw = opening->commands->target.natfw;
    struct gist_session_id id = opening->session;
    answer(opening, refusal("no_answer", &id, NATFW_NO_CODE, "no answer within the timeout"));
    (void)natfw_node_close(natfw, clock_now_ms(), &id);
}

void open_command_client_gone(struct commands *commands, const struct control_client *client)
{
    struct opening *opening, *next;
    LL_FOREACH_SAFE(commands->openings, opening, next) {
        struct gist_session_id id = opening->session;
        if (opening->client != client)
            continue;
        forget(opening);
        (void)natfw_node_close(commands->target.natfw, clock_now_ms(), &id);
    }
}

/* Takes the warning over. */
static bool wait_for(struct commands *commands, struct control_client *client,
    const struct gist_session_id *id, json_int_t timeout_s, json_t *warning)
{
    struct timeval timeout = {.tv_sec = (time_t)timeout_s};
    struct opening *opening = calloc(1, sizeof(*opening));
    if (opening)
        opening->timeout = evtimer_new(commands->target.base, on_timeout, opening);
    if (!opening || !opening->timeout) {
        free(opening);
        json_decref(warning);
        return false;
    }
    opening->commands = commands;
    opening->client = client;
    opening->session = *id;
    opening->warning = warning;
    event_add(opening->timeout, &timeout);
    LL_PREPEND(commands->openings, opening);
    return true;
}

/* Reads what to open. Returns NULL, or what is wrong with the request. */
static json_t *read_request(const json_t *request, struct natfw_open *open)
{
    struct gist_mri *flow = &open->rule.flow;
    const char *action = command_string(request, "action");
    json_int_t lifetime_s = command_number(request, "lifetime_s", LIFETIME_DEFAULT_S, UINT32_MAX);
    json_int_t sub_ports = command_number(request, "sub_ports", 0, 1);
    memset(open, 0, sizeof(*open));
    if (!text_to_endpoint(command_string(request, "from"), &flow->source, &flow->has_source_port,
            &flow->source_port))
        return control_error("usage", "from: give an IPv4 address and perhaps a port");
    if (!text_to_endpoint(command_string(request, "to"), &flow->destination,
            &flow->has_destination_port, &flow->destination_port))
        return control_error("usage", "to: give an IPv4 address and perhaps a port");
    if (!text_to_protocol(command_string(request, "protocol"), &flow->protocol))
        return control_error(
            "usage", "protocol: give udp, tcp, sctp, icmp, esp, ah, gre or a number to 255");
    if (lifetime_s <= 0)
        return control_error("usage", "lifetime_s: give seconds above 0");
    if (sub_ports < 0)
        return control_error("usage", "sub_ports: give 0 or 1");
    if (strcmp(action, "") != 0 && strcmp(action, "allow") != 0 && strcmp(action, "deny") != 0)
        return control_error("usage", "action: give allow or deny");
    flow->has_protocol = true;
    flow->source_prefix = flow->destination_prefix = 32;
    open->rule.action = strcmp(action, "deny") == 0 ? NATFW_DENY : NATFW_ALLOW;
    open->rule.sub_ports = (uint8_t)sub_ports;
    open->lifetime_s = (uint32_t)lifetime_s;
    open->refresh = command_is_true_or_missing(request, "refresh");
    return NULL;
}

/* A flow of another host is lawful for who signals in its place, and else a slip of the pen. */
static json_t *warning_about(const struct commands *commands, const struct gist_address *source)
{
    char text[TEXT_ADDRESS_SIZE];
    if (commands->target.is_local(commands->target.context, source))
        return NULL;
    text_of_address(source, text);
    return json_sprintf(
        "from: %s is no address of this host; its packets have to pass here all the same", text);
}

json_t *open_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    struct natfw_open open;
    struct gist_session_id id;
    json_int_t timeout_s = command_number(request, "timeout_s", TIMEOUT_DEFAULT_S, TIMEOUT_MAX_S);
    json_t *fault = read_request(request, &open);
    if (fault)
        return fault;
    if (timeout_s <= 0)
        return control_error("usage", "timeout_s: give seconds from 1 to %d", TIMEOUT_MAX_S);
    open.secure = json_is_true(json_object_get(request, "secure")) ||
                  commands->target.config->tls.is_required;
    if (open.secure && !commands->target.config->tls.is_on)
        return control_error("refused", "this node has no TLS; see the section tls of its file");
    if (!commands->target.config->initiator)
        return control_error("refused", "this node has no role initiator; see roles in its file");
    enum natfw_result result = natfw_node_open(commands->target.natfw, clock_now_ms(), &open, &id);
    if (result != NATFW_OK)
        return command_failure(result);
    json_t *warning = warning_about(commands, &open.rule.flow.source);
    if (command_is_true_or_missing(request, "wait")) {
        if (wait_for(commands, client, &id, timeout_s, warning))
            return NULL;
        (void)natfw_node_close(commands->target.natfw, clock_now_ms(), &id);
        return control_error("refused", "no memory to wait for the answer");
    }
    json_t *reply = command_session_reply(commands, &id);
    if (warning)
        json_object_set_new(reply, "warning", warning);
    return reply;
}

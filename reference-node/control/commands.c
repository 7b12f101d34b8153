/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands of the control socket; see commands.h. */
#include "reference-node/control/commands.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/text.h"
#include "reference-node/control/session_json.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { LIFETIME_DEFAULT_S = 120, TIMEOUT_DEFAULT_S = 60, TIMEOUT_MAX_S = 3600, SID_PREFIX_MIN = 1 };

/* A client that waits for the outcome of its open. */
struct waiting {
    struct commands *commands;
    struct control_client *client;
    struct gist_session_id session;
    struct event *timeout;
    struct waiting *next;
};

struct commands {
    struct commands_target target;
    struct waiting *waiting;
};

struct commands *commands_create(const struct commands_target *target)
{
    struct commands *commands = calloc(1, sizeof(*commands));
    if (commands)
        commands->target = *target;
    return commands;
}

static void forget(struct waiting *waiting)
{
    LL_DELETE(waiting->commands->waiting, waiting);
    event_free(waiting->timeout);
    free(waiting);
}

void commands_destroy(struct commands *commands)
{
    while (commands && commands->waiting)
        forget(commands->waiting);
    free(commands);
}

static json_t *view_json(struct commands *commands, const struct gist_session_id *id)
{
    struct natfw_session_view view;
    if (natfw_node_session(commands->target.natfw, id, &view))
        return session_json(&view, clock_now_ms());
    char text[TEXT_SID_SIZE];
    text_of_session_id(id, text);
    return json_pack("{s:s, s:s}", "session", text, "state", "dead");
}

static json_t *session_reply(struct commands *commands, const struct gist_session_id *id)
{
    return json_pack("{s:b, s:o}", "ok", 1, "session", view_json(commands, id));
}

static json_t *refusal(
    const char *kind, const struct gist_session_id *id, enum natfw_code answer, const char *message)
{
    char text[TEXT_SID_SIZE];
    text_of_session_id(id, text);
    return json_pack("{s:b, s:s, s:s, s:s, s:o}", "ok", 0, "error", kind, "message", message,
        "session", text, "answer", session_code_json(answer));
}

void commands_session_event(struct commands *commands, const struct natfw_event *event)
{
    struct waiting *waiting, *next;
    if (!natfw_node_has_answered(commands->target.natfw, event))
        return;
    LL_FOREACH_SAFE(commands->waiting, waiting, next) {
        if (!gist_session_id_equal(&waiting->session, &event->session_id))
            continue;
        struct control_client *client = waiting->client;
        bool opened = event->kind == NATFW_EVENT_ESTABLISHED ||
                      event->kind == NATFW_EVENT_REFRESHED || event->kind == NATFW_EVENT_UPDATED;
        bool refused = event->info.code != NATFW_NO_CODE;
        forget(waiting);
        control_reply(client, opened ? session_reply(commands, &event->session_id)
                                     : refusal(refused ? "refused" : "no_answer",
                                           &event->session_id, event->info.code,
                                           refused ? text_of_code(event->info.code)
                                                   : "the session ended without an answer"));
    }
}

static void on_timeout(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct waiting *waiting = context;
    struct commands *commands = waiting->commands;
    struct control_client *client = waiting->client;
    struct gist_session_id id = waiting->session;
    forget(waiting);
    (void)natfw_node_close(commands->target.natfw, clock_now_ms(), &id);
    control_reply(client, refusal("no_answer", &id, NATFW_NO_CODE, "no answer within the timeout"));
}

void commands_client_gone(void *context, struct control_client *client)
{
    struct commands *commands = context;
    struct waiting *waiting, *next;
    LL_FOREACH_SAFE(commands->waiting, waiting, next) {
        if (waiting->client == client)
            forget(waiting);
    }
}

static bool wait_for(struct commands *commands, struct control_client *client,
    const struct gist_session_id *id, json_int_t timeout_s)
{
    struct timeval timeout = {.tv_sec = (time_t)timeout_s};
    struct waiting *waiting = calloc(1, sizeof(*waiting));
    if (!waiting)
        return false;
    waiting->commands = commands;
    waiting->client = client;
    waiting->session = *id;
    waiting->timeout = evtimer_new(commands->target.base, on_timeout, waiting);
    if (!waiting->timeout) {
        free(waiting);
        return false;
    }
    event_add(waiting->timeout, &timeout);
    LL_PREPEND(commands->waiting, waiting);
    return true;
}

/* A number of the request, the default when it is not there, or -1 when it cannot be used. */
static json_int_t number_of(
    const json_t *request, const char *key, json_int_t otherwise, json_int_t high)
{
    const json_t *value = json_object_get(request, key);
    if (!value)
        return otherwise;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    return number >= 0 && number <= high ? number : -1;
}

static bool is_true_or_missing(const json_t *request, const char *key)
{
    const json_t *value = json_object_get(request, key);
    return !value || json_is_true(value);
}

static const char *string_of(const json_t *request, const char *key)
{
    const char *value = json_string_value(json_object_get(request, key));
    return value ? value : "";
}

/* Reads what to open. Returns NULL, or what is wrong with the request. */
static json_t *read_open(const json_t *request, struct natfw_open *open)
{
    struct gist_mri *flow = &open->rule.flow;
    const char *action = string_of(request, "action");
    json_int_t lifetime_s = number_of(request, "lifetime_s", LIFETIME_DEFAULT_S, UINT32_MAX);
    json_int_t sub_ports = number_of(request, "sub_ports", 0, 1);
    memset(open, 0, sizeof(*open));
    if (!text_to_endpoint(
            string_of(request, "from"), &flow->source, &flow->has_source_port, &flow->source_port))
        return control_error("usage", "from: give an IPv4 address and perhaps a port");
    if (!text_to_endpoint(string_of(request, "to"), &flow->destination, &flow->has_destination_port,
            &flow->destination_port))
        return control_error("usage", "to: give an IPv4 address and perhaps a port");
    if (!text_to_protocol(string_of(request, "protocol"), &flow->protocol))
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
    open->refresh = is_true_or_missing(request, "refresh");
    return NULL;
}

static json_t *result_error(enum natfw_result result)
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

static json_t *run_open(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    struct natfw_open open;
    struct gist_session_id id;
    json_int_t timeout_s = number_of(request, "timeout_s", TIMEOUT_DEFAULT_S, TIMEOUT_MAX_S);
    json_t *fault = read_open(request, &open);
    if (fault)
        return fault;
    if (timeout_s <= 0)
        return control_error("usage", "timeout_s: give seconds from 1 to %d", TIMEOUT_MAX_S);
    if (!commands->target.initiator)
        return control_error("refused", "this node has no role initiator; see roles in its file");
    enum natfw_result result = natfw_node_open(commands->target.natfw, clock_now_ms(), &open, &id);
    if (result != NATFW_OK)
        return result_error(result);
    if (!is_true_or_missing(request, "wait"))
        return session_reply(commands, &id);
    return wait_for(commands, client, &id, timeout_s)
               ? NULL
               : control_error("refused", "no memory to wait for the answer");
}

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
        .prefix = string_of(request, "session"), .initiator_only = initiator_only};
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

struct listing {
    json_t *array;
    uint64_t now_ms;
};

static void add_session(void *context, const struct natfw_session_view *view)
{
    struct listing *listing = context;
    json_array_append_new(listing->array, session_json(view, listing->now_ms));
}

static json_t *sessions_json(struct commands *commands)
{
    struct listing listing = {.array = json_array(), .now_ms = clock_now_ms()};
    natfw_node_each_session(commands->target.natfw, add_session, &listing);
    return listing.array;
}

static json_t *run_list(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    (void)request;
    return json_pack("{s:b, s:o}", "ok", 1, "sessions", sessions_json(commands));
}

static json_t *run_show(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    struct gist_session_id id;
    json_t *fault = find_session(commands, request, false, &id);
    return fault ? fault : session_reply(commands, &id);
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

static json_t *run_close(
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
        return result_error(result);
    return json_pack("{s:b, s:i}", "ok", 1, "closed", 1);
}

/* Resident memory in KiB, or -1. */
static json_int_t resident_kib(void)
{
    char line[128];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "re");
    while (status && kib < 0 && fgets(line, sizeof(line), status))
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (status)
        fclose(status);
    return kib;
}

static json_t *gist_json(const struct gist_counters *counters)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "datagrams_received",
        (json_int_t)counters->datagrams_received, "parsed", (json_int_t)counters->messages_parsed,
        "rejected", (json_int_t)counters->messages_rejected, "errors_sent",
        (json_int_t)counters->errors_sent, "errors_received", (json_int_t)counters->errors_received,
        "queries_sent", (json_int_t)counters->queries_sent, "queries_forwarded",
        (json_int_t)counters->queries_forwarded, "routing_states",
        (json_int_t)counters->routing_states, "associations", (json_int_t)counters->associations,
        "datagrams_dropped", (json_int_t)counters->datagrams_dropped);
}

static void count_session(void *context, const struct natfw_session_view *view)
{
    (void)view;
    ++*(json_int_t *)context;
}

static json_t *run_stats(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    (void)request;
    struct gist_counters gist = gist_node_counters(commands->target.gist);
    struct pinholes_counters pinholes = pinholes_counters(commands->target.pinholes);
    json_int_t sessions = 0;
    natfw_node_each_session(commands->target.natfw, count_session, &sessions);
    return json_pack("{s:b, s:o, s:{s:I, s:I, s:I, s:I}, s:I, s:I, s:I}", "ok", 1, "gist",
        gist_json(&gist), "pinholes", "elements", (json_int_t)pinholes.elements, "commits",
        (json_int_t)pinholes.commits, "changes", (json_int_t)pinholes.changes, "failures",
        (json_int_t)pinholes.failures, "sessions", sessions, "connections",
        (json_int_t)association_socket_count(commands->target.associations), "memory_kib",
        resident_kib());
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
        const char *keys[10];
    } table[] = {
        {"open", run_open,
            {"from", "to", "protocol", "lifetime_s", "timeout_s", "sub_ports", "refresh", "action",
                "wait"}},
        {"close", run_close, {"session", "all"}},
        {"list", run_list, {0}},
        {"show", run_show, {"session"}},
        {"stats", run_stats, {0}},
    };
    const char *name = string_of(request, "command");
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
    control_reply(client, control_error("usage", "command: give open, close, list, show or stats"));
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The commands status and stats; see node_commands.h. */
#include "reference-node/control/node_commands.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/memory.h"
#include "reference-node/base/text.h"
#include "reference-node/control/counters.h"
#include "reference-node/control/watch_command.h"
#include "reference-node/tls/tls_context.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session_count {
    json_int_t all;
    json_int_t by_state[NATFW_DEAD + 1];
};

static void count_session(void *context, const struct natfw_session_view *view)
{
    struct session_count *count = context;
    count->all++;
    count->by_state[view->state]++;
}

static struct session_count count_sessions(const struct commands *commands)
{
    struct session_count count = {0};
    natfw_node_each_session(commands->target.natfw, count_session, &count);
    return count;
}

json_t *stats_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    (void)request;
    struct gist_counters gist = gist_node_counters(commands->target.gist);
    struct pinholes_counters pinholes = pinholes_counters(commands->target.pinholes);
    struct natfw_counters natfw = natfw_node_counters(commands->target.natfw);
    struct conntrack_counters conntrack = {0};
    struct association_counters tls = association_socket_counters(commands->target.associations);
    struct log_counters log = log_counters();
    struct loop_counters loop = loop_counters();
    if (commands->target.conntrack)
        conntrack = conntrack_counters(commands->target.conntrack);
    return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "ok", 1, "gist",
        counters_of_gist(&gist), "natfw", counters_of_natfw(&natfw), "pinholes",
        counters_of_pinholes(&pinholes), "conntrack", counters_of_conntrack(&conntrack), "tls",
        counters_of_tls(&tls), "log", counters_of_log(&log), "loop", counters_of_loop(&loop),
        "sessions", count_sessions(commands).all, "connections",
        (json_int_t)association_socket_count(commands->target.associations), "memory_kib",
        (json_int_t)memory_resident_kib());
}

/* Of any octets. */
static json_t *identity_json(const struct gist_node_config *config)
{
    json_t *identity =
        json_stringn((const char *)config->peer_identity, config->peer_identity_length);
    return identity ? identity : json_string("(no text)");
}

static json_t *roles_json(const struct config *config)
{
    json_t *roles = json_array();
    if (config->initiator)
        json_array_append_new(roles, json_string("initiator"));
    if (config->natfw.forwarder)
        json_array_append_new(roles, json_string("forwarder"));
    if (config->natfw.responder)
        json_array_append_new(roles, json_string("responder"));
    return roles;
}

/* Only a forwarder has rules that close anything. */
static json_t *interfaces_json(const struct config *config)
{
    json_t *interfaces = json_array();
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct config_interface *interface = &config->interfaces[i];
        json_array_append_new(
            interfaces, json_pack("{s:s, s:s, s:b, s:b}", "name", interface->name, "side",
                            interface->side == CONFIG_SIDE_INTERNAL ? "internal" : "external",
                            "default_deny", interface->default_deny && config->natfw.forwarder,
                            "is_there", if_nametoindex(interface->name) != 0));
    }
    return interfaces;
}

static json_t *tls_json(const struct commands_target *target)
{
    const SSL_CTX *context = association_socket_context(target->associations);
    char until[TLS_TIME_SIZE];
    if (!context)
        return json_null();
    return json_pack("{s:i, s:b, s:o}", "port", (int)target->config->gist.secure_association_port,
        "required", target->config->tls.is_required, "certificate_until",
        tls_context_until(context, until) ? json_string(until) : json_null());
}

/* What the configuration lays down, as far as one asks for it first when something is refused. */
static json_t *in_force_json(const struct commands_target *target)
{
    const struct config *config = target->config;
    const struct config_policy *policy = &config->policy;
    char internal[TEXT_ANSWER_SIZE], external[TEXT_ANSWER_SIZE];
    text_of_answer(policy->default_internal, internal);
    text_of_answer(policy->default_external, external);
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:s, s:I, s:I, s:s, s:s, s:I, s:I}",
        "configuration", config->path, "tls", tls_json(target), "log_level",
        log_level_names[config->log_level], "interfaces", interfaces_json(config), "table",
        config->natfw.forwarder ? json_string(config->table) : json_null(), "control_socket",
        config->control_socket, "lifetime_min_s", (json_int_t)config->natfw.lifetime_min_s,
        "lifetime_max_s", (json_int_t)config->natfw.lifetime_max_s, "default_internal", internal,
        "default_external", external, "peers", (json_int_t)policy->peer_count, "rules",
        (json_int_t)policy->rule_count);
}

json_t *status_command(
    struct commands *commands, struct control_client *client, const json_t *request)
{
    (void)client;
    (void)request;
    const struct commands_target *target = &commands->target;
    struct gist_counters gist = gist_node_counters(target->gist);
    struct session_count sessions = count_sessions(commands);
    char since[CLOCK_TEXT_SIZE];
    clock_text(&commands->start, since);
    return json_pack("{s:b, s:s, s:i, s:s, s:I, s:o, s:o, s:I, s:{s:I, s:I, s:I}, s:I, s:I, s:I, "
                     "s:I, s:I, s:o}",
        "ok", 1, "version", NATFW_VERSION, "pid", (int)getpid(), "since", since, "uptime_ms",
        (json_int_t)(clock_now_ms() - commands->start_ms), "peer_identity",
        identity_json(&target->config->gist), "roles", roles_json(target->config), "sessions",
        sessions.all, "sessions_by_state", "pending", sessions.by_state[NATFW_PENDING],
        "established", sessions.by_state[NATFW_ESTABLISHED], "transitory",
        sessions.by_state[NATFW_TRANSITORY], "pinholes",
        (json_int_t)pinholes_counters(target->pinholes).elements, "associations",
        (json_int_t)gist.associations, "routing_states", (json_int_t)gist.routing_states,
        "watchers", (json_int_t)watch_command_count(commands), "memory_kib",
        (json_int_t)memory_resident_kib(), "in_force", in_force_json(target));
}

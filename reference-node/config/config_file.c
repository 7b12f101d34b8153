/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reads natfwd.conf with libconfuse; see config_file.h. Every key stands in one of the tables
 * below, with its bounds; its default is what a config holds before it is read.
 */
#include "reference-node/config/config_file.h"

#include "reference-node/base/text.h"
#include "reference-node/config/config_sections.h"
#include "reference-node/config/config_text.h"
#include "reference-node/config/own_identity.h"
#include "reference-node/config/tls_section.h"

#include <confuse.h>
#include <errno.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define FIELD(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)

static const struct number {
    const char *key;
    size_t offset;
    size_t size;
    long low;
    long high;
} numbers[] = {
    {"association_port", FIELD(gist.association_port), 0, 65535},
    {"routing_state_validity_ms", FIELD(gist.routing_state_validity_ms), 1000, 86400000},
    {"association_hold_ms", FIELD(gist.association_hold_ms), 1000, 86400000},
    {"query_timer_ms", FIELD(gist.query_timer_ms), 10, 60000},
    {"query_timer_max_ms", FIELD(gist.query_timer_max_ms), 10, 3600000},
    {"query_attempts", FIELD(gist.query_attempts_max), 1, GIST_QUERY_ATTEMPTS_MAX},
    {"cookie_rollover_ms", FIELD(gist.cookie_rollover_ms), 1000, 3600000},
    {"datagrams_out_per_second", FIELD(gist.datagrams_per_second), 0, 10000000},
    {"datagrams_out_burst", FIELD(gist.datagram_burst), 1, 10000000},
    {"datagrams_in_per_second", FIELD(datagrams_in_per_second), 0, 10000000},
    {"datagrams_in_burst", FIELD(datagrams_in_burst), 1, 10000000},
    {"routing_states_max", FIELD(gist.routing_states_max), 1, 1000000},
    {"associations_max", FIELD(gist.associations_max), 1, 100000},
    {"queued_octets_max", FIELD(gist.queued_octets_max), 4096, 1 << 30},
    {"stream_octets_max", FIELD(gist.stream_octets_max), 0, 1 << 30},
    {"interface_queries_per_second", FIELD(gist.interface_queries_per_second), 0, 1000000},
    {"stranger_queries_per_second", FIELD(gist.stranger_queries_per_second), 0, 1000000},
    {"known_queries_per_second", FIELD(gist.known_queries_per_second), 0, 1000000},
    {"interface_messages_per_second", FIELD(gist.interface_messages_per_second), 0, 1000000},
    {"stranger_messages_per_second", FIELD(gist.stranger_messages_per_second), 0, 1000000},
    {"known_messages_per_second", FIELD(gist.known_messages_per_second), 0, 1000000},
    {"session_messages_per_second", FIELD(gist.session_messages_per_second), 0, 1000000},
    {"routing_states_per_stranger_max", FIELD(gist.routing_states_per_stranger_max), 0, 1000000},
    {"routing_states_per_peer_max", FIELD(gist.routing_states_per_peer_max), 0, 1000000},
    {"associations_per_peer_max", FIELD(gist.associations_per_peer_max), 0, 100000},
    {"association_confirm_ms", FIELD(gist.association_confirm_ms), 0, 3600000},
    {"queued_octets_per_peer_max", FIELD(gist.queued_octets_per_peer_max), 0, 1 << 30},
    {"stream_octets_per_peer_max", FIELD(gist.stream_octets_per_peer_max), 0, 1 << 30},
    {"lifetime_min_s", FIELD(natfw.lifetime_min_s), 1, 31536000},
    {"lifetime_max_s", FIELD(natfw.lifetime_max_s), 1, 31536000},
    {"transitory_hold_s", FIELD(natfw.transitory_hold_s), 30, 86400},
    {"sessions_max", FIELD(natfw.sessions_max), 1, 1000000},
    {"sessions_per_stranger_max", FIELD(natfw.sessions_per_stranger_max), 0, 1000000},
    {"sessions_per_peer_max", FIELD(natfw.sessions_per_peer_max), 0, 1000000},
    {"owners_per_peer_max", FIELD(natfw.owners_per_peer_max), 0, 1000000},
    {"log_lines_per_kind", FIELD(log_lines_per_kind), 0, 1000000},
    {"log_lines_per_peer", FIELD(log_lines_per_peer), 0, 10000},
    {"mark", FIELD(mark), 1, 0x7fffffff},
    {"route_table", FIELD(route_table), 1, 0x7fffffff},
    {"pinholes_max", FIELD(pinholes_max), 1, 10000000},
};

static const struct flag {
    const char *key;
    size_t offset;
} flags[] = {
    {"flow_source_address", offsetof(struct config, gist.flow_source_address)},
    {"ingress_filter", offsetof(struct config, gist.ingress_filter)},
    {"answer_invalid_cookie", offsetof(struct config, gist.answer_invalid_cookie)},
    {"refuse_long_lifetime", offsetof(struct config, natfw.refuse_long_lifetime)},
    {"error_response_kills_session", offsetof(struct config, natfw.error_response_kills_session)},
    {"router_alert_required", offsetof(struct config, router_alert_required)},
    {"pass_other_signalling", offsetof(struct config, pass_other_signalling)},
    {"end_sessions_on_stop", offsetof(struct config, end_sessions_on_stop)},
    {"drop_privileges", offsetof(struct config, drop_privileges)},
};

enum {
    NUMBER_COUNT = sizeof(numbers) / sizeof(numbers[0]),
    FLAG_COUNT = sizeof(flags) / sizeof(flags[0]),
    OTHER_COUNT = 16 /* strings and sections */
};

_Static_assert(CONFIG_PATH_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path), "of a socket");
_Static_assert(CONFIG_NAME_MAX >= IFNAMSIZ, "the name of any interface");

/* libconfuse hands no context to its error function, and no file name to inner sections. */
static FILE *error_stream;
static const char *error_path;

static void print_error(cfg_t *cfg, const char *format, va_list arguments)
{
    fprintf(error_stream, "%s:%d: ", error_path, cfg ? cfg->line : 0);
    vfprintf(error_stream, format, arguments);
    if (strncmp(format, "no such option", 14) == 0 || strncmp(format, "unexpected", 10) == 0)
        fprintf(error_stream, "; natfwd.conf(5) lists what may stand here");
    fprintf(error_stream, "\n");
}

static void set_defaults(struct config *config)
{
    config->natfw = natfw_node_config_default();
    config->gist = gist_node_config_default();
    config->gist.nslp_id = NATFW_NSLP_ID;
    config->gist.router_alert_v4 = NATFW_ROUTER_ALERT_V4;
    config->gist.router_alert_v6 = NATFW_ROUTER_ALERT_V6;
    config->gist.udp_port = GIST_PORT;
    config->gist.datagrams_per_second = config->gist.datagram_burst = 10000;
    config->gist.association_port = 30270;
    config->log_lines_per_kind = 1000;
    config->log_lines_per_peer = 100;
    config->mark = 0x10e;
    config->route_table = 270;
    config->pinholes_max = 100000;
    config->datagrams_in_per_second = 20000;
    config->datagrams_in_burst = 4000;
    config->drop_privileges = true;
}

static long read_number(const struct config *config, const struct number *number)
{
    uint64_t value = 0;
    memcpy(&value, (const char *)config + number->offset, number->size);
    return (long)value;
}

static void write_number(struct config *config, const struct number *number, long given)
{
    uint64_t value = (uint64_t)given;
    memcpy((char *)config + number->offset, &value, number->size);
}

static int check_number(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, cfg_opt_size(opt) - 1);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        const struct number *number = &numbers[i];
        if (strcmp(number->key, opt->name) != 0 || (value >= number->low && value <= number->high))
            continue;
        cfg_error(cfg, "%s: %ld is out of range; give %ld to %ld", opt->name, value, number->low,
            number->high);
        return -1;
    }
    return 0;
}

static int check_identity(cfg_t *cfg, cfg_opt_t *opt)
{
    size_t length = strlen(cfg_opt_getnstr(opt, 0));
    if (length > 0 && length <= GIST_PEER_IDENTITY_MAX)
        return 0;
    cfg_error(cfg, "peer_identity: %zu octets; give 1 to %d", length, GIST_PEER_IDENTITY_MAX);
    return -1;
}

static int check_role(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(
        cfg, opt, (const char *[]){"initiator", "forwarder", "responder", NULL});
}

static int check_log(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"stderr", "syslog", NULL});
}

static int check_log_level(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, log_level_names);
}

static int check_refresh(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"auto", "in-place", "replace", NULL});
}

static int check_owner(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"auto", "natfwd", "anybody", NULL});
}

static int check_socket(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *path = cfg_opt_getnstr(opt, 0);
    if (path[0] == '/' && strlen(path) < CONFIG_PATH_MAX)
        return 0;
    cfg_error(cfg, "control_socket: \"%s\" cannot be used; give an absolute path below %d octets",
        path, CONFIG_PATH_MAX);
    return -1;
}

static int check_user(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *name = cfg_opt_getnstr(opt, 0);
    if (name[0] != '\0' && strlen(name) < CONFIG_NAME_MAX)
        return 0;
    cfg_error(cfg, "user: \"%s\" is no user; give a name or a number", name);
    return -1;
}

static int check_table(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *name = cfg_opt_getnstr(opt, 0);
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);
    if (length > 0 && length < CONFIG_NAME_MAX && strspn(name, letters) == length &&
        (name[0] < '0' || name[0] > '9'))
        return 0;
    cfg_error(
        cfg, "nft_table: \"%s\" is no table name; give a letter and letters, digits or _", name);
    return -1;
}

static cfg_t *describe(const struct config *defaults)
{
    cfg_opt_t opts[NUMBER_COUNT + FLAG_COUNT + OTHER_COUNT];
    cfg_opt_t others[] = {
        CFG_STR("peer_identity", NULL, CFGF_NODEFAULT),
        CFG_STR_LIST("roles", NULL, CFGF_NODEFAULT),
        CFG_STR("control_socket", "/run/natfw/natfwd.sock", CFGF_NONE),
        CFG_STR("state_file", "/var/lib/natfw/sessions", CFGF_NONE),
        CFG_STR("log", "stderr", CFGF_NONE),
        CFG_STR("log_level", "info", CFGF_NONE),
        CFG_STR("user", "natfw", CFGF_NONE),
        CFG_STR("nft_table", "natfw", CFGF_NONE),
        CFG_STR("refresh", "auto", CFGF_NONE),
        CFG_STR("table_owner", "auto", CFGF_NONE),
        CFG_SEC(
            "interface", config_interface_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
        CFG_SEC("policy", config_policy_options, CFGF_NONE),
        CFG_SEC("tls", config_tls_options, CFGF_NONE),
        CFG_END(),
    };
    _Static_assert(sizeof(others) / sizeof(others[0]) <= OTHER_COUNT, "room for every option");
    size_t count = 0;
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        opts[count++] =
            (cfg_opt_t)CFG_INT(numbers[i].key, read_number(defaults, &numbers[i]), CFGF_NONE);
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        bool value = *((const bool *)defaults + flags[i].offset);
        opts[count++] = (cfg_opt_t)CFG_BOOL(flags[i].key, value ? cfg_true : cfg_false, CFGF_NONE);
    }
    memcpy(opts + count, others, sizeof(others));
    cfg_t *cfg = cfg_init(opts, CFGF_NONE);
    if (!cfg)
        return NULL;
    cfg_set_error_function(cfg, print_error);
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        cfg_set_validate_func(cfg, numbers[i].key, check_number);
    cfg_set_validate_func(cfg, "peer_identity", check_identity);
    cfg_set_validate_func(cfg, "roles", check_role);
    cfg_set_validate_func(cfg, "control_socket", check_socket);
    cfg_set_validate_func(cfg, "state_file", config_check_path);
    cfg_set_validate_func(cfg, "user", check_user);
    cfg_set_validate_func(cfg, "log", check_log);
    cfg_set_validate_func(cfg, "log_level", check_log_level);
    cfg_set_validate_func(cfg, "nft_table", check_table);
    cfg_set_validate_func(cfg, "refresh", check_refresh);
    cfg_set_validate_func(cfg, "table_owner", check_owner);
    config_check_sections(cfg);
    config_check_tls(cfg);
    return cfg;
}

static void take_roles(cfg_t *cfg, struct config *config)
{
    config->natfw.forwarder = config->natfw.responder = false;
    for (unsigned i = 0; i < cfg_size(cfg, "roles"); i++) {
        const char *role = cfg_getnstr(cfg, "roles", i);
        config->initiator |= strcmp(role, "initiator") == 0;
        config->natfw.forwarder |= strcmp(role, "forwarder") == 0;
        config->natfw.responder |= strcmp(role, "responder") == 0;
    }
}

static void take_identity(cfg_t *cfg, struct config *config)
{
    const char *identity = cfg_getstr(cfg, "peer_identity");
    if (!identity) {
        config->gist.peer_identity_length = own_identity((char *)config->gist.peer_identity);
        return;
    }
    config->gist.peer_identity_length = strlen(identity);
    memcpy(config->gist.peer_identity, identity, config->gist.peer_identity_length);
}

static enum log_level log_level_of(const char *name)
{
    enum log_level level = LOG_LEVEL_ERROR;
    while (strcmp(log_level_names[level], name) != 0)
        level++;
    return level;
}

static void take_values(cfg_t *cfg, struct config *config)
{
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        write_number(config, &numbers[i], cfg_getint(cfg, numbers[i].key));
    for (size_t i = 0; i < FLAG_COUNT; i++)
        *((bool *)config + flags[i].offset) = cfg_getbool(cfg, flags[i].key);
    take_roles(cfg, config);
    take_identity(cfg, config);
    const char *refresh = cfg_getstr(cfg, "refresh");
    config->refresh = strcmp(refresh, "in-place") == 0  ? CONFIG_REFRESH_IN_PLACE
                      : strcmp(refresh, "replace") == 0 ? CONFIG_REFRESH_REPLACE
                                                        : CONFIG_REFRESH_AUTO;
    const char *owner = cfg_getstr(cfg, "table_owner");
    config->ownership = strcmp(owner, "natfwd") == 0    ? CONFIG_OWNED
                        : strcmp(owner, "anybody") == 0 ? CONFIG_UNOWNED
                                                        : CONFIG_OWNED_AUTO;
    config->use_syslog = strcmp(cfg_getstr(cfg, "log"), "syslog") == 0;
    config->log_level = log_level_of(cfg_getstr(cfg, "log_level"));
    snprintf(config->control_socket, sizeof(config->control_socket), "%s",
        cfg_getstr(cfg, "control_socket"));
    snprintf(config->state_file, sizeof(config->state_file), "%s", cfg_getstr(cfg, "state_file"));
    snprintf(config->user, sizeof(config->user), "%s", cfg_getstr(cfg, "user"));
    snprintf(config->table, sizeof(config->table), "%s", cfg_getstr(cfg, "nft_table"));
}

/* What only shows when all keys are known. */
static bool check_whole(const struct config *config, FILE *errors)
{
    const char *fault = NULL;
    bool internal = false, external = false;
    for (size_t i = 0; i < config->interface_count; i++) {
        internal |= config->interfaces[i].side == CONFIG_SIDE_INTERNAL;
        external |= config->interfaces[i].side == CONFIG_SIDE_EXTERNAL;
    }
    if (!config->initiator && !config->natfw.forwarder && !config->natfw.responder)
        fault = "roles: none given; name initiator, forwarder or responder";
    else if (config->natfw.forwarder && !(internal && external))
        fault = "interface: a forwarder needs one on side internal and one on side external";
    else if (config->natfw.lifetime_min_s > config->natfw.lifetime_max_s)
        fault = "lifetime_min_s: above lifetime_max_s; lower it";
    else if (config->gist.query_timer_max_ms < config->gist.query_timer_ms)
        fault = "query_timer_max_ms: below query_timer_ms; raise it";
    if (fault)
        fprintf(errors, "%s: %s\n", config->path, fault);
    return !fault;
}

/* Returns what the caller frees, or NULL with errno set. A file with a NUL is no text. */
static char *read_whole(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    ssize_t length = getdelim(&text, &size, '\0', file);
    int error = ferror(file) ? errno : length > 0 && text[length - 1] == '\0' ? EILSEQ : 0;
    fclose(file);
    if (length >= 0 && error == 0)
        return text;
    free(text);
    errno = error;
    return error == 0 ? calloc(1, 1) : NULL;
}

static bool parse(cfg_t *cfg, struct config *config, const char *text, FILE *errors)
{
    if (cfg_parse_buf(cfg, text) != CFG_SUCCESS ||
        !config_text_is_closed(config->path, text, errors))
        return false;
    take_values(cfg, config);
    return config_take_sections(cfg, config, errors) && config_take_tls(cfg, config, errors) &&
           check_whole(config, errors);
}

struct config *config_read_text(const char *name, const char *text, FILE *errors)
{
    struct config *config = calloc(1, sizeof(*config));
    if (!config)
        return NULL;
    error_stream = errors;
    error_path = name;
    snprintf(config->path, sizeof(config->path), "%s", name);
    set_defaults(config);
    cfg_t *cfg = describe(config);
    char *plain = config_text_without_comments(text);
    if (!cfg || !plain || !parse(cfg, config, plain, errors)) {
        config_free(config);
        config = NULL;
    }
    free(plain);
    if (cfg)
        cfg_free(cfg);
    return config;
}

char *config_read_file(const char *path, FILE *errors)
{
    char *text = read_whole(path);
    if (!text)
        fprintf(errors, "%s: cannot be read: %s; give another file by -c\n", path, strerror(errno));
    return text;
}

struct config *config_read(const char *path, FILE *errors)
{
    char *text = config_read_file(path, errors);
    struct config *config = text ? config_read_text(path, text, errors) : NULL;
    free(text);
    return config;
}

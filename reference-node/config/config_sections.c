/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sections of natfwd.conf; see config_sections.h. */
#include "reference-node/config/config_sections.h"

#include "reference-node/base/text.h"
#include "reference-node/config/wildcards.h"

#include <stdlib.h>
#include <string.h>

cfg_opt_t config_interface_options[] = {
    CFG_STR("side", NULL, CFGF_NODEFAULT),
    CFG_BOOL("default_deny", cfg_true, CFGF_NONE),
    CFG_BOOL("one_armed", cfg_false, CFGF_NONE),
    CFG_END(),
};

static cfg_opt_t peer_options[] = {
    CFG_STR("side", "any", CFGF_NONE),
    CFG_STR("take_over", "none", CFGF_NONE),
    CFG_STR("answer", NULL, CFGF_NODEFAULT),
    CFG_END(),
};

static cfg_opt_t rule_options[] = {
    CFG_STR("side", "any", CFGF_NONE),
    CFG_STR("peer", "any", CFGF_NONE),
    CFG_STR("source", "any", CFGF_NONE),
    CFG_STR("destination", "any", CFGF_NONE),
    CFG_STR("protocol", "any", CFGF_NONE),
    CFG_STR("ports", "any", CFGF_NONE),
    CFG_BOOL("secure", cfg_false, CFGF_NONE),
    CFG_STR("identity", "", CFGF_NONE),
    CFG_STR_LIST("wildcards", NULL, CFGF_NONE),
    CFG_INT("lifetime_max_s", 0, CFGF_NONE),
    CFG_STR("answer", NULL, CFGF_NODEFAULT),
    CFG_END(),
};

cfg_opt_t config_policy_options[] = {
    CFG_STR("default_internal", "allow", CFGF_NONE),
    CFG_STR("default_external", "5/0x02", CFGF_NONE),
    CFG_SEC("peer", peer_options, CFGF_MULTI | CFGF_TITLE),
    CFG_SEC("rule", rule_options, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
    CFG_END(),
};

static const char *last_string(cfg_opt_t *opt)
{
    return cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
}

int config_check_word(cfg_t *cfg, cfg_opt_t *opt, const char *const *words)
{
    char choices[128] = "";
    const char *given = last_string(opt);
    for (const char *const *word = words; *word; word++) {
        if (strcmp(given, *word) == 0)
            return 0;
        size_t used = strlen(choices);
        snprintf(choices + used, sizeof(choices) - used, "%s%s", used > 0 ? ", " : "", *word);
    }
    cfg_error(cfg, "%s: unknown value \"%s\"; choose one of: %s", opt->name, given, choices);
    return -1;
}

bool config_keep_apart(cfg_opt_t *opt)
{
    unsigned count = cfg_opt_size(opt);
    cfg_t *section = cfg_opt_getnsec(opt, count - 1);
    size_t size = strlen(cfg_title(section)) + sizeof("\n4294967295");
    char *title = malloc(size);
    if (!title)
        return false;
    snprintf(title, size, "%s\n%u", cfg_title(section), count);
    free(section->title);
    section->title = title;
    return true;
}

void config_title_of(cfg_t *section, char *title, size_t size)
{
    size_t length = strcspn(cfg_title(section), "\n");
    snprintf(title, size, "%.*s", (int)length, cfg_title(section));
}

static int check_side(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"internal", "external", NULL});
}

static int check_any_side(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"any", "internal", "external", NULL});
}

static int check_take_over(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"none", "same-identity", "any", NULL});
}

static int check_interface(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    const char *name = cfg_title(section);
    if (name[0] == '\0' || strlen(name) >= IFNAMSIZ || strpbrk(name, "/\" \t")) {
        cfg_error(cfg, "interface: \"%s\" cannot be an interface; see ip link", name);
        return -1;
    }
    if (cfg_getstr(section, "side"))
        return 0;
    cfg_error(cfg, "side: missing in interface \"%s\"; give internal or external", name);
    return -1;
}

static int check_answer(cfg_t *cfg, cfg_opt_t *opt)
{
    enum natfw_code refusal;
    if (text_to_code(last_string(opt), &refusal))
        return 0;
    cfg_error(cfg, "%s: unknown answer \"%s\"; give allow, or CLASS/CODE as in 7/0x04", opt->name,
        last_string(opt));
    return -1;
}

bool config_read_prefix(const char *text, struct config_prefix *prefix)
{
    *prefix = (struct config_prefix){0};
    return strcmp(text, "any") == 0 || text_to_prefix(text, &prefix->address, &prefix->bits);
}

int config_check_prefix(cfg_t *cfg, cfg_opt_t *opt)
{
    struct config_prefix prefix;
    if (config_read_prefix(last_string(opt), &prefix))
        return 0;
    cfg_error(cfg, "%s: \"%s\" is no prefix; give any, or one as 192.0.2.0/24", opt->name,
        last_string(opt));
    return -1;
}

int config_check_path(cfg_t *cfg, cfg_opt_t *opt)
{
    const char *path = last_string(opt);
    if (path[0] == '\0' || (path[0] == '/' && strlen(path) < CONFIG_PATH_MAX))
        return 0;
    cfg_error(cfg, "%s: \"%s\" cannot be used; give an absolute path below %d octets, or \"\"",
        opt->name, path, CONFIG_PATH_MAX);
    return -1;
}

static int check_protocol(cfg_t *cfg, cfg_opt_t *opt)
{
    uint8_t protocol;
    const char *given = last_string(opt);
    if (strcmp(given, "any") == 0 || text_to_protocol(given, &protocol))
        return 0;
    cfg_error(cfg, "protocol: unknown \"%s\"; give any, udp, tcp or a number to 255", given);
    return -1;
}

static bool read_ports(const char *text, uint16_t *low, uint16_t *high)
{
    char copy[16];
    unsigned long first, last;
    *low = 0;
    *high = 65535;
    if (strcmp(text, "any") == 0)
        return true;
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return false;
    char *dash = strchr(copy, '-');
    if (dash)
        *dash = '\0';
    if (!text_to_number(copy, 0, 65535, &first) ||
        !text_to_number(dash ? dash + 1 : copy, first, 65535, &last))
        return false;
    *low = (uint16_t)first;
    *high = (uint16_t)last;
    return true;
}

static int check_ports(cfg_t *cfg, cfg_opt_t *opt)
{
    uint16_t low, high;
    if (read_ports(last_string(opt), &low, &high))
        return 0;
    cfg_error(cfg, "ports: \"%s\" is no range; give any, 5000 or 5000-5999", last_string(opt));
    return -1;
}

static int check_wildcards(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, wildcard_names);
}

static int check_identity(cfg_t *cfg, cfg_opt_t *opt)
{
    if (strlen(last_string(opt)) < CONFIG_IDENTITY_MAX)
        return 0;
    cfg_error(cfg, "identity: it is too long; give a name below %d octets", CONFIG_IDENTITY_MAX);
    return -1;
}

static int check_seconds(cfg_t *cfg, cfg_opt_t *opt)
{
    enum { YEAR_S = 31536000 };
    long value = cfg_opt_getnint(opt, 0);
    if (value >= 0 && value <= YEAR_S)
        return 0;
    cfg_error(cfg, "%s: %ld is out of range; give 0 to %d", opt->name, value, YEAR_S);
    return -1;
}

static int check_peer(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    struct config_prefix prefix;
    if (!config_read_prefix(cfg_title(section), &prefix)) {
        cfg_error(
            cfg, "peer: \"%s\" is no prefix; give any, or one as 192.0.2.0/24", cfg_title(section));
        return -1;
    }
    if (cfg_getstr(section, "answer"))
        return config_keep_apart(opt) ? 0 : -1;
    cfg_error(cfg, "answer: missing in peer \"%s\"; give allow or CLASS/CODE", cfg_title(section));
    return -1;
}

static int check_rule(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    if (cfg_getstr(section, "answer"))
        return 0;
    cfg_error(cfg, "answer: missing in rule \"%s\"; give allow or CLASS/CODE", cfg_title(section));
    return -1;
}

void config_check_sections(cfg_t *cfg)
{
    cfg_set_validate_func(cfg, "interface", check_interface);
    cfg_set_validate_func(cfg, "interface|side", check_side);
    cfg_set_validate_func(cfg, "policy|default_internal", check_answer);
    cfg_set_validate_func(cfg, "policy|default_external", check_answer);
    cfg_set_validate_func(cfg, "policy|peer", check_peer);
    cfg_set_validate_func(cfg, "policy|peer|side", check_any_side);
    cfg_set_validate_func(cfg, "policy|peer|take_over", check_take_over);
    cfg_set_validate_func(cfg, "policy|peer|answer", check_answer);
    cfg_set_validate_func(cfg, "policy|rule", check_rule);
    cfg_set_validate_func(cfg, "policy|rule|side", check_any_side);
    cfg_set_validate_func(cfg, "policy|rule|peer", config_check_prefix);
    cfg_set_validate_func(cfg, "policy|rule|source", config_check_prefix);
    cfg_set_validate_func(cfg, "policy|rule|destination", config_check_prefix);
    cfg_set_validate_func(cfg, "policy|rule|protocol", check_protocol);
    cfg_set_validate_func(cfg, "policy|rule|ports", check_ports);
    cfg_set_validate_func(cfg, "policy|rule|wildcards", check_wildcards);
    cfg_set_validate_func(cfg, "policy|rule|identity", check_identity);
    cfg_set_validate_func(cfg, "policy|rule|lifetime_max_s", check_seconds);
    cfg_set_validate_func(cfg, "policy|rule|answer", check_answer);
}

static enum config_side side_of(cfg_t *section)
{
    const char *side = cfg_getstr(section, "side");
    return strcmp(side, "internal") == 0   ? CONFIG_SIDE_INTERNAL
           : strcmp(side, "external") == 0 ? CONFIG_SIDE_EXTERNAL
                                           : CONFIG_SIDE_ANY;
}

static enum config_takeover takeover_of(cfg_t *section)
{
    const char *take_over = cfg_getstr(section, "take_over");
    return strcmp(take_over, "any") == 0             ? CONFIG_TAKES_ANY
           : strcmp(take_over, "same-identity") == 0 ? CONFIG_TAKES_SAME_IDENTITY
                                                     : CONFIG_TAKES_NONE;
}

static void take_interfaces(cfg_t *cfg, struct config *config)
{
    for (size_t i = 0; i < config->interface_count; i++) {
        cfg_t *section = cfg_getnsec(cfg, "interface", (unsigned)i);
        struct config_interface *interface = &config->interfaces[i];
        snprintf(interface->name, sizeof(interface->name), "%s", cfg_title(section));
        interface->side = side_of(section);
        interface->default_deny = cfg_getbool(section, "default_deny");
        interface->one_armed = cfg_getbool(section, "one_armed");
        interface->line = (unsigned)section->line;
    }
}

static void take_peers(cfg_t *section, struct config_policy *policy)
{
    for (size_t i = 0; i < policy->peer_count; i++) {
        cfg_t *from = cfg_getnsec(section, "peer", (unsigned)i);
        struct config_peer *peer = &policy->peers[i];
        char title[CONFIG_NAME_MAX];
        config_title_of(from, title, sizeof(title));
        config_read_prefix(title, &peer->prefix);
        peer->side = side_of(from);
        peer->take_over = takeover_of(from);
        text_to_code(cfg_getstr(from, "answer"), &peer->refusal);
    }
}

static void take_rules(cfg_t *section, struct config_policy *policy)
{
    for (size_t i = 0; i < policy->rule_count; i++) {
        cfg_t *from = cfg_getnsec(section, "rule", (unsigned)i);
        struct config_rule *rule = &policy->rules[i];
        uint8_t protocol;
        snprintf(rule->name, sizeof(rule->name), "%s", cfg_title(from));
        rule->side = side_of(from);
        config_read_prefix(cfg_getstr(from, "peer"), &rule->peer);
        config_read_prefix(cfg_getstr(from, "source"), &rule->source);
        config_read_prefix(cfg_getstr(from, "destination"), &rule->destination);
        rule->protocol = -1;
        if (text_to_protocol(cfg_getstr(from, "protocol"), &protocol))
            rule->protocol = protocol;
        read_ports(cfg_getstr(from, "ports"), &rule->port_low, &rule->port_high);
        rule->secure = cfg_getbool(from, "secure");
        snprintf(rule->identity, sizeof(rule->identity), "%s", cfg_getstr(from, "identity"));
        for (unsigned k = 0; k < cfg_size(from, "wildcards"); k++)
            rule->wildcards |= wildcard_named(cfg_getnstr(from, "wildcards", k));
        rule->lifetime_max_s = (uint32_t)cfg_getint(from, "lifetime_max_s");
        text_to_code(cfg_getstr(from, "answer"), &rule->refusal);
    }
}

bool config_take_sections(cfg_t *cfg, struct config *config, FILE *errors)
{
    cfg_t *policy = cfg_getsec(cfg, "policy");
    config->interface_count = cfg_size(cfg, "interface");
    config->policy.peer_count = cfg_size(policy, "peer");
    config->policy.rule_count = cfg_size(policy, "rule");
    config->interfaces = calloc(config->interface_count + 1, sizeof(*config->interfaces));
    config->policy.peers = calloc(config->policy.peer_count + 1, sizeof(*config->policy.peers));
    config->policy.rules = calloc(config->policy.rule_count + 1, sizeof(*config->policy.rules));
    if (!config->interfaces || !config->policy.peers || !config->policy.rules) {
        fprintf(errors, "%s:0: no memory\n", config->path);
        return false;
    }
    take_interfaces(cfg, config);
    take_peers(policy, &config->policy);
    take_rules(policy, &config->policy);
    text_to_code(cfg_getstr(policy, "default_internal"), &config->policy.default_internal);
    text_to_code(cfg_getstr(policy, "default_external"), &config->policy.default_external);
    return true;
}

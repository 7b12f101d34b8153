/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The section tls of natfwd.conf; see tls_section.h. */
#include "reference-node/config/tls_section.h"

#include "reference-node/config/config_sections.h"

#include <stdlib.h>
#include <string.h>

enum { SECURE_PORT = 30271, PORT_MAX = 65535 };

static cfg_opt_t authorised_options[] = {
    CFG_STR("namespace", "dns", CFGF_NONE),
    CFG_STR("address", "any", CFGF_NONE),
    CFG_STR("source", "any", CFGF_NONE),
    CFG_STR("destination", "any", CFGF_NONE),
    CFG_STR("answer", NULL, CFGF_NODEFAULT),
    CFG_END(),
};

cfg_opt_t config_tls_options[] = {
    CFG_INT("port", SECURE_PORT, CFGF_NONE),
    CFG_BOOL("required", cfg_false, CFGF_NONE),
    CFG_STR("certificate", "", CFGF_NONE),
    CFG_STR("key", "", CFGF_NONE),
    CFG_STR("authorities", "", CFGF_NONE),
    CFG_STR("revocations", "", CFGF_NONE),
    CFG_STR("shared_keys", "", CFGF_NONE),
    CFG_STR("key_log", "", CFGF_NONE),
    CFG_SEC("peer", authorised_options, CFGF_MULTI | CFGF_TITLE),
    CFG_END(),
};

static const char *const credential_keys[CONFIG_CREDENTIALS] = {
    [CONFIG_CERTIFICATE] = "certificate",
    [CONFIG_KEY] = "key",
    [CONFIG_AUTHORITIES] = "authorities",
    [CONFIG_REVOCATIONS] = "revocations",
    [CONFIG_SHARED_KEYS] = "shared_keys",
};

/* In the order of enum config_namespace. */
static const char *const namespaces[] = {"dns", "psk", "any", NULL};

static int check_port(cfg_t *cfg, cfg_opt_t *opt)
{
    long value = cfg_opt_getnint(opt, 0);
    if (value >= 0 && value <= PORT_MAX)
        return 0;
    cfg_error(cfg, "port: %ld is out of range; give 0 to %d", value, PORT_MAX);
    return -1;
}

static int check_namespace(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, namespaces);
}

static int check_answer(cfg_t *cfg, cfg_opt_t *opt)
{
    return config_check_word(cfg, opt, (const char *[]){"allow", "deny", NULL});
}

static int check_peer(cfg_t *cfg, cfg_opt_t *opt)
{
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    const char *identity = cfg_title(section);
    if (identity[0] == '\0' || strlen(identity) >= CONFIG_IDENTITY_MAX || strchr(identity, '\n')) {
        cfg_error(cfg,
            "peer: \"%s\" is no identity; give a name as fw.example.com, *.example.com "
            "or *",
            identity);
        return -1;
    }
    if (cfg_getstr(section, "answer"))
        return config_keep_apart(opt) ? 0 : -1;
    cfg_error(cfg, "answer: missing in peer \"%s\"; give allow or deny", identity);
    return -1;
}

void config_check_tls(cfg_t *cfg)
{
    cfg_set_validate_func(cfg, "tls|port", check_port);
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++) {
        char key[32];
        snprintf(key, sizeof(key), "tls|%s", credential_keys[i]);
        cfg_set_validate_func(cfg, key, config_check_path);
    }
    cfg_set_validate_func(cfg, "tls|key_log", config_check_path);
    cfg_set_validate_func(cfg, "tls|peer", check_peer);
    cfg_set_validate_func(cfg, "tls|peer|namespace", check_namespace);
    cfg_set_validate_func(cfg, "tls|peer|address", config_check_prefix);
    cfg_set_validate_func(cfg, "tls|peer|source", config_check_prefix);
    cfg_set_validate_func(cfg, "tls|peer|destination", config_check_prefix);
    cfg_set_validate_func(cfg, "tls|peer|answer", check_answer);
}

static void take_peer(cfg_t *from, struct config_authorised_peer *peer)
{
    config_title_of(from, peer->identity, sizeof(peer->identity));
    while (strcmp(namespaces[peer->namespace], cfg_getstr(from, "namespace")) != 0)
        peer->namespace ++;
    config_read_prefix(cfg_getstr(from, "address"), &peer->address);
    config_read_prefix(cfg_getstr(from, "source"), &peer->source);
    config_read_prefix(cfg_getstr(from, "destination"), &peer->destination);
    peer->is_allowed = strcmp(cfg_getstr(from, "answer"), "allow") == 0;
}

static bool has(const struct config_tls *tls, enum config_credential which)
{
    return tls->files[which][0] != '\0';
}

/* What is missing, or given for nothing. */
static const char *fault_of(const struct config_tls *tls)
{
    bool has_any = tls->is_required || tls->peer_count > 0 || tls->key_log[0] != '\0';
    for (enum config_credential which = 0; which < CONFIG_CREDENTIALS; which++)
        has_any |= has(tls, which);
    if (has_any && !tls->is_on)
        return "certificate: missing; name ours, or shared_keys";
    if (has(tls, CONFIG_CERTIFICATE) != has(tls, CONFIG_KEY))
        return "key: certificate and key go together; name both";
    if (has(tls, CONFIG_CERTIFICATE) && !has(tls, CONFIG_AUTHORITIES))
        return "authorities: missing; name who may have signed the certificates of peers";
    if (has(tls, CONFIG_REVOCATIONS) && !has(tls, CONFIG_AUTHORITIES))
        return "revocations: of no use without authorities; name those, too";
    if (tls->is_on && tls->peer_count == 0)
        return "peer: nobody is authorised; add a peer with answer = allow";
    return NULL;
}

static void apply(cfg_t *section, struct config *config)
{
    config->gist.secure_association_port =
        config->tls.is_on ? (uint16_t)cfg_getint(section, "port") : 0;
    config->gist.opens_secure = config->tls.is_on;
    config->gist.opens_plain = !config->tls.is_required;
    if (config->tls.is_required)
        config->gist.association_port = 0;
}

bool config_take_tls(cfg_t *cfg, struct config *config, FILE *errors)
{
    cfg_t *section = cfg_getsec(cfg, "tls");
    struct config_tls *tls = &config->tls;
    for (size_t i = 0; i < CONFIG_CREDENTIALS; i++)
        snprintf(tls->files[i], CONFIG_PATH_MAX, "%s", cfg_getstr(section, credential_keys[i]));
    snprintf(tls->key_log, CONFIG_PATH_MAX, "%s", cfg_getstr(section, "key_log"));
    tls->is_on = has(tls, CONFIG_CERTIFICATE) || has(tls, CONFIG_SHARED_KEYS);
    tls->is_required = cfg_getbool(section, "required");
    tls->peer_count = cfg_size(section, "peer");
    tls->peers = calloc(tls->peer_count + 1, sizeof(*tls->peers));
    if (!tls->peers) {
        fprintf(errors, "%s:0: no memory\n", config->path);
        return false;
    }
    for (size_t i = 0; i < tls->peer_count; i++)
        take_peer(cfg_getnsec(section, "peer", (unsigned)i), &tls->peers[i]);
    apply(section, config);
    const char *fault = fault_of(tls);
    if (fault)
        fprintf(errors, "%s: tls: %s\n", config->path, fault);
    else if (tls->is_on && config->gist.secure_association_port != 0 &&
             config->gist.secure_association_port == config->gist.association_port)
        fprintf(errors, "%s: tls: port: association_port has it; give another\n", config->path);
    else
        return true;
    return false;
}

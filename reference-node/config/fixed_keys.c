/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys that need a restart; see fixed_keys.h. */
#include "reference-node/config/fixed_keys.h"

#include <stddef.h>
#include <string.h>

#define FIELD(member) offsetof(struct config, member), sizeof(((struct config *)0)->member)

static const struct {
    const char *key;
    size_t offset;
    size_t size;
} fixed[] = {
    {"roles", FIELD(initiator)},
    {"roles", FIELD(natfw.forwarder)},
    {"roles", FIELD(natfw.responder)},
    {"peer_identity", FIELD(gist.peer_identity)},
    {"control_socket", FIELD(control_socket)},
    {"state_file", FIELD(state_file)},
    {"log", FIELD(use_syslog)},
    {"tls: required", FIELD(tls.is_required)},
    {"association_port", FIELD(gist.association_port)},
    {"tls: port", FIELD(gist.secure_association_port)},
    {"tls: key_log", FIELD(tls.key_log)},
    {"associations_max", FIELD(gist.associations_max)},
    {"nft_table", FIELD(table)},
    {"table_owner", FIELD(ownership)},
    {"refresh", FIELD(refresh)},
    {"mark", FIELD(mark)},
    {"route_table", FIELD(route_table)},
    {"drop_privileges", FIELD(drop_privileges)},
    {"user", FIELD(user)},
};

/* Texts are padded with zeros, for a configuration starts as zeros. */
bool config_fixed_keys_agree(
    const struct config *running, const struct config *wanted, FILE *errors)
{
    bool agree = true;
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        const char *before = (const char *)running + fixed[i].offset;
        if (memcmp(before, (const char *)wanted + fixed[i].offset, fixed[i].size) == 0)
            continue;
        fprintf(errors, "%s: %s: it has changed; restart natfwd for that\n", wanted->path,
            fixed[i].key);
        agree = false;
    }
    return agree;
}

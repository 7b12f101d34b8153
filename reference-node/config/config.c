/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is asked of a configuration; see config.h. */
#include "reference-node/config/config.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

void config_free(struct config *config)
{
    if (!config)
        return;
    free(config->interfaces);
    free(config->policy.peers);
    free(config->policy.rules);
    free(config);
}

bool config_check_interfaces(const struct config *config, FILE *errors)
{
    bool all_there = true;
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct config_interface *interface = &config->interfaces[i];
        if (if_nametoindex(interface->name) != 0)
            continue;
        fprintf(errors, "%s:%u: interface: there is no \"%s\"; create it, or name another\n",
            config->path, interface->line, interface->name);
        all_there = false;
    }
    return all_there;
}

const struct config_interface *config_interface_of(const struct config *config, uint32_t interface)
{
    char name[IFNAMSIZ];
    for (size_t i = 0; i < config->interface_count; i++)
        if (config->interfaces[i].index != 0 && config->interfaces[i].index == interface)
            return &config->interfaces[i];
    if (!if_indextoname(interface, name))
        return NULL;
    for (size_t i = 0; i < config->interface_count; i++)
        if (config->interfaces[i].index == 0 && strcmp(config->interfaces[i].name, name) == 0)
            return &config->interfaces[i];
    return NULL;
}

enum config_side config_side_of(const struct config *config, uint32_t interface)
{
    const struct config_interface *listed = config_interface_of(config, interface);
    return listed ? listed->side : CONFIG_SIDE_ANY;
}

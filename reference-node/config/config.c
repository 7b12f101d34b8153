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
    free(config->tls.peers);
    free(config);
}

uint8_t config_address_bits(const struct gist_address *address)
{
    return (uint8_t)(8 * gist_address_length(address->version));
}

bool config_prefix_matches(const struct config_prefix *prefix, const struct gist_address *address,
    uint8_t address_bits, bool refuses)
{
    if (prefix->address.version == 0)
        return true;
    if (address_bits < prefix->bits && !refuses)
        return false;
    return gist_address_matches(
        &prefix->address, address, address_bits < prefix->bits ? address_bits : prefix->bits);
}

static const struct config_interface *find_named(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->interface_count; i++)
        if (strcmp(config->interfaces[i].name, name) == 0)
            return &config->interfaces[i];
    return NULL;
}

bool config_check_interfaces(const struct config *config, const struct config *former, FILE *errors)
{
    bool all_there = true;
    for (size_t i = 0; i < config->interface_count; i++) {
        const struct config_interface *interface = &config->interfaces[i];
        if (if_nametoindex(interface->name) != 0 || find_named(former, interface->name))
            continue;
        fprintf(errors, "%s:%u: interface: there is no \"%s\"; create it, or name another\n",
            config->path, interface->line, interface->name);
        all_there = false;
    }
    return all_there;
}

/* Each message asks, and the kernel takes three calls to tell: it is asked last. */
static const char *name_of(const struct config *config, uint32_t interface, char name[IFNAMSIZ])
{
    const char *known = NULL;
    if (config->known)
        known = known_interfaces_name_now(config->known, interface);
    if (!known)
        known = if_indextoname(interface, name);
    if (!known && config->known)
        known = known_interfaces_name_of(config->known, interface);
    return known;
}

const struct config_interface *config_interface_of(const struct config *config, uint32_t interface)
{
    char name[IFNAMSIZ];
    for (size_t i = 0; i < config->interface_count; i++)
        if (config->interfaces[i].index != 0 && config->interfaces[i].index == interface)
            return &config->interfaces[i];
    const char *known = name_of(config, interface, name);
    const struct config_interface *named = known ? find_named(config, known) : NULL;
    return named && named->index == 0 ? named : NULL;
}

enum config_side config_side_of(const struct config *config, uint32_t interface)
{
    const struct config_interface *listed = config_interface_of(config, interface);
    return listed ? listed->side : CONFIG_SIDE_ANY;
}

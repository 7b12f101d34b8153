/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Setting up and taking down the kernel's part; see data_plane.h. */
#include "reference-node/netfilter/data_plane.h"

#include "reference-node/base/log.h"
#include "reference-node/netfilter/pinhole_class.h"
#include "reference-node/netfilter/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A host has rules only where it limits what comes in. */
static bool has_ruleset(const struct config *config)
{
    return config->natfw.forwarder || config->datagrams_in_per_second > 0;
}

static bool load_ruleset(struct data_plane *plane, FILE *errors)
{
    char *text = ruleset_text(plane->config);
    bool loaded = text && ruleset_load(text, errors);
    free(text);
    plane->kernel.batch =
        loaded ? nft_batch_create(plane->config->table, NFT_REFRESH_REPLACE) : NULL;
    plane->is_loaded = loaded;
    if (loaded && !plane->kernel.batch)
        fprintf(errors, "nftables: %s; run as root\n", strerror(errno));
    return plane->kernel.batch != NULL;
}

static bool choose_refresh(struct data_plane *plane, FILE *errors)
{
    static const char *const names[] = {"in place", "by replacing"};
    const struct pinhole_class *class = &pinhole_classes[0];
    if (plane->config->refresh == CONFIG_REFRESH_AUTO) {
        if (!nft_batch_probe_refresh(
                plane->kernel.batch, class->allow_set, pinhole_key_length(class))) {
            fprintf(errors, "nftables: set %s cannot be changed: %s\n", class->allow_set,
                strerror(errno));
            return false;
        }
    } else {
        nft_batch_destroy(plane->kernel.batch);
        plane->kernel.batch = nft_batch_create(plane->config->table,
            plane->config->refresh == CONFIG_REFRESH_IN_PLACE ? NFT_REFRESH_IN_PLACE
                                                              : NFT_REFRESH_REPLACE);
        if (!plane->kernel.batch)
            return false;
    }
    log_line(LOG_LEVEL_INFO, "table inet %s is loaded; elements are refreshed %s",
        plane->config->table, names[nft_batch_refresh(plane->kernel.batch)]);
    return true;
}

static void warn_without_forwarding(void)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_forward", "re");
    if (file && fgetc(file) == '0')
        log_line(LOG_LEVEL_WARNING,
            "this host forwards no IPv4: allow it by sysctl net.ipv4.ip_forward=1");
    if (file)
        fclose(file);
}

static bool start_forwarder(struct data_plane *plane, FILE *errors)
{
    if (!choose_refresh(plane, errors))
        return false;
    plane->kernel.conntrack = conntrack_create();
    if (!plane->kernel.conntrack) {
        fprintf(errors, "conntrack: %s; is nf_conntrack_netlink there?\n", strerror(errno));
        return false;
    }
    int error = policy_route_add(plane->routes, plane->config->mark, plane->config->route_table);
    if (error) {
        fprintf(errors, "policy route: %s; choose another mark or route_table\n", strerror(error));
        return false;
    }
    plane->filter = kernel_filter_seam(&plane->kernel);
    warn_without_forwarding();
    return true;
}

bool data_plane_open(struct data_plane *plane, const struct config *config, FILE *errors)
{
    *plane = (struct data_plane){.config = config, .routes = policy_route_create()};
    if (!plane->routes)
        fprintf(errors, "rtnetlink: %s\n", strerror(errno));
    return plane->routes;
}

bool data_plane_start(struct data_plane *plane, FILE *errors)
{
    if (!has_ruleset(plane->config))
        return true;
    if (!load_ruleset(plane, errors))
        return false;
    return !plane->config->natfw.forwarder || start_forwarder(plane, errors);
}

void data_plane_stop(struct data_plane *plane)
{
    if (plane->is_loaded && plane->kernel.batch && plane->config->remove_on_exit) {
        int error = nft_batch_delete_table(plane->kernel.batch);
        if (error)
            log_line(LOG_LEVEL_WARNING, "table inet %s stays: %s", plane->config->table,
                strerror(error));
        if (plane->config->natfw.forwarder)
            policy_route_remove(plane->routes, plane->config->mark, plane->config->route_table);
    }
    conntrack_destroy(plane->kernel.conntrack);
    nft_batch_destroy(plane->kernel.batch);
    policy_route_destroy(plane->routes);
}

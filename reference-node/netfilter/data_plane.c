/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting in and letting go of the kernel's part; see data_plane.h. */
#include "reference-node/netfilter/data_plane.h"

#include "reference-node/base/log.h"
#include "reference-node/netfilter/pinhole_class.h"
#include "reference-node/netfilter/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool put_table(struct data_plane *plane, const struct nft_ruleset *ruleset, FILE *errors)
{
    const struct config *config = plane->config;
    plane->ruleset = ruleset;
    plane->socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    plane->table =
        plane->socket ? nft_table_create(plane->socket, config->table, config->ownership) : NULL;
    plane->found = plane->table ? kernel_elements_read(plane->socket, config->table) : NULL;
    if (plane->found && nft_table_put(plane->table, ruleset) != NFT_PUT_FAILED)
        return true;
    fprintf(errors, "nftables: table inet %s cannot be put in: %s; %s\n", config->table,
        strerror(errno),
        errno == EPERM ? "stop the natfwd that owns it, or run as root"
                       : "check nft_table and table_owner");
    return false;
}

static bool create_batch(struct data_plane *plane, FILE *errors)
{
    static const char *const names[] = {"in place", "by replacing"};
    const struct config *config = plane->config;
    const struct pinhole_class *class = &pinhole_classes[0];
    struct nft_batch *batch = nft_batch_create(plane->socket, config->table,
        config->refresh == CONFIG_REFRESH_IN_PLACE ? NFT_REFRESH_IN_PLACE : NFT_REFRESH_REPLACE);
    plane->kernel.batch = batch;
    if (batch && config->refresh == CONFIG_REFRESH_AUTO &&
        !nft_batch_probe_refresh(batch, class->allow_set, pinhole_key_length(class))) {
        fprintf(
            errors, "nftables: set %s cannot be changed: %s\n", class->allow_set, strerror(errno));
        return false;
    }
    if (batch)
        log_line(LOG_LEVEL_INFO, "table inet %s is loaded%s; elements are refreshed %s",
            config->table, nft_table_is_owned(plane->table) ? ", nobody else can change it" : "",
            names[nft_batch_refresh(batch)]);
    return batch;
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
    if (!create_batch(plane, errors))
        return false;
    plane->kernel.conntrack = conntrack_create();
    if (!plane->kernel.conntrack) {
        fprintf(errors, "conntrack: %s; is nf_conntrack_netlink there?\n", strerror(errno));
        return false;
    }
    bool was_whole;
    int error = policy_route_put(
        plane->routes, plane->config->mark, plane->config->route_table, &was_whole);
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

bool data_plane_start(struct data_plane *plane, const struct nft_ruleset *ruleset, FILE *errors)
{
    if (!ruleset_is_needed(plane->config))
        return true;
    if (!put_table(plane, ruleset, errors))
        return false;
    return !plane->config->natfw.forwarder || start_forwarder(plane, errors);
}

void data_plane_forget_found(struct data_plane *plane)
{
    kernel_elements_free(plane->found);
    plane->found = NULL;
}

void data_plane_stop(struct data_plane *plane)
{
    data_plane_forget_found(plane);
    conntrack_destroy(plane->kernel.conntrack);
    nft_batch_destroy(plane->kernel.batch);
    nft_table_destroy(plane->table);
    nft_socket_close(plane->socket);
    policy_route_destroy(plane->routes);
}

static int take_out(struct nft_table *table, struct policy_route *routes)
{
    int error = nft_table_delete(table);
    if (error != EPERM)
        policy_route_remove(routes);
    return error;
}

int data_plane_take_out(struct data_plane *plane)
{
    return plane->table ? take_out(plane->table, plane->routes) : 0;
}

int data_plane_uninstall(const struct config *config)
{
    struct nft_socket *socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    struct nft_table *table =
        socket ? nft_table_create(socket, config->table, config->ownership) : NULL;
    struct policy_route *routes = table ? policy_route_create() : NULL;
    int error = routes ? take_out(table, routes) : errno;
    policy_route_destroy(routes);
    nft_table_destroy(table);
    nft_socket_close(socket);
    return error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a forwarder sets up in the kernel before it serves: ruleset, policy route, the handles that
 * pinholes work with. A host has none of it but the rules for its own signalling.
 */
#ifndef NATFWD_DATA_PLANE_H
#define NATFWD_DATA_PLANE_H

#include "reference-node/config/config.h"
#include "reference-node/netfilter/kernel_filter.h"
#include "reference-node/sockets/policy_route.h"

struct data_plane {
    const struct config *config;
    struct policy_route *routes;
    struct kernel_filter kernel; /* its parts are NULL at a host */
    struct packet_filter filter; /* of the kernel */
    bool is_loaded;
};

/* Opens what only looks; data_plane_start changes the kernel. Both return false after saying on
 * errors what failed; data_plane_stop is to be called in any case. */
bool data_plane_open(struct data_plane *plane, const struct config *config, FILE *errors);
bool data_plane_start(struct data_plane *plane, FILE *errors);

void data_plane_stop(struct data_plane *plane);

#endif

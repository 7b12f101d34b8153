/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a node has in the kernel while it serves, and after: table, policy route, and the handles
 * that pinholes work with. A host has none of it but the rules for its own signalling.
 *
 * The table is there before anything is served, and whatever ends the daemon, it stays: what was
 * closed stays closed. data_plane_uninstall takes it away, and nothing else does.
 */
#ifndef NATFWD_DATA_PLANE_H
#define NATFWD_DATA_PLANE_H

#include "reference-node/config/config.h"
#include "reference-node/netfilter/kernel_elements.h"
#include "reference-node/netfilter/kernel_filter.h"
#include "reference-node/netfilter/nft_table.h"
#include "reference-node/sockets/policy_route.h"

struct data_plane {
    const struct config *config;
    struct policy_route *routes;
    struct nft_socket *socket; /* this and the following are NULL where there are no rules */
    struct nft_table *table;
    const struct nft_ruleset *ruleset; /* what the table was put as */
    struct kernel_elements *found; /* in the kernel at the start, until data_plane_forget_found */
    struct kernel_filter kernel;   /* its parts are NULL at a host */
    struct packet_filter filter;   /* of the kernel */
};

/* Opens what only looks; data_plane_start changes the kernel. Both return false after saying on
 * errors what failed; data_plane_stop is to be called in any case. */
bool data_plane_open(struct data_plane *plane, const struct config *config, FILE *errors);
/* The ruleset is what loader.h made of the configuration. Pinholes that are in the kernel stay. */
bool data_plane_start(struct data_plane *plane, const struct nft_ruleset *ruleset, FILE *errors);

/* Whoever wants to know what was found has looked. */
void data_plane_forget_found(struct data_plane *plane);

/* Lets go of the kernel; nothing is taken out. */
void data_plane_stop(struct data_plane *plane);

/* Takes table and policy route out: from then on the machine forwards as if there had been no
 * natfwd. Returns 0 or an errno value; ENOENT: there was none, EPERM: a natfwd runs. */
int data_plane_uninstall(const struct config *config);
/* The same by the natfwd that runs. */
int data_plane_take_out(struct data_plane *plane);

#endif

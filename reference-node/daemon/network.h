/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What becomes of this node when the network around it changes. Interfaces go and come back under
 * another index, addresses and routes change, somebody takes our policy route away: it is looked at
 * again, at once where that is rare, and else once a second.
 */
#ifndef NATFWD_NETWORK_H
#define NATFWD_NETWORK_H

#include "reference-node/config/config.h"

#include <stdbool.h>

struct daemon;
struct network;

/* Begins to watch, for a daemon that has its sockets; it stays the caller's. Interfaces of the
 * configuration that are not there yet are told in the log and waited for. Returns NULL with errno
 * set. */
struct network *network_create(struct daemon *daemon);
void network_destroy(struct network *network);

/* Lets a configuration tell the interfaces that it lists also by the indexes that they had before,
 * for as long as the network is there. Returns false without memory. */
bool network_name_interfaces(struct network *network, struct config *config);

/* The policy route is no longer put back when it goes. */
void network_let_go(struct network *network);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The Peer-Identity of a node whose configuration names none: the same after each restart, and
 * hardly that of another node, though many hosts have the same name. RFC 5971 4.4.3.
 */
#ifndef NATFWD_OWN_IDENTITY_H
#define NATFWD_OWN_IDENTITY_H

#include "core/gist/node.h"

/* Writes the identity of this host. Returns its octets. */
size_t own_identity(char identity[GIST_PEER_IDENTITY_MAX]);

/* The same of a host with this name and machine-id(5), which does not show in it. */
size_t own_identity_of(
    char identity[GIST_PEER_IDENTITY_MAX], const char *host, const char *machine_id);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the core asks of the sockets: its transport seam. */
#ifndef NATFWD_OUTWARD_H
#define NATFWD_OUTWARD_H

#include "core/gist/transport.h"
#include "reference-node/config/config.h"

struct daemon;

struct gist_transport daemon_transport(struct daemon *daemon);
/* Whom TLS has authenticated, for the policy. */
struct config_identities daemon_identities(struct daemon *daemon);

#endif

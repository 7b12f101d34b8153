/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transport seam of a box: what natfwd does by sockets and routes. */
#ifndef NATFW_SHIM_BOX_TRANSPORT_H
#define NATFW_SHIM_BOX_TRANSPORT_H

#include "harness/shim/box_parts.h"

struct gist_transport box_transport(struct box *box);
/* Whom TLS has authenticated, for the policy. */
struct config_identities box_identities(struct box *box);

/* The interface towards a peer, or 0. */
uint32_t box_interface_to(const struct box *box, const struct gist_address *peer);

#endif

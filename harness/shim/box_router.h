/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What comes to the ports of a box: packets for itself, Queries that it intercepts, what it
 * forwards; and what happens to streams. As natfwd's ruleset and sockets have it. RFC 5971 5.3.2.
 */
#ifndef NATFW_SHIM_BOX_ROUTER_H
#define NATFW_SHIM_BOX_ROUTER_H

#include "harness/shim/box_parts.h"

/* As box_packet and box_stream of box.h. */
bool box_router_packet(struct box *box, uint8_t port, const uint8_t *octets, size_t length);
void box_router_stream(struct box *box, const struct stream_event *event);

#endif

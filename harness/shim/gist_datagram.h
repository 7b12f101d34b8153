/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the ruleset knows of GIST over UDP: its magic number and the C flag. RFC 5971 5.3.1, A.1. */
#ifndef NATFW_SHIM_GIST_DATAGRAM_H
#define NATFW_SHIM_GIST_DATAGRAM_H

#include "harness/shim/ipv4_packet.h"

/* UDP with the magic number, whatever its ports are. */
bool gist_datagram_is_one(const struct ipv4_packet *packet);

/* With the C flag: a node on the way may read it. */
bool gist_datagram_has_c_flag(const struct ipv4_packet *packet);

/* The packet begins its options with router alert, of any value. RFC 2113. */
bool gist_datagram_has_router_alert(const struct ipv4_packet *packet);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the sockets hand to the core: datagrams, connections, octets. */
#ifndef NATFWD_INWARD_H
#define NATFWD_INWARD_H

#include "reference-node/sockets/association_socket.h"
#include "reference-node/sockets/datagram_socket.h"

struct daemon;

struct datagram_listener daemon_datagrams(struct daemon *daemon);
struct association_listener daemon_associations(struct daemon *daemon);

#endif

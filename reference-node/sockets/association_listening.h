/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inbound connections of associations: private to the files association_*.c of this folder. */
#ifndef NATFWD_ASSOCIATION_LISTENING_H
#define NATFWD_ASSOCIATION_LISTENING_H

#include "reference-node/sockets/association_connection.h"

/* Listens on the ports that are not 0. Returns false with errno set. */
bool listening_start(
    struct association_socket *associations, const struct association_ports *ports);
void listening_stop(struct association_socket *associations);

#endif

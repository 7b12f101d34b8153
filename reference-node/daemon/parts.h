/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a daemon consists of: shared by the files of this folder, and by nobody else. */
#ifndef NATFWD_PARTS_H
#define NATFWD_PARTS_H

#include "reference-node/base/crypto_openssl.h"
#include "reference-node/control/commands.h"
#include "reference-node/daemon/loader.h"
#include "reference-node/daemon/owner.h"
#include "reference-node/journal/journal.h"
#include "reference-node/netfilter/guard.h"
#include "reference-node/sockets/association_socket.h"
#include "reference-node/sockets/datagram_socket.h"

struct daemon {
    struct event_base *base;
    struct daemon_owner owner;
    struct load *load;
    struct config *config; /* of the load */
    struct data_plane plane;
    struct pinholes *pinholes;
    struct network *network;
    struct guard *guard;     /* NULL: the kernel guards the table, or there is none */
    struct journal *journal; /* NULL: none is kept */
    struct crypto_openssl *crypto;
    struct query_sender *queries;
    struct datagram_socket *datagrams;
    struct association_socket *associations;
    struct config_identities identities;
    SSL_CTX *tls;  /* that of new associations, which hold it; NULL: none */
    FILE *key_log; /* NULL: none is kept */
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct commands *commands;
    struct control *control;
    struct event *commit;
    struct event *gist_tick;
    struct event *natfw_tick;
    struct event *trim;
    /* Of the datagram that is being received, for when it is sent on. */
    const struct query_header *current_header;
};

/* The timer of a core, at a time of its clock. */
void daemon_arm(struct event *timer, uint64_t deadline_ms);

#endif

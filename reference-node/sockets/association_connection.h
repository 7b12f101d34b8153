/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One TCP connection of a messaging association, and what all of them share: private to the files
 * association_*.c of this folder. */
#ifndef NATFWD_ASSOCIATION_CONNECTION_H
#define NATFWD_ASSOCIATION_CONNECTION_H

#include "reference-node/config/config.h"
#include "reference-node/sockets/association_listener.h"
#include "reference-node/sockets/handshakes.h"
#include "reference-node/sockets/turn_input.h"

#include <event2/bufferevent.h>
#include <openssl/ssl.h>
#include <uthash.h>

enum connection_stage {
    CONNECTION_NEW,     /* nobody has it but its maker */
    CONNECTION_OPENING, /* inbound, in the handshake of TLS: the core has not heard of it */
    CONNECTION_OPEN,    /* it has an id */
    CONNECTION_CLOSING  /* the core has let go of it: only output is left */
};

struct connection {
    struct association_socket *owner;
    gist_association_id id;
    enum connection_stage stage;
    evutil_socket_t descriptor; /* where there is no stream yet; else -1 */
    struct bufferevent *stream; /* NULL: its handshake has to wait for its turn */
    struct turn_waiter turn;    /* to be heard, after others were */
    struct event *patience;     /* to connect, and to send what is left; those of a bufferevent
                                   begin anew with each write */
    struct gist_endpoint peer;
    struct gist_share_holder handshake; /* in whose name it opens */
    bool is_secure;
    bool was_connected; /* its handshake is over, or was */
    bool is_paused;     /* the core does not want to hear it now */
    bool has_failed;    /* nothing can be sent any more */
    bool is_stranded;   /* it had no address of ours any more when that was looked at last */
    uint32_t doubt;     /* as its owner's when the interface towards the peer was last asked for */
    struct connection *next; /* of the list of its stage, where that has one */
    struct connection *prev;
    UT_hash_handle hh;
};

struct association_socket {
    struct event_base *base;
    struct association_listener listener;
    struct acceptor *acceptor;        /* of plain connections */
    struct acceptor *secure_acceptor; /* of those of TLS */
    SSL_CTX *tls;                     /* NULL: no TLS */
    const struct config_tls *tls_config;
    struct handshakes handshakes;
    struct association_counters counters;
    void (*begin)(struct connection *connection);  /* its turn to begin its handshake has come */
    void (*opened)(struct connection *connection); /* its handshake is over */
    struct connection *opening;                    /* a list, the oldest first */
    struct connection *connections;                /* by id */
    struct connection *closing;                    /* a list, the oldest first */
    size_t closing_count;
    size_t output_octets; /* of all */
    uint32_t doubt;       /* another one each time that the network has changed */
    struct turn_input turn_input;
    struct association_limits limits;
};

/* Takes the descriptor over, also when it fails; -1: there is none. Returns NULL without memory;
 * else a connection in no list or table. */
struct connection *connection_create(struct association_socket *associations,
    evutil_socket_t descriptor, const struct gist_endpoint *peer);
/* Begins to read and write, with TLS where ssl is not NULL, which it takes over, also when it
 * fails. Returns false without memory. */
bool connection_begin(struct connection *connection, SSL *ssl, int state);
/* Out of its list or table, and released; the core is not told. */
void connection_release(struct connection *connection);
/* What is asked of the kernel for a peer that has gone without a word. */
void connection_set_patience(evutil_socket_t descriptor, const struct association_limits *limits);
/* From now on the core knows it. */
void connection_keep(struct connection *connection, gist_association_id id);
/* What was written goes out for some seconds more. */
void connection_linger(struct connection *connection);

struct connection *connection_find(struct association_socket *associations, gist_association_id id);

/* What was written and has not gone out. */
size_t connection_waiting(const struct connection *connection);
uint32_t connection_interface(struct connection *connection);
/* Reads on, unless it pauses, or so much is there that has to be heard first. */
void connection_regulate(struct connection *connection);
/* Where it is one of TLS; else NULL. */
SSL *connection_tls(const struct connection *connection);
/* The peer has to do something within that time. */
void connection_expect_within(struct connection *connection, unsigned within_ms);
/* It failed, or the peer has ended it; the core is told unless it does not know of it. */
void connection_end(struct connection *connection);

#endif

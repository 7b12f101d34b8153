/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TCP connections of a node whose core is played by the test, and peers in a namespace. */
#ifndef NATFWD_TESTS_ASSOCIATION_BENCH_H
#define NATFWD_TESTS_ASSOCIATION_BENCH_H

#include "reference-node/sockets/association_socket.h"

#include <criterion/criterion.h>

enum {
    PORT = 30270,
    SECURE_PORT = 30271,
    FREE_PORT = 30272,
    CONNECTIONS_MAX = 4,
    TURNS_MAX = 500,
    TURN_MS = 10,
    ASSOCIATIONS_MAX = 200
};

struct node {
    struct association_limits limits;
    struct event_base *base;
    struct association_socket *associations;
    unsigned accepted, connected, closed;
    size_t received; /* octets */
    gist_association_id last;
    enum gist_stack last_stack;
    bool knows; /* each peer */
    bool authorises_nobody;
    bool pauses;       /* each association that it has heard something of, as the core may */
    bool pauses_other; /* of two associations, when it hears one */
    bool is_paused[ASSOCIATIONS_MAX];
};

/* In a namespace of its own: with limits that were changed in between, or those of default. */
void node_prepare(struct node *node);
void node_start_limited(struct node *node);
void node_start(struct node *node);
void node_turn(struct node *node);
void node_go_on(struct node *node); /* with all that pause */

#define TURN_UNTIL(node, condition)                                                                \
    for (unsigned turns_ = 0; !(condition); turns_++) {                                            \
        cr_assert(turns_ < TURNS_MAX, "never: %s", #condition);                                    \
        node_turn(node);                                                                           \
    }

int peer_connect(void); /* to the plain port */
int peer_connect_to(uint16_t port);
bool peer_has_ended(int peer);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * natfwd and natfwctl as a user runs them: a host, one firewall, another host, each in a namespace
 * of its own with a natfwd, and what a test asks of them.
 */
#ifndef NATFWD_TESTS_NETWORK_H
#define NATFWD_TESTS_NETWORK_H

#include "reference-node/tests/namespaces.h"

#include <jansson.h>
#include <sys/types.h>

enum { READY_MS = 10000, PATIENCE_MS = 5000, SILENCE_MS = 300, TEXT_MAX = 512 };

/* left, an initiator; middle, the firewall; right, a responder. */
struct network {
    struct path path;
    char directory[32]; /* holds NAME.conf, NAME.sock and NAME.log of each */
    pid_t daemons[3];
};

/* Starts all three, with these lines in the firewall's and the hosts' configuration. */
struct network network_start(const char *firewall_extra, const char *host_extra);
/* An orderly stop; each daemon must end with status 0. */
void network_stop(struct network *network);

/* Starts natfwd in its namespace and waits until it says that it is ready. */
pid_t start_daemon(const struct network *network, size_t which);

/* Runs natfwctl against a daemon; its reply as JSON and its exit status. */
json_t *control(const struct network *network, size_t which, const char *arguments, int *status);
/* The same, where it must succeed. */
json_t *control_ok(const struct network *network, size_t which, const char *arguments);
/* The id of the session in a reply. */
const char *session_of(const json_t *reply);
size_t sessions_at(const struct network *network, size_t which);

/* A socket at each end of the flow that OPEN names, or of one to another port. */
struct flow {
    int left;
    int right;
};
struct flow make_flow(const struct network *network, uint16_t port);
/* True when a datagram sent again and again from one end is heard at the other within the time. */
bool passes(int from, int to, int within_ms);

#define OPEN "open --from 192.0.2.2:4000 --to 198.51.100.2:5000 --protocol udp --timeout 20 "

#endif

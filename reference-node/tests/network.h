/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Three nodes as a user runs them, each in a namespace of its own: a host, one firewall, another
 * host; and flows between the hosts.
 */
#ifndef NATFWD_TESTS_NETWORK_H
#define NATFWD_TESTS_NETWORK_H

#include "reference-node/tests/namespaces.h"

#include <jansson.h>
#include <sys/types.h>

enum { PATIENCE_MS = 20000, SILENCE_MS = 300, TEXT_MAX = 512 };

/* What is looked at again and again leaves the processor to others in between; the test fails, and
 * says what it waits for, when that has not come by PATIENCE_MS after start_ms. */
void wait_a_turn(uint64_t start_ms, const char *what);

enum node { LEFT, MIDDLE, RIGHT, NODE_COUNT };
extern const char *const node_names[NODE_COUNT];

struct network {
    struct path path;
    char directory[32]; /* NAME.conf, NAME.sock and NAME.log of each node */
    pid_t daemons[NODE_COUNT];
    int undertaker; /* who ends them when the test fails */
};

/* The first is added to the firewall's configuration, the other to those of the hosts. */
struct network network_start(const char *firewall_extra, const char *host_extra);
/* An orderly stop; each daemon that runs must end with status 0. */
void network_stop(struct network *network);

/* Replaces a node's configuration, keys that all have excepted. */
void write_config(const struct network *network, enum node which, const char *extra);
/* The firewall's: roles and interfaces, and what is added. */
void write_firewall_config(const struct network *network, const char *extra);

/* Starts natfwd in its namespace and waits until it says that it is ready. */
void start_daemon(struct network *network, enum node which);
/* Waits until it has ended; returns what waitpid tells. */
int wait_for_daemon(struct network *network, enum node which);
/* Ends it by a signal, and the same. */
int end_daemon(struct network *network, enum node which, int signal_number);

/* Runs natfwctl against a daemon; its reply as JSON and its exit status. */
json_t *control(const struct network *network, enum node which, const char *arguments, int *status);
json_t *control_ok(const struct network *network, enum node which, const char *arguments);
const char *session_of(const json_t *reply);
/* What it shows of this session. */
json_int_t number_shown(
    const struct network *network, enum node which, const json_t *opened, const char *member);
size_t sessions_at(const struct network *network, enum node which);
void wait_until_no_session_at(const struct network *network, enum node which);

/* The daemon has written this to its log, or does so within a while. */
void require_logged(const struct network *network, enum node which, const char *text);

/* UDP from port - 1000 on the left to port on the right. */
struct flow {
    int left;
    int right;
};
struct flow make_flow(const struct network *network, uint16_t port);

int udp_socket(
    int where, const char *local, uint16_t port, const char *remote, uint16_t remote_port);

/* True when a datagram sent again and again from one end is heard at the other within the time. */
bool passes(int from, int to, int within_ms);
/* From left to right. */
void expect_open_until(const struct flow *flow, uint64_t until_ms);
void wait_until_closed(const struct flow *flow);

#define OPEN "open --from 192.0.2.2:4000 --to 198.51.100.2:5000 --protocol udp --timeout 20 "

#endif

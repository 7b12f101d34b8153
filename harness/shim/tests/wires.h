/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single packets through a router in a real kernel: sent on one side, seen on the other or not. */
#ifndef NATFW_SHIM_TESTS_WIRES_H
#define NATFW_SHIM_TESTS_WIRES_H

#include "reference-node/tests/namespaces.h"

enum wire_side { LEFT, RIGHT };

/* The hosts 10 to 19 of each side's network are nobody: what is sent to them is seen, and not
 * answered. Host 9 of each is for what must always pass. */
enum { FIRST_HOST = 10, HOSTS_OF_A_SIDE = 10, CONTROL_HOST = 9 };

struct wires {
    struct path path;
    int sender[2]; /* by side: raw sockets that take whole packets */
    int tap[2];    /* by side: all IPv4 packets that arrive */
    uint16_t last_id;
};

/* Makes the path and keeps this process on one processor, so that packets stay in their order.
 * Leaves it in the middle. */
struct wires wires_open(void);

uint32_t wires_host(enum wire_side side, unsigned host);

/* Sends an IPv4 packet, and after it one that the router has to let pass, between the hosts 9 in
 * protocol 253. Returns whether the first arrived; octets get its identification. */
bool wires_carry(struct wires *wires, enum wire_side from, uint8_t *octets, size_t length);

#endif

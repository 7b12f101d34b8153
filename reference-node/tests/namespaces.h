/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network namespaces for tests: each test makes its own and takes them along when it ends. */
#ifndef NATFWD_TESTS_NAMESPACES_H
#define NATFWD_TESTS_NAMESPACES_H

#include "reference-node/config/config.h"

/* Moves this process into a new, empty namespace with lo up; fails the test without root. Returns a
 * descriptor of it. */
int namespace_enter_new(void);

/* Moves this process into a namespace that namespace_enter_new made. */
void namespace_enter(int descriptor);

/* Runs a shell command; it must succeed. */
void run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The standard output of a shell command that must succeed; to be freed. */
char *output_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* left (192.0.2.2) -- middle, a router (192.0.2.1, 198.51.100.1) -- right (198.51.100.2). The
 * router's interfaces are "inside" and "outside". Leaves the process in middle. */
struct path {
    int left;
    int middle;
    int right;
};
struct path path_make(void);
/* Makes one of its wires again, after that has been deleted, with its addresses and routes. */
void path_connect_left(const struct path *path);
void path_connect_right(const struct path *path);

/* What a firewall on the middle of a path is configured as. */
struct config path_firewall_config(void);

/* Of the set of pinholes in the table natfw, in this namespace. */
size_t count_elements(void);

#endif

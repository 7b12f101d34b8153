/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What became of the interfaces that the configuration names. One that is made again under its name
 * has another index, and sessions remember their peers by the index of before.
 */
#ifndef NATFWD_KNOWN_INTERFACES_H
#define NATFWD_KNOWN_INTERFACES_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KNOWN_INDEXES_MAX = 32 }; /* of an interface; older ones are forgotten */

struct known_interface {
    char name[IFNAMSIZ];
    bool is_there;
    bool is_up;
    uint32_t indexes[KNOWN_INDEXES_MAX]; /* the newest first, 0 behind the last */
};

struct known_interfaces {
    struct known_interface *each;
    size_t count;
};

/* Knows this name from now on, and its index if it is there: if it goes before anybody looks again,
 * that is all that tells whose the index was. Returns false without memory. */
bool known_interfaces_add(struct known_interfaces *known, const char *name);
void known_interfaces_free(struct known_interfaces *known);

/* Looks at one of them again. Returns true when it is not as it was. */
bool known_interface_look(struct known_interface *interface);

/* The name that an index stands for, of what was there when they were looked at; else NULL. */
const char *known_interfaces_name_now(const struct known_interfaces *known, uint32_t index);

/* The name that an index stood for last; NULL when it is not known. */
const char *known_interfaces_name_of(const struct known_interfaces *known, uint32_t index);

#endif

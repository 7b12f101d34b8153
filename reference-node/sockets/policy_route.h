/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Questions to the kernel's routing, and the policy route that brings intercepted packets in:
 * what carries our mark is delivered here, whatever its destination.
 */
#ifndef NATFWD_POLICY_ROUTE_H
#define NATFWD_POLICY_ROUTE_H

#include "core/gist/address.h"

struct policy_route;

/* Returns NULL with errno set. */
struct policy_route *policy_route_create(void);
void policy_route_destroy(struct policy_route *routes);

/* Adds the rule and the route; both may be there already. Returns 0 or an errno value. */
int policy_route_add(struct policy_route *routes, uint32_t mark, uint32_t table);
/* Takes both away again. */
void policy_route_remove(struct policy_route *routes, uint32_t mark, uint32_t table);

struct policy_route_answer {
    struct gist_address source; /* our address towards the destination */
    uint32_t interface;
    bool is_local; /* the destination is ours */
};

/* IPv4 only. Returns false with errno set when there is no route. */
bool policy_route_lookup(struct policy_route *routes, const struct gist_address *destination,
    struct policy_route_answer *answer);

#endif

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

/* "proto" of rules and routes that natfwd has made, by which it knows its own again: none of those
 * that iproute2, routing daemons and distributions use. */
enum { POLICY_ROUTE_PROTOCOL = 174 };

/* Puts the rule and the route in where they are not, and takes away those that an earlier natfwd
 * left, with another mark or table. Others' rules stay as they are, whatever they say. Returns 0 or
 * an errno value; was_whole: both were there. */
int policy_route_put(struct policy_route *routes, uint32_t mark, uint32_t table, bool *was_whole);
/* Takes away all rules and routes that any natfwd has made. */
void policy_route_remove(struct policy_route *routes);

struct policy_route_answer {
    struct gist_address source;   /* our address towards the destination */
    struct gist_address next_hop; /* the router's; version 0: there is none on the way */
    uint32_t interface;
    bool is_local; /* the destination is ours */
};

/* IPv4 only. Returns false with errno set when there is no route. An answer holds for the rest of
 * its millisecond, unless it is forgotten: whoever hears that the network has changed says so. */
bool policy_route_lookup(struct policy_route *routes, const struct gist_address *destination,
    struct policy_route_answer *answer);
void policy_route_forget(struct policy_route *routes);

#endif

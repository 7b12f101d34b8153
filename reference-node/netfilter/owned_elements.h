/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which sessions own which element, and until when. An element has the latest timeout of its owners
 * and goes with the last of them (ruling A105). What the kernel has otherwise than its owners want
 * is due, and stands in line for the next commits.
 */
#ifndef NATFWD_OWNED_ELEMENTS_H
#define NATFWD_OWNED_ELEMENTS_H

#include "core/natfw/middlebox.h"
#include "reference-node/netfilter/pinhole_class.h"

#include <uthash.h>

#define OWNED_ELEMENT_UNKNOWN UINT64_MAX

struct element_owner {
    struct gist_session_id session;
    uint64_t expires_ms; /* 0: set aside, not installed */
    struct element_owner *next;
};

struct owned_element {
    struct pinhole_element_key key;
    size_t key_length;
    struct conntrack_flow flow; /* of one port only */
    struct element_owner *owners;
    size_t owner_count;
    uint64_t
        installed_ms; /* expiry that the kernel knows; 0: not there, or OWNED_ELEMENT_UNKNOWN */
    int error;        /* of the latest commit */
    bool is_due;
    uint64_t operation; /* that has made it due */
    struct owned_element *previous_due;
    struct owned_element *next_due;
    UT_hash_handle hh;
};

struct owned_elements {
    struct owned_element *all;
    struct owned_element *due; /* a line: who waits longest is first */
    size_t count_max;
    uint64_t operation; /* raised for each change; what one makes due is committed together */
};

/* The elements of one operation at the most: two ports instead of two others. */
enum { OWNED_ELEMENTS_OF_OPERATION = 4 };

void owned_elements_release(struct owned_elements *elements);
size_t owned_elements_count(const struct owned_elements *elements);

/* NULL when there is none. */
struct owned_element *owned_elements_find(
    const struct owned_elements *elements, const struct pinhole_element_key *key);
/* NULL when the session is none of its owners. */
struct element_owner *owned_element_owner(
    const struct owned_element *element, const struct gist_session_id *session);
/* The latest of its owners'; 0 where none has it installed. */
uint64_t owned_element_expires_ms(const struct owned_element *element);

/* Makes the session an owner of the rule's element for one port, set aside at first. */
enum natfw_middlebox_result owned_elements_own(struct owned_elements *elements,
    const struct gist_session_id *session, const struct natfw_policy_rule *rule,
    const struct pinhole_class *class, uint8_t port, struct owned_element **element);
/* What no longer has an owner goes: when it is committed if the kernel has it, else now. */
void owned_elements_disown(struct owned_elements *elements, struct owned_element *element,
    const struct gist_session_id *session);

/* Puts it at the end of the line. */
void owned_elements_make_due(struct owned_elements *elements, struct owned_element *element);
/* Takes the first of the line out of it, with all that its operation has made due, up to room of
 * them. Returns how many. */
size_t owned_elements_take_due(
    struct owned_elements *elements, struct owned_element **taken, size_t room);
/* After its commit: without owners and without a place in the kernel it is of no use. */
void owned_elements_settle(struct owned_elements *elements, struct owned_element *element);

#endif

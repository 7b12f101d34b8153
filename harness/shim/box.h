/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A box: the core with its seams filled by a model of a host or router, in the time that others
 * tell.
 *
 * It is what natfwd is on a machine: the same configuration, the same policy, the same owners of
 * pinholes; ports, packets and streams come from outside, and the packet filter is a model. Nothing
 * happens in it but within these calls.
 */
#ifndef NATFW_SHIM_BOX_H
#define NATFW_SHIM_BOX_H

#include "harness/shim/box_output.h"
#include "harness/shim/ports.h"
#include "harness/shim/triggers.h"

#include <stdio.h>

#define BOX_NEVER UINT64_MAX

struct box_description {
    struct ports ports;
    const char *configuration; /* the text of a natfwd.conf; needed by box_create only */
    uint64_t seed;             /* of its random octets */
};

/* A box that is up from this time on. The description is copied; output is too, its context stays
 * the caller's. Returns NULL after saying on errors what is wrong, and what to do. */
struct box *box_create(const struct box_description *description, const struct box_output *output,
    uint64_t now_us, FILE *errors);
/* NULL is allowed. */
void box_destroy(struct box *box);

/* What happens from now on happens at this time, which never goes back. */
void box_set_time(struct box *box, uint64_t now_us);

/* A whole IP packet reaches a port; any octets are allowed. Returns false where there is no such
 * port. */
bool box_packet(struct box *box, uint8_t port, const uint8_t *octets, size_t length);

/* What happens to a stream. What does not fit what the box knows of it is ignored. */
void box_stream(struct box *box, const struct stream_event *event);

void box_trigger(struct box *box, const struct trigger *trigger);

/* The box ends and comes up at once with what it keeps: nothing, for natfwd keeps no sessions. An
 * orderly stop and a crash leave the same. Returns false as box_create does. */
bool box_restart(struct box *box, FILE *errors);

/* Does all that is due at this time. Returns when the next is: not before now; BOX_NEVER. */
uint64_t box_settle(struct box *box);

#endif

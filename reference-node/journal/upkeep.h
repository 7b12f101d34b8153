/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The journal in step with the sessions of a node: what it restores at the start, and what it notes
 * while they live. */
#ifndef NATFWD_UPKEEP_H
#define NATFWD_UPKEEP_H

#include "reference-node/journal/journal.h"
#include "reference-node/netfilter/kernel_elements.h"

/* Restores what the journal found; the others leave it. A forwarder's session counts only while its
 * pinhole is in the kernel, and no longer than that. elements is NULL where there are none. */
void upkeep_restore(
    struct journal *journal, struct natfw_node *node, const struct kernel_elements *elements);

/* Something has happened to this session. */
void upkeep_note(
    struct journal *journal, const struct natfw_node *node, const struct gist_session_id *id);

struct record_time upkeep_time(void);

#endif

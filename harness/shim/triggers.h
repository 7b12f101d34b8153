/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Operations that the runner asks of a box as its user would: "open" and "close". What natfwctl
 * does at natfwd. docs/shim-protocol.md, Triggers. */
#ifndef NATFW_SHIM_TRIGGERS_H
#define NATFW_SHIM_TRIGGERS_H

#include "core/natfw/node.h"
#include "harness/shim/box_output.h"

enum { TRIGGER_FIELDS_MAX = 32 };

enum trigger_status { TRIGGER_DONE = 0, TRIGGER_REFUSED = 1, TRIGGER_USAGE = 2 };

struct trigger {
    uint32_t number;
    const char *operation;
    struct trigger_field {
        const char *key;
        const char *value;
    } fields[TRIGGER_FIELDS_MAX];
    size_t field_count;
};

struct triggers;

/* Returns NULL without memory. output stays the caller's. */
struct triggers *triggers_create(const struct box_output *output);
void triggers_destroy(struct triggers *triggers);

/* Does what is asked; it is answered at once, or by triggers_session_event. */
void triggers_run(struct triggers *triggers, struct natfw_node *node, bool is_initiator,
    uint64_t now_ms, const struct trigger *trigger);

/* Answers who waits for this. A NOTIFY answers nobody, unless it has ended the session. */
void triggers_session_event(
    struct triggers *triggers, const struct natfw_node *node, const struct natfw_event *event);

/* Answers all who still wait: the box ends. */
void triggers_give_up(struct triggers *triggers);

#endif

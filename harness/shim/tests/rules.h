/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules and packets of a small world, drawn from a seed: few enough that they meet. */
#ifndef NATFW_SHIM_TESTS_RULES_H
#define NATFW_SHIM_TESTS_RULES_H

#include "core/natfw/policy_rule.h"
#include "harness/shim/tests/packets.h"
#include "harness/shim/tests/wires.h"

struct draw {
    uint64_t state; /* above 0 */
};

/* A number below bound. */
unsigned draw_below(struct draw *draw, unsigned bound);
bool draw_percent(struct draw *draw, unsigned percent);

/* One rule in thirty is such as the filter has no class for. */
struct natfw_policy_rule draw_rule(struct draw *draw);

struct drawn_packet {
    struct packet packet;
    enum wire_side from;
    char text[160];
};

/* A packet that has to do with this rule, mostly: of its flow, of an answer, or an ICMP error about
 * either. */
struct drawn_packet draw_packet(struct draw *draw, const struct natfw_policy_rule *rule);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection tracking as far as a firewall's verdicts see it: in which direction of which
 * connection a packet travels, and of which one an ICMP error tells. A model of the kernel's, whose
 * rules it follows: a connection is kept once its first packet has passed, and forgotten after a
 * silence.
 */
#ifndef NATFW_SHIM_FLOW_TRACKER_H
#define NATFW_SHIM_FLOW_TRACKER_H

#include "harness/shim/ipv4_packet.h"
#include "reference-node/netfilter/packet_filter.h"

enum { FLOWS_MAX = 65536 };

enum flow_direction {
    FLOW_INVALID,  /* of no connection, and begins none */
    FLOW_ORIGINAL, /* or the first packet of a new one */
    FLOW_REPLY,
    FLOW_QUOTED /* an ICMP error about a packet of the connection */
};

/* A connection as its first packet had it. Of ICMP, the ports are the identifier and the type. */
struct flow_tuple {
    struct gist_address source;
    struct gist_address destination;
    uint8_t protocol;
    uint16_t source_port;
    uint16_t destination_port;
};

struct flow_tracker;

/* Returns NULL without memory. */
struct flow_tracker *flow_tracker_create(void);
void flow_tracker_destroy(struct flow_tracker *tracker);

/* Where the packet belongs; original is set unless it is invalid. */
enum flow_direction flow_tracker_classify(struct flow_tracker *tracker, uint64_t now_us,
    const struct ipv4_packet *packet, struct flow_tuple *original);

/* The packet has passed: its connection is kept. Without room it is not. */
void flow_tracker_passed(struct flow_tracker *tracker, uint64_t now_us,
    const struct flow_tuple *original, enum flow_direction direction);

/* Forgets the connections of a flow. */
void flow_tracker_forget(struct flow_tracker *tracker, const struct conntrack_flow *flow);

size_t flow_tracker_count(const struct flow_tracker *tracker);

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small world of two hosts a side and a few ports; see rules.h. */
#include "harness/shim/tests/rules.h"

#include <stdio.h>

enum { HOSTS = 2, SOURCE_PORT = 4000, SOURCE_PORTS = 2, PORT = 5000, PORTS = 3 };
enum { TCP_SYN = 2, TCP_ACK = 16 };

static const uint8_t protocols[] = {
    PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_ICMP, PROTOCOL_NOBODYS};

/* xorshift64* */
unsigned draw_below(struct draw *draw, unsigned bound)
{
    draw->state ^= draw->state >> 12;
    draw->state ^= draw->state << 25;
    draw->state ^= draw->state >> 27;
    return (unsigned)((draw->state * UINT64_C(2685821657736338717) >> 33) % bound);
}

bool draw_percent(struct draw *draw, unsigned percent)
{
    return draw_below(draw, 100) < percent;
}

static uint32_t draw_host(struct draw *draw, enum wire_side side)
{
    return wires_host(side, FIRST_HOST + draw_below(draw, HOSTS));
}

static bool is_of_ports(uint8_t protocol)
{
    return protocol == PROTOCOL_UDP || protocol == PROTOCOL_TCP;
}

struct natfw_policy_rule draw_rule(struct draw *draw)
{
    enum wire_side from = draw_percent(draw, 75) ? LEFT : RIGHT;
    struct natfw_policy_rule rule = {.action = draw_percent(draw, 80) ? NATFW_ALLOW : NATFW_DENY};
    struct gist_mri *flow = &rule.flow;
    flow->source = gist_address_v4(draw_host(draw, from));
    flow->destination = gist_address_v4(draw_host(draw, from == LEFT ? RIGHT : LEFT));
    flow->source_prefix = draw_percent(draw, 75) ? 32 : 0;
    flow->destination_prefix = 32;
    flow->has_protocol = draw_percent(draw, 90);
    flow->protocol = flow->has_protocol ? protocols[draw_below(draw, sizeof(protocols))] : 0;
    if (is_of_ports(flow->protocol)) {
        flow->has_source_port = draw_percent(draw, 60);
        flow->has_destination_port = draw_percent(draw, 80);
        flow->source_port = (uint16_t)(SOURCE_PORT + draw_below(draw, SOURCE_PORTS));
        flow->destination_port = (uint16_t)(PORT + draw_below(draw, PORTS));
        rule.sub_ports = flow->has_destination_port && draw_percent(draw, 25);
    }
    if (draw_below(draw, 30) == 0)
        flow->destination_prefix = 24;
    return rule;
}

/* A flow as its first packet has it. */
struct flow {
    uint32_t source;
    uint32_t destination;
    uint8_t protocol;
    uint16_t source_port;
    uint16_t destination_port;
    enum wire_side from;
};

static enum wire_side side_of(uint32_t address)
{
    return address >> 8 == wires_host(LEFT, 0) >> 8 ? LEFT : RIGHT;
}

static uint32_t number_of(const struct gist_address *address)
{
    return (uint32_t)address->octets[0] << 24 | (uint32_t)address->octets[1] << 16 |
           (uint32_t)address->octets[2] << 8 | address->octets[3];
}

static struct flow draw_flow(struct draw *draw, const struct natfw_policy_rule *rule)
{
    const struct gist_mri *wanted = &rule->flow;
    struct flow flow = {.source = number_of(&wanted->source),
        .destination = number_of(&wanted->destination),
        .protocol = wanted->has_protocol ? wanted->protocol
                                         : protocols[draw_below(draw, sizeof(protocols))],
        .source_port = (uint16_t)(SOURCE_PORT + draw_below(draw, SOURCE_PORTS)),
        .destination_port = (uint16_t)(PORT + draw_below(draw, PORTS))};
    flow.from = side_of(flow.source);
    if (wanted->source_prefix == 0)
        flow.source = draw_host(draw, flow.from);
    if (wanted->has_source_port)
        flow.source_port = wanted->source_port;
    if (wanted->has_destination_port)
        flow.destination_port =
            (uint16_t)(wanted->destination_port + draw_below(draw, 1u + rule->sub_ports));
    return flow;
}

/* Flows of TCP from the first source port begin with a SYN. Those from the second were there
 * before the router was, so that it sees neither SYN nor FIN. */
static struct packet packet_in(const struct flow *flow, bool is_reply)
{
    struct packet packet;
    if (!is_reply)
        packet = packet_of(flow->protocol, flow->source, flow->source_port, flow->destination,
            flow->destination_port);
    else if (flow->protocol == PROTOCOL_ICMP) /* the identifier stays */
        packet = packet_of(flow->protocol, flow->destination, flow->source_port, flow->source, 0);
    else
        packet = packet_of(flow->protocol, flow->destination, flow->destination_port, flow->source,
            flow->source_port);
    if (flow->protocol == PROTOCOL_ICMP && is_reply)
        packet_set_icmp_type(&packet, 0);
    if (flow->protocol == PROTOCOL_TCP && flow->source_port != SOURCE_PORT)
        packet_set_tcp_flags(&packet, TCP_ACK);
    else if (flow->protocol == PROTOCOL_TCP && is_reply)
        packet_set_tcp_flags(&packet, TCP_SYN | TCP_ACK);
    return packet;
}

struct drawn_packet draw_packet(struct draw *draw, const struct natfw_policy_rule *rule)
{
    struct natfw_policy_rule other = draw_rule(draw);
    struct flow flow = draw_flow(draw, draw_percent(draw, 85) ? rule : &other);
    bool is_reply = draw_percent(draw, 45);
    bool is_error = draw_percent(draw, 15);
    struct drawn_packet drawn = {.packet = packet_in(&flow, is_reply), .from = flow.from};
    if (is_reply != is_error)
        drawn.from = flow.from == LEFT ? RIGHT : LEFT;
    if (is_error)
        drawn.packet = packet_quoting(&drawn.packet, is_reply ? flow.source : flow.destination);
    snprintf(drawn.text, sizeof(drawn.text), "%s%s of protocol %u, %08x:%u to %08x:%u",
        is_error ? "an error about " : "", is_reply ? "the reply" : "the original", flow.protocol,
        flow.source, flow.source_port, flow.destination, flow.destination_port);
    return drawn;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections by the tuples of both their directions; see flow_tracker.h. */
#include "harness/shim/flow_tracker.h"

#include "core/wire/reader.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { ICMP_HEADER = 8 };
enum { TCP_FLAGS_AT = 13, TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };

#define SECONDS(n) ((uint64_t)(n)*1000000)

/* Without padding that could differ, for it is hashed whole. */
struct key {
    uint8_t source[4];
    uint8_t destination[4];
    uint16_t source_port;
    uint16_t destination_port;
    uint8_t protocol;
    uint8_t zero[3];
};

struct connection {
    struct key original;
    struct key reply;
    uint64_t silent_until_us;
    bool is_answered;
    UT_hash_handle hh;       /* by original */
    UT_hash_handle by_reply; /* by reply */
};

struct flow_tracker {
    struct connection *connections;
    struct connection *replies;
};

struct flow_tracker *flow_tracker_create(void)
{
    return calloc(1, sizeof(struct flow_tracker));
}

static void drop(struct flow_tracker *tracker, struct connection *connection)
{
    HASH_DELETE(hh, tracker->connections, connection);
    HASH_DELETE(by_reply, tracker->replies, connection);
    free(connection);
}

void flow_tracker_destroy(struct flow_tracker *tracker)
{
    if (!tracker)
        return;
    struct connection *connection, *next;
    HASH_ITER(hh, tracker->connections, connection, next)
        drop(tracker, connection);
    free(tracker);
}

static struct key key_of(const struct flow_tuple *tuple)
{
    struct key key;
    memset(&key, 0, sizeof(key));
    memcpy(key.source, tuple->source.octets, sizeof(key.source));
    memcpy(key.destination, tuple->destination.octets, sizeof(key.destination));
    key.source_port = tuple->source_port;
    key.destination_port = tuple->destination_port;
    key.protocol = tuple->protocol;
    return key;
}

static struct flow_tuple tuple_of(const struct key *key)
{
    struct flow_tuple tuple = {.source.version = 4,
        .destination.version = 4,
        .protocol = key->protocol,
        .source_port = key->source_port,
        .destination_port = key->destination_port};
    memcpy(tuple.source.octets, key->source, sizeof(key->source));
    memcpy(tuple.destination.octets, key->destination, sizeof(key->destination));
    return tuple;
}

/* ICMP messages that are asked, and what answers them. RFC 792, RFC 950. */
static const struct {
    uint8_t request;
    uint8_t reply;
} icmp_queries[] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}};

enum { ICMP_QUERY_COUNT = sizeof(icmp_queries) / sizeof(icmp_queries[0]) };

static struct key reversed(const struct key *key)
{
    struct key other = *key;
    memcpy(other.source, key->destination, sizeof(key->source));
    memcpy(other.destination, key->source, sizeof(key->destination));
    if (key->protocol != PROTOCOL_ICMP) {
        other.source_port = key->destination_port;
        other.destination_port = key->source_port;
        return other;
    }
    for (size_t i = 0; i < ICMP_QUERY_COUNT; i++)
        if (key->destination_port == icmp_queries[i].request)
            other.destination_port = icmp_queries[i].reply;
    return other;
}

/* The connection that has this key in one of its directions, unless it has been silent too long. */
static struct connection *find(
    struct flow_tracker *tracker, uint64_t now_us, const struct key *key, bool *is_reply)
{
    struct connection *connection;
    HASH_FIND(hh, tracker->connections, key, sizeof(*key), connection);
    *is_reply = !connection;
    if (!connection)
        HASH_FIND(by_reply, tracker->replies, key, sizeof(*key), connection);
    if (!connection || connection->silent_until_us > now_us)
        return connection;
    drop(tracker, connection);
    return NULL;
}

enum icmp_kind { ICMP_OTHER, ICMP_REQUEST, ICMP_REPLY, ICMP_ERROR };

static enum icmp_kind icmp_kind_of(uint8_t type)
{
    static const uint8_t errors[] = {3, 4, 5, 11, 12};
    for (size_t i = 0; i < ICMP_QUERY_COUNT; i++) {
        if (type == icmp_queries[i].request)
            return ICMP_REQUEST;
        if (type == icmp_queries[i].reply)
            return ICMP_REPLY;
    }
    for (size_t i = 0; i < sizeof(errors); i++)
        if (type == errors[i])
            return ICMP_ERROR;
    return ICMP_OTHER;
}

static struct key key_of_packet(const struct ipv4_packet *packet)
{
    struct flow_tuple tuple = {
        .source = packet->source, .destination = packet->destination, .protocol = packet->protocol};
    if (packet->protocol == PROTOCOL_ICMP) {
        struct wire_reader reader = wire_reader_over(packet->payload, packet->payload_length);
        tuple.destination_port = wire_read_u8(&reader);
        wire_skip(&reader, 3); /* code, checksum */
        tuple.source_port = wire_read_u16(&reader);
    } else {
        ipv4_packet_ports(packet, &tuple.source_port, &tuple.destination_port);
    }
    return key_of(&tuple);
}

static enum flow_direction quoted_by(struct flow_tracker *tracker, uint64_t now_us,
    const struct ipv4_packet *packet, struct flow_tuple *original)
{
    struct ipv4_packet inner;
    bool is_reply;
    if (packet->payload_length < ICMP_HEADER ||
        !ipv4_packet_read_quoted(
            &inner, packet->payload + ICMP_HEADER, packet->payload_length - ICMP_HEADER))
        return FLOW_INVALID;
    struct key key = key_of_packet(&inner);
    struct connection *connection = find(tracker, now_us, &key, &is_reply);
    if (!connection)
        return FLOW_INVALID;
    *original = tuple_of(&connection->original);
    return FLOW_QUOTED;
}

/* Whether a TCP segment of no connection can begin one: a SYN, or what may be of one that was there
 * before. */
static bool may_begin(const struct ipv4_packet *packet)
{
    if (packet->protocol != PROTOCOL_TCP)
        return true;
    uint8_t flags = packet->payload_length > TCP_FLAGS_AT ? packet->payload[TCP_FLAGS_AT] : TCP_RST;
    if (flags & TCP_RST)
        return false;
    if (flags & TCP_SYN)
        return !(flags & (TCP_ACK | TCP_FIN));
    return !(flags & TCP_FIN) && (flags & TCP_ACK);
}

enum flow_direction flow_tracker_classify(struct flow_tracker *tracker, uint64_t now_us,
    const struct ipv4_packet *packet, struct flow_tuple *original)
{
    enum icmp_kind icmp = ICMP_REQUEST;
    if (packet->is_fragment)
        return FLOW_INVALID; /* they are put together on the way into a real one */
    if (packet->protocol == PROTOCOL_ICMP)
        icmp = icmp_kind_of(packet->payload_length > 0 ? packet->payload[0] : UINT8_MAX);
    if (icmp == ICMP_OTHER)
        return FLOW_INVALID;
    if (icmp == ICMP_ERROR)
        return quoted_by(tracker, now_us, packet, original);
    bool is_reply;
    struct key key = key_of_packet(packet);
    struct connection *connection = find(tracker, now_us, &key, &is_reply);
    if (connection) {
        *original = tuple_of(&connection->original);
        return is_reply ? FLOW_REPLY : FLOW_ORIGINAL;
    }
    if (icmp == ICMP_REPLY || !may_begin(packet))
        return FLOW_INVALID;
    *original = tuple_of(&key);
    return FLOW_ORIGINAL;
}

/* The kernel's defaults. */
static uint64_t silence_us(uint8_t protocol, bool is_answered)
{
    switch (protocol) {
    case PROTOCOL_UDP:
        return is_answered ? SECONDS(120) : SECONDS(30);
    case PROTOCOL_TCP:
        return is_answered ? SECONDS(432000) : SECONDS(120);
    case PROTOCOL_ICMP:
        return SECONDS(30);
    default:
        return SECONDS(600);
    }
}

static struct connection *add(struct flow_tracker *tracker, const struct key *key)
{
    if (HASH_CNT(hh, tracker->connections) >= FLOWS_MAX)
        return NULL;
    struct connection *connection = calloc(1, sizeof(*connection));
    if (!connection)
        return NULL;
    connection->original = *key;
    connection->reply = reversed(key);
    HASH_ADD(hh, tracker->connections, original, sizeof(connection->original), connection);
    HASH_ADD(by_reply, tracker->replies, reply, sizeof(connection->reply), connection);
    return connection;
}

void flow_tracker_passed(struct flow_tracker *tracker, uint64_t now_us,
    const struct flow_tuple *original, enum flow_direction direction)
{
    bool is_reply;
    struct key key = key_of(original);
    struct connection *connection = find(tracker, now_us, &key, &is_reply);
    if (direction == FLOW_QUOTED)
        return;
    if (!connection || is_reply)
        connection = add(tracker, &key);
    if (!connection)
        return;
    connection->is_answered |= direction == FLOW_REPLY;
    connection->silent_until_us = now_us + silence_us(original->protocol, connection->is_answered);
}

static bool is_of(const struct conntrack_flow *wanted, const struct flow_tuple *tuple)
{
    const struct gist_mri *flow = &wanted->flow;
    return gist_address_matches(
               &flow->destination, &tuple->destination, flow->destination_prefix) &&
           gist_address_matches(&flow->source, &tuple->source, flow->source_prefix) &&
           (!flow->has_protocol || flow->protocol == tuple->protocol) &&
           (!flow->has_source_port || flow->source_port == tuple->source_port) &&
           (!flow->has_destination_port ||
               (tuple->destination_port >= flow->destination_port &&
                   tuple->destination_port - flow->destination_port < wanted->ports));
}

static bool names_a_tuple(const struct gist_mri *flow)
{
    return flow->source_prefix == 32 && flow->has_protocol && flow->has_source_port &&
           flow->has_destination_port;
}

/* A tuple finds a connection in either direction, as ctnetlink has it. */
static void forget_tuple(struct flow_tracker *tracker, const struct gist_mri *flow, uint16_t port)
{
    bool is_reply;
    struct flow_tuple tuple = {.source = flow->source,
        .destination = flow->destination,
        .protocol = flow->protocol,
        .source_port = flow->source_port,
        .destination_port = port};
    struct key key = key_of(&tuple);
    struct connection *connection = find(tracker, 0, &key, &is_reply);
    if (connection)
        drop(tracker, connection);
}

void flow_tracker_forget(struct flow_tracker *tracker, const struct conntrack_flow *flow)
{
    struct connection *connection, *next;
    for (uint8_t i = 0; names_a_tuple(&flow->flow) && i < flow->ports; i++)
        forget_tuple(tracker, &flow->flow, (uint16_t)(flow->flow.destination_port + i));
    if (names_a_tuple(&flow->flow))
        return;
    HASH_ITER(hh, tracker->connections, connection, next) {
        struct flow_tuple tuple = tuple_of(&connection->original);
        if (is_of(flow, &tuple))
            drop(tracker, connection);
    }
}

size_t flow_tracker_count(const struct flow_tracker *tracker)
{
    return HASH_CNT(hh, tracker->connections);
}

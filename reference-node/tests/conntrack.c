/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connection tracking entries of what has gone: which are deleted, which stay, and how many are
 * looked at in one turn of the loop. NATFW_CONNTRACK_ENTRIES sets the size of the large table.
 */
#include "reference-node/netfilter/conntrack.h"
#include "reference-node/base/loop.h"
#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum {
    SOURCE = 0xc0000202,      /* 192.0.2.2 */
    DESTINATION = 0xc6336402, /* 198.51.100.2 */
    TURNS_MAX = 100000,
    LARGE = 5000,
    TIMEOUT_S = 600
};

static struct nfct_handle *kernel;
static struct event_base *base;
static struct conntrack *conntrack;

static void start(void)
{
    namespace_enter_new();
    kernel = nfct_open(CONNTRACK, 0);
    base = event_base_new();
    conntrack = conntrack_create();
    cr_assert(kernel && base && conntrack);
    cr_assert(conntrack_attach(conntrack, base));
}

static void stop(void)
{
    conntrack_destroy(conntrack);
    event_base_free(base);
    nfct_close(kernel);
}

TestSuite(conntrack, .init = start, .fini = stop);

static struct nf_conntrack *entry_of(uint32_t source, uint8_t protocol, uint16_t source_port,
    uint32_t destination, uint16_t destination_port)
{
    struct nf_conntrack *entry = nfct_new();
    nfct_set_attr_u8(entry, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(entry, ATTR_IPV4_SRC, htonl(source));
    nfct_set_attr_u32(entry, ATTR_IPV4_DST, htonl(destination));
    nfct_set_attr_u8(entry, ATTR_L4PROTO, protocol);
    if (protocol != IPPROTO_ICMP && protocol != IPPROTO_ESP) {
        nfct_set_attr_u16(entry, ATTR_PORT_SRC, htons(source_port));
        nfct_set_attr_u16(entry, ATTR_PORT_DST, htons(destination_port));
    }
    if (protocol == IPPROTO_ICMP) {
        nfct_set_attr_u8(entry, ATTR_ICMP_TYPE, 8);
        nfct_set_attr_u8(entry, ATTR_ICMP_CODE, 0);
        nfct_set_attr_u16(entry, ATTR_ICMP_ID, htons(source_port));
    }
    return entry;
}

static void track(uint32_t source, uint8_t protocol, uint16_t source_port, uint16_t port)
{
    struct nf_conntrack *entry = entry_of(source, protocol, source_port, DESTINATION, port);
    nfct_setobjopt(entry, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u32(entry, ATTR_TIMEOUT, TIMEOUT_S);
    if (protocol == IPPROTO_TCP)
        nfct_set_attr_u8(entry, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
    cr_assert_eq(nfct_query(kernel, NFCT_Q_CREATE, entry), 0, "%s", strerror(errno));
    nfct_destroy(entry);
}

static bool is_tracked(uint32_t source, uint8_t protocol, uint16_t source_port, uint16_t port)
{
    struct nf_conntrack *entry = entry_of(source, protocol, source_port, DESTINATION, port);
    bool found = nfct_query(kernel, NFCT_Q_GET, entry) == 0;
    nfct_destroy(entry);
    return found;
}

static struct conntrack_flow flow_to(uint8_t protocol, uint16_t port, uint8_t ports)
{
    return (struct conntrack_flow){.flow = {.source = gist_address_v4(SOURCE),
                                       .destination = gist_address_v4(DESTINATION),
                                       .source_prefix = 32,
                                       .destination_prefix = 32,
                                       .has_protocol = true,
                                       .protocol = protocol,
                                       .has_source_port = true,
                                       .source_port = 4000,
                                       .has_destination_port = true,
                                       .destination_port = port},
        .ports = ports};
}

static void turn_until_done(void)
{
    for (unsigned turns = 0; conntrack_counters(conntrack).waiting > 0; turns++) {
        cr_assert_lt(turns, TURNS_MAX);
        event_base_loop(base, EVLOOP_ONCE);
    }
}

static void forget(const struct conntrack_flow *flow)
{
    cr_assert(conntrack_forget(conntrack, flow, 1));
    turn_until_done();
    cr_assert_eq(conntrack_counters(conntrack).failures, 0);
}

static const uint8_t with_ports[] = {IPPROTO_TCP, IPPROTO_UDP};

Test(conntrack, a_tuple_goes_of_each_protocol_and_its_neighbours_stay)
{
    for (size_t i = 0; i < sizeof(with_ports); i++) {
        uint8_t protocol = with_ports[i];
        track(SOURCE, protocol, 4000, 5000);
        track(SOURCE, protocol, 4000, 5001);
        track(SOURCE, protocol, 4001, 5000);
        track(SOURCE + 1, protocol, 4000, 5000);
        struct conntrack_flow flow = flow_to(protocol, 5000, 1);
        forget(&flow);
        cr_assert_not(is_tracked(SOURCE, protocol, 4000, 5000), "protocol %u", protocol);
        cr_assert(is_tracked(SOURCE, protocol, 4000, 5001));
        cr_assert(is_tracked(SOURCE, protocol, 4001, 5000));
        cr_assert(is_tracked(SOURCE + 1, protocol, 4000, 5000));
    }
    cr_assert_eq(conntrack_counters(conntrack).walks, 0);
}

Test(conntrack, both_ports_of_a_tuple_go_and_not_the_third)
{
    for (uint16_t port = 4999; port <= 5002; port++)
        track(SOURCE, IPPROTO_UDP, 4000, port);
    struct conntrack_flow flow = flow_to(IPPROTO_UDP, 5000, 2);
    forget(&flow);
    cr_assert(is_tracked(SOURCE, IPPROTO_UDP, 4000, 4999));
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 4000, 5000));
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 4000, 5001));
    cr_assert(is_tracked(SOURCE, IPPROTO_UDP, 4000, 5002));
}

Test(conntrack, a_walk_takes_both_ports_of_any_source_port_and_not_the_third)
{
    for (uint16_t port = 4999; port <= 5002; port++)
        for (uint16_t source_port = 4000; source_port < 4003; source_port++)
            track(SOURCE, IPPROTO_TCP, source_port, port);
    track(SOURCE, IPPROTO_UDP, 4000, 5000);
    struct conntrack_flow flow = flow_to(IPPROTO_TCP, 5000, 2);
    flow.flow.has_source_port = false;
    forget(&flow);
    for (uint16_t port = 4999; port <= 5002; port++)
        for (uint16_t source_port = 4000; source_port < 4003; source_port++)
            cr_assert_eq(is_tracked(SOURCE, IPPROTO_TCP, source_port, port),
                port == 4999 || port == 5002, "%u to %u", source_port, port);
    cr_assert(is_tracked(SOURCE, IPPROTO_UDP, 4000, 5000), "another protocol");
}

Test(conntrack, a_walk_for_any_protocol_takes_them_all)
{
    static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ESP};
    for (size_t i = 0; i < sizeof(protocols); i++) {
        track(SOURCE, protocols[i], 4000, 5000);
        track(SOURCE + 1, protocols[i], 4000, 5000);
    }
    struct conntrack_flow flow = flow_to(0, 0, 1);
    flow.flow.has_protocol = flow.flow.has_source_port = flow.flow.has_destination_port = false;
    forget(&flow);
    for (size_t i = 0; i < sizeof(protocols); i++) {
        cr_assert_not(is_tracked(SOURCE, protocols[i], 4000, 5000), "protocol %u", protocols[i]);
        cr_assert(is_tracked(SOURCE + 1, protocols[i], 4000, 5000), "of another source");
    }
    flow.flow.source_prefix = 0;
    forget(&flow);
    cr_assert_not(is_tracked(SOURCE + 1, IPPROTO_ICMP, 4000, 5000));
}

Test(conntrack, what_is_to_be_forgotten_during_a_walk_has_the_next)
{
    track(SOURCE, IPPROTO_UDP, 1, 5000);
    track(SOURCE, IPPROTO_UDP, 1, 6000);
    struct conntrack_flow first = flow_to(IPPROTO_UDP, 5000, 1);
    struct conntrack_flow second = flow_to(IPPROTO_UDP, 6000, 1);
    first.flow.has_source_port = second.flow.has_source_port = false;
    cr_assert(conntrack_forget(conntrack, &first, 1) && conntrack_forget(conntrack, &second, 1));
    turn_until_done();
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 1, 5000));
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 1, 6000));
    cr_assert_eq(conntrack_counters(conntrack).walks, 2);
}

static unsigned large(void)
{
    const char *given = getenv("NATFW_CONNTRACK_ENTRIES");
    return given ? (unsigned)strtoul(given, NULL, 10) : LARGE;
}

static void on_done(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct event *again = *(struct event **)context;
    static const struct timeval soon = {.tv_usec = 1000};
    if (conntrack_counters(conntrack).waiting == 0)
        event_base_loopbreak(base);
    else
        event_add(again, &soon);
}

Test(conntrack, a_walk_of_a_large_table_takes_many_turns_and_none_is_long, .timeout = 120)
{
    unsigned entries = large();
    for (unsigned i = 0; i < entries; i++)
        track(SOURCE + 1 + i / 60000, IPPROTO_UDP, (uint16_t)(1000 + i % 60000), 5000);
    track(SOURCE, IPPROTO_UDP, 1, 5000);
    struct conntrack_flow flow = flow_to(IPPROTO_UDP, 5000, 1);
    flow.flow.has_source_port = false;
    static struct event *done;
    done = evtimer_new(base, on_done, &done);
    event_active(done, EV_TIMEOUT, 1);
    cr_assert(conntrack_forget(conntrack, &flow, 1));
    cr_assert_eq(loop_run(base), 0);
    struct conntrack_counters counters = conntrack_counters(conntrack);
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 1, 5000));
    cr_assert(is_tracked(SOURCE + 1, IPPROTO_UDP, 1000, 5000));
    cr_assert_geq(counters.entries, entries);
    cr_assert_eq(counters.failures, 0);
    cr_assert_leq(counters.entries_per_turn_max, 2 * CONNTRACK_ENTRIES_PER_TURN);
    cr_log_info("%u entries: longest turn %llu us, %llu entries", entries,
        (unsigned long long)loop_counters().longest_turn_us,
        (unsigned long long)counters.entries_per_turn_max);
    event_free(done);
}

Test(conntrack, many_tuples_go_some_each_turn)
{
    enum { MANY = 5 * CONNTRACK_TUPLES_PER_TURN };
    static struct conntrack_flow flows[MANY];
    unsigned turns = 0;
    for (unsigned i = 0; i < MANY; i++) {
        track(SOURCE, IPPROTO_UDP, 4000, (uint16_t)(1000 + i));
        flows[i] = flow_to(IPPROTO_UDP, (uint16_t)(1000 + i), 1);
    }
    cr_assert(conntrack_forget(conntrack, flows, MANY));
    for (; conntrack_counters(conntrack).waiting > 0; turns++)
        event_base_loop(base, EVLOOP_ONCE);
    cr_assert_geq(turns, 5);
    for (unsigned i = 0; i < MANY; i++)
        cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 4000, (uint16_t)(1000 + i)));
}

Test(conntrack, more_than_can_wait_is_said)
{
    struct conntrack_flow flow = flow_to(IPPROTO_UDP, 5000, 1);
    for (unsigned i = 0; i < CONNTRACK_WAITING_MAX; i++)
        cr_assert(conntrack_forget(conntrack, &flow, 1));
    cr_assert_not(conntrack_forget(conntrack, &flow, 1));
    cr_assert_eq(errno, ENOBUFS);
    turn_until_done();
}

Test(conntrack, without_a_loop_it_is_done_at_once)
{
    struct conntrack *alone = conntrack_create();
    track(SOURCE, IPPROTO_UDP, 4000, 5000);
    track(SOURCE, IPPROTO_UDP, 1, 6000);
    struct conntrack_flow flows[] = {flow_to(IPPROTO_UDP, 5000, 1), flow_to(IPPROTO_UDP, 6000, 1)};
    flows[1].flow.has_source_port = false;
    cr_assert(conntrack_forget(alone, flows, 2));
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 4000, 5000));
    cr_assert_not(is_tracked(SOURCE, IPPROTO_UDP, 1, 6000));
    conntrack_destroy(alone);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets through a firewall in a real kernel: a path of three namespaces, flows that run without
 * pause, in both directions, across the moment at which their pinhole ends.
 */
#include "reference-node/base/clock.h"
#include "reference-node/netfilter/kernel_filter.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/sockets/policy_route.h"
#include "reference-node/tests/namespaces.h"

#include "core/spec/tests/verify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LEFT_PORT = 4000,
    RIGHT_PORT = 5000,
    SEND_EVERY_MS = 5,
    PATIENCE_MS = 5000, /* for what must happen */
    SILENCE_MS = 400,   /* nothing for so long: the flow has stopped */
    /* The last packet of a pinhole of 1500 ms; a busy machine sends it earlier, or reads it later.
     */
    EXPIRY_EARLIEST_MS = 1000,
    EXPIRY_LATEST_MS = 2500,
    DELETION_LATEST_MS = 1000 /* of a pinhole that would last for a minute */
};

struct firewall {
    struct path path;
    struct pinholes *pinholes;
    struct natfw_middlebox middlebox;
};

static const struct gist_session_id owner = {.octets = {0xb0, [15] = 1}};

static void ignore_pending(void *context)
{
    (void)context;
}

static void require_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    (void)context;
    (void)handle;
    cr_assert(result == NATFW_MIDDLEBOX_OK);
}

static struct firewall firewall_start(void)
{
    struct firewall firewall = {.path = path_make()};
    struct config config = path_firewall_config();
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    static struct kernel_filter kernel;
    static struct packet_filter filter;
    kernel.batch =
        nft_batch_create(nft_socket_open(NFT_TRANSACTION_SIZE), "natfw", NFT_REFRESH_REPLACE);
    kernel.conntrack = conntrack_create();
    filter = kernel_filter_seam(&kernel);
    cr_assert(kernel.batch && kernel.conntrack);
    struct pinholes_listener listener = {.pending = ignore_pending, .done = require_done};
    firewall.pinholes = pinholes_create(&filter, 1000, &listener);
    firewall.middlebox = pinholes_middlebox(firewall.pinholes);
    return firewall;
}

static struct natfw_policy_rule rule_for(uint8_t protocol)
{
    return (struct natfw_policy_rule){.action = NATFW_ALLOW,
        .flow = {.source = gist_address_v4(0xc0000202),
            .destination = gist_address_v4(0xc6336402),
            .source_prefix = 32,
            .destination_prefix = 32,
            .has_protocol = true,
            .protocol = protocol,
            .has_source_port = true,
            .has_destination_port = true,
            .source_port = LEFT_PORT,
            .destination_port = RIGHT_PORT}};
}

static void open_for(struct firewall *firewall, uint8_t protocol, uint64_t lifetime_ms)
{
    struct natfw_policy_rule rule = rule_for(protocol);
    firewall->middlebox.install(
        firewall->middlebox.context, &owner, &rule, clock_now_ms() + lifetime_ms, 1);
    pinholes_commit_all(firewall->pinholes, clock_now_ms());
}

static void close_for(struct firewall *firewall, uint8_t protocol)
{
    struct natfw_policy_rule rule = rule_for(protocol);
    firewall->middlebox.remove(firewall->middlebox.context, &owner, &rule);
    pinholes_commit_all(firewall->pinholes, clock_now_ms());
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    cr_assert(inet_pton(AF_INET, text, &address.sin_addr) == 1);
    return address;
}

/* A socket in a namespace, bound and perhaps connected. */
static int open_socket(int where, int type, const char *local, uint16_t port)
{
    namespace_enter(where);
    int one = 1;
    int descriptor = socket(AF_INET, type | SOCK_NONBLOCK, 0);
    cr_assert(descriptor >= 0);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    struct sockaddr_in address = address_of(local, port);
    cr_assert(bind(descriptor, (struct sockaddr *)&address, sizeof(address)) == 0);
    return descriptor;
}

static void connect_to(int descriptor, const char *remote, uint16_t port)
{
    struct sockaddr_in address = address_of(remote, port);
    int result = connect(descriptor, (struct sockaddr *)&address, sizeof(address));
    cr_assert(result == 0 || errno == EINPROGRESS);
}

/* Both ends of a flow; each sends all the time, and notes when it last heard of the other. */
struct flow {
    int ends[2];
    uint64_t heard_ms[2];
    uint64_t sent_ms;
    uint64_t turn_ms;
    uint64_t longest_pause_ms; /* between two turns */
};

static struct flow udp_flow(const struct firewall *firewall)
{
    struct flow flow = {
        .ends = {open_socket(firewall->path.left, SOCK_DGRAM, "192.0.2.2", LEFT_PORT),
            open_socket(firewall->path.right, SOCK_DGRAM, "198.51.100.2", RIGHT_PORT)}};
    connect_to(flow.ends[0], "198.51.100.2", RIGHT_PORT);
    connect_to(flow.ends[1], "192.0.2.2", LEFT_PORT);
    namespace_enter(firewall->path.middle);
    return flow;
}

/* Needs an open pinhole. */
static struct flow tcp_flow(const struct firewall *firewall)
{
    struct flow flow;
    memset(&flow, 0, sizeof(flow));
    int listener = open_socket(firewall->path.right, SOCK_STREAM, "198.51.100.2", RIGHT_PORT);
    cr_assert(listen(listener, 1) == 0);
    flow.ends[0] = open_socket(firewall->path.left, SOCK_STREAM, "192.0.2.2", LEFT_PORT);
    connect_to(flow.ends[0], "198.51.100.2", RIGHT_PORT);
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    cr_assert(poll(&ready, 1, PATIENCE_MS) == 1, "the connection does not pass");
    flow.ends[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    cr_assert(flow.ends[1] >= 0);
    close(listener);
    namespace_enter(firewall->path.middle);
    return flow;
}

/* A moment of the flow: sends when it is time, hears what there is. */
static void flow_turn(struct flow *flow)
{
    struct pollfd ready[2] = {
        {.fd = flow->ends[0], .events = POLLIN}, {.fd = flow->ends[1], .events = POLLIN}};
    uint64_t now_ms = clock_now_ms();
    if (flow->turn_ms && now_ms - flow->turn_ms > flow->longest_pause_ms)
        flow->longest_pause_ms = now_ms - flow->turn_ms;
    flow->turn_ms = now_ms;
    if (now_ms - flow->sent_ms >= SEND_EVERY_MS) {
        for (size_t end = 0; end < 2; end++)
            (void)!send(flow->ends[end], "data", 4, MSG_NOSIGNAL);
        flow->sent_ms = now_ms;
    }
    poll(ready, 2, 1);
    for (size_t end = 0; end < 2; end++) {
        char heard[256];
        while (recv(flow->ends[end], heard, sizeof(heard), 0) > 0)
            flow->heard_ms[end] = clock_now_ms();
    }
}

static void require_running(struct flow *flow)
{
    uint64_t start_ms = clock_now_ms();
    while (flow->heard_ms[0] <= start_ms || flow->heard_ms[1] <= start_ms) {
        flow_turn(flow);
        cr_assert(clock_now_ms() - start_ms < PATIENCE_MS, "the flow does not run");
    }
}

/* Runs the flow on until both ends hear nothing more; says when that was, after since_ms. What this
 * process paused meanwhile may have kept the last packets back, or their reading.
 */
static bool stops(struct flow *flow, uint64_t since_ms, uint64_t low_ms, uint64_t high_ms)
{
    bool in_time = true;
    flow->longest_pause_ms = 0;
    for (uint64_t last_ms = clock_now_ms(); clock_now_ms() - last_ms < SILENCE_MS;) {
        flow_turn(flow);
        for (size_t end = 0; end < 2; end++)
            if (flow->heard_ms[end] > last_ms)
                last_ms = flow->heard_ms[end];
        if (clock_now_ms() - since_ms > PATIENCE_MS)
            return false;
    }
    for (size_t end = 0; end < 2; end++) {
        uint64_t after_ms = flow->heard_ms[end] > since_ms ? flow->heard_ms[end] - since_ms : 0;
        fprintf(stderr, "%s stopped after %lu ms, with pauses of %lu ms\n",
            end ? "left to right" : "right to left", (unsigned long)after_ms,
            (unsigned long)flow->longest_pause_ms);
        in_time = in_time && after_ms + flow->longest_pause_ms >= low_ms &&
                  after_ms <= high_ms + flow->longest_pause_ms;
    }
    return in_time;
}

static void require_silence(struct flow *flow)
{
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < SILENCE_MS)
        flow_turn(flow);
    cr_assert(flow->heard_ms[0] < start_ms && flow->heard_ms[1] < start_ms,
        "the flow passes without a pinhole");
}

Test(flows, a_running_udp_flow_stops_at_deletion_in_both_directions)
{
    struct firewall firewall = firewall_start();
    struct flow flow = udp_flow(&firewall);
    require_silence(&flow);
    open_for(&firewall, IPPROTO_UDP, 60000);
    require_running(&flow);
    uint64_t start_ms = clock_now_ms();
    close_for(&firewall, IPPROTO_UDP);
    cr_assert(stops(&flow, start_ms, 0, DELETION_LATEST_MS));
}

Test(flows, a_running_udp_flow_stops_at_expiry_in_both_directions)
{
    VERIFIES("RFC5973-3.4-1a");
    struct firewall firewall = firewall_start();
    struct flow flow = udp_flow(&firewall);
    uint64_t start_ms = clock_now_ms();
    open_for(&firewall, IPPROTO_UDP, 1500);
    require_running(&flow);
    REQUIRE("RFC5973-3.4-1a", stops(&flow, start_ms, EXPIRY_EARLIEST_MS, EXPIRY_LATEST_MS));
    open_for(&firewall, IPPROTO_UDP, 60000);
    require_running(&flow);
}

Test(flows, a_running_tcp_flow_stops_at_deletion_in_both_directions)
{
    struct firewall firewall = firewall_start();
    open_for(&firewall, IPPROTO_TCP, 60000);
    struct flow flow = tcp_flow(&firewall);
    require_running(&flow);
    uint64_t start_ms = clock_now_ms();
    close_for(&firewall, IPPROTO_TCP);
    cr_assert(stops(&flow, start_ms, 0, DELETION_LATEST_MS));
}

Test(flows, a_running_tcp_flow_stops_at_expiry_in_both_directions)
{
    VERIFIES("RFC5973-3.2.8-3");
    struct firewall firewall = firewall_start();
    uint64_t start_ms = clock_now_ms();
    open_for(&firewall, IPPROTO_TCP, 1500);
    struct flow flow = tcp_flow(&firewall);
    require_running(&flow);
    REQUIRE("RFC5973-3.2.8-3", stops(&flow, start_ms, EXPIRY_EARLIEST_MS, EXPIRY_LATEST_MS));
}

Test(flows, a_new_flow_in_reverse_does_not_pass)
{
    struct firewall firewall = firewall_start();
    open_for(&firewall, IPPROTO_UDP, 60000);
    struct flow flow = udp_flow(&firewall);
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < SILENCE_MS) {
        char heard[16];
        (void)!send(flow.ends[1], "data", 4, MSG_NOSIGNAL);
        struct pollfd ready = {.fd = flow.ends[0], .events = POLLIN};
        poll(&ready, 1, SEND_EVERY_MS);
        cr_assert(recv(flow.ends[0], heard, sizeof(heard), 0) < 0);
    }
    require_running(&flow);
}

Test(flows, a_wildcard_pinhole_lets_pass_and_its_end_stops_the_flow)
{
    struct firewall firewall = firewall_start();
    struct flow flow = udp_flow(&firewall);
    struct natfw_policy_rule rule = rule_for(IPPROTO_UDP);
    rule.flow.source_prefix = 0;
    rule.flow.has_source_port = false;
    firewall.middlebox.install(
        firewall.middlebox.context, &owner, &rule, clock_now_ms() + 60000, 1);
    pinholes_commit_all(firewall.pinholes, clock_now_ms());
    require_running(&flow);
    uint64_t start_ms = clock_now_ms();
    firewall.middlebox.remove(firewall.middlebox.context, &owner, &rule);
    pinholes_commit_all(firewall.pinholes, clock_now_ms());
    cr_assert(stops(&flow, start_ms, 0, DELETION_LATEST_MS));
    char *entries = output_of("conntrack -L -p udp 2>/dev/null");
    cr_assert(!strstr(entries, "src=192.0.2.2"), "%s", entries);
    free(entries);
}

Test(flows, deletion_takes_the_connection_tracking_entry_along)
{
    VERIFIES("RFC5973-3.4-1b");
    struct firewall firewall = firewall_start();
    struct flow flow = udp_flow(&firewall);
    open_for(&firewall, IPPROTO_UDP, 60000);
    require_running(&flow);
    char *before = output_of("conntrack -L -p udp 2>/dev/null");
    cr_assert(strstr(before, "src=192.0.2.2"), "%s", before);
    close_for(&firewall, IPPROTO_UDP);
    char *after = output_of("conntrack -L -p udp 2>/dev/null");
    REQUIRE("RFC5973-3.4-1b", !strstr(after, "src=192.0.2.2"));
    free(before);
    free(after);
}

/* The left end sends to a port where nobody listens; an error comes back or does not. */
static bool error_comes_back(int left, unsigned wait_ms)
{
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < wait_ms) {
        if (send(left, "data", 4, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
            return true;
        struct pollfd ready = {.fd = left, .events = POLLIN};
        poll(&ready, 1, SEND_EVERY_MS);
    }
    return false;
}

static uint16_t checksum(const void *data, size_t length)
{
    const uint8_t *octets = data;
    uint32_t sum = 0;
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += (uint32_t)(octets[i] << 8 | octets[i + 1]);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

/* "Port unreachable" from the right host about a packet that the left host sent. */
static void send_icmp_error(int raw)
{
    uint8_t message[36] = {ICMP_DEST_UNREACH, ICMP_PORT_UNREACH};
    uint8_t *quoted = message + 8;
    uint8_t header[28] = {0x45, 0, 0, 32, 0, 1, 0x40, 0, 63, IPPROTO_UDP, 0, 0, 192, 0, 2, 2, 198,
        51, 100, 2, LEFT_PORT >> 8, LEFT_PORT & 0xff, RIGHT_PORT >> 8, RIGHT_PORT & 0xff, 0, 12};
    uint16_t sum = checksum(header, 20);
    memcpy(header + 10, &sum, 2);
    memcpy(quoted, header, sizeof(header));
    sum = checksum(message, sizeof(message));
    memcpy(message + 2, &sum, 2);
    struct sockaddr_in left = address_of("192.0.2.2", 0);
    cr_assert(sendto(raw, message, sizeof(message), 0, (struct sockaddr *)&left, sizeof(left)) ==
              sizeof(message));
}

Test(flows, icmp_errors_pass_only_while_the_rule_lives)
{
    struct firewall firewall = firewall_start();
    struct flow flow = udp_flow(&firewall);
    namespace_enter(firewall.path.right);
    int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    cr_assert(raw >= 0);
    namespace_enter(firewall.path.middle);
    uint64_t opened_ms = clock_now_ms();
    open_for(&firewall, IPPROTO_UDP, 1000);
    require_running(&flow);
    send_icmp_error(raw);
    cr_assert(error_comes_back(flow.ends[0], PATIENCE_MS), "the error of an allowed flow is lost");
    cr_assert(stops(&flow, opened_ms, 900, 1100));
    /* The kernel still tracks the connection, but the rule has gone. */
    send_icmp_error(raw);
    cr_assert(!error_comes_back(flow.ends[0], SILENCE_MS), "the error outlives the rule");
    open_for(&firewall, IPPROTO_UDP, 60000);
    require_running(&flow);
    send_icmp_error(raw);
    cr_assert(error_comes_back(flow.ends[0], PATIENCE_MS));
}

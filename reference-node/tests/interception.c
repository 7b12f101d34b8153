/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Queries on their way through a router in a real kernel: taken, sent on, and what is not taken. */
#include "core/spec/tests/verify.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/sockets/datagram_socket.h"
#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 2000, PAYLOAD = 24, NSLP_ID_AT = 9, IPV6_TRIES = 200, MARK = 0x10e, TABLE = 270 };

/* One GIST node's sockets, and the last datagram that came. */
struct end {
    struct event_base *base;
    struct policy_route *routes;
    struct datagram_socket *datagrams;
    struct query_sender *queries;
    unsigned count;
    struct gist_arrival arrival;
    struct query_header header;
    uint8_t payload[256];
    size_t length;
};

static void on_received(void *context, const struct gist_arrival *arrival,
    const struct query_header *header, const uint8_t *payload, size_t length)
{
    struct end *end = context;
    end->count++;
    end->arrival = *arrival;
    end->header = *header;
    end->length = length;
    cr_assert(length <= sizeof(end->payload));
    memcpy(end->payload, payload, length);
}

static void end_start(struct end *end, int where, bool intercepts)
{
    struct datagram_listener listener = {.context = end, .received = on_received};
    namespace_enter(where);
    memset(end, 0, sizeof(*end));
    end->base = event_base_new();
    end->routes = policy_route_create();
    end->queries = query_sender_create();
    end->datagrams =
        datagram_socket_create(end->base, GIST_PORT, intercepts, end->routes, &listener);
    cr_assert(end->datagrams && end->queries);
}

struct scene {
    struct path path;
    struct end left, middle, right;
};

static void scene_start(struct scene *scene, bool router_alert_required)
{
    static struct config_interface open_interfaces[] = {
        {.name = "inside", .side = CONFIG_SIDE_INTERNAL},
        {.name = "outside", .side = CONFIG_SIDE_EXTERNAL}};
    scene->path = path_make();
    struct config config = path_firewall_config();
    config.interfaces = open_interfaces;
    config.router_alert_required = router_alert_required;
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    end_start(&scene->left, scene->path.left, false);
    end_start(&scene->right, scene->path.right, false);
    end_start(&scene->middle, scene->path.middle, true);
    bool was_whole;
    cr_assert(policy_route_put(scene->middle.routes, MARK, TABLE, &was_whole) == 0 && !was_whole);
    cr_assert(policy_route_put(scene->middle.routes, MARK, TABLE, &was_whole) == 0 && was_whole);
}

/* Runs the loops of both until one of them has a datagram. */
static void wait_for(struct end *first, struct end *second)
{
    struct timeval turn = {.tv_usec = 5000};
    unsigned before = first->count + second->count;
    for (int waited_ms = 0; first->count + second->count == before; waited_ms += 10) {
        cr_assert(waited_ms < WAIT_MS, "the datagram is lost");
        event_base_loopexit(first->base, &turn);
        event_base_dispatch(first->base);
        event_base_loopexit(second->base, &turn);
        event_base_dispatch(second->base);
    }
}

/* The start of a GIST message: magic number, version, hops, length, NSLPID 33, C flag and type. */
static void fill_payload(uint8_t payload[PAYLOAD], uint32_t magic, bool c_flag)
{
    uint32_t value = htonl(magic);
    memset(payload, 0x5a, PAYLOAD);
    memcpy(payload, &value, 4);
    memcpy(payload + 4, (uint8_t[]){1, 30, 0, 3, 0, 33, c_flag ? 0x80 : 0x01, 0}, 8);
}

static struct gist_query_route route_right(bool has_router_alert)
{
    return (struct gist_query_route){.source = gist_address_v4(0xc0000263), /* not the left's own */
        .destination = gist_address_v4(0xc6336402),
        .source_port = GIST_PORT,
        .ip_ttl = 17,
        .ds_field = 46,
        .has_router_alert = has_router_alert,
        .router_alert = 65};
}

Test(interception, hands_over_a_query_with_all_that_its_header_says)
{
    struct scene scene;
    uint8_t payload[PAYLOAD];
    struct gist_query_route route = route_right(true);
    scene_start(&scene, true);
    fill_payload(payload, 0x4e04bda5, true);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.middle.count == 1 && scene.right.count == 0);
    const struct gist_arrival *arrival = &scene.middle.arrival;
    cr_assert(gist_address_equal(&arrival->source.address, &route.source));
    cr_assert(gist_address_equal(&arrival->destination.address, &route.destination));
    cr_assert(arrival->source.port == GIST_PORT && arrival->destination.port == GIST_PORT);
    cr_assert(arrival->ip_ttl == 17 && arrival->q_mode);
    namespace_enter(scene.path.middle);
    cr_assert(arrival->interface == if_nametoindex("inside"));
    cr_assert(scene.middle.header.type_of_service == 46 << 2);
    cr_assert(scene.middle.header.options_length == 4);
    cr_assert(memcmp(scene.middle.header.options, (uint8_t[]){0x94, 4, 0, 65}, 4) == 0);
    cr_assert(
        scene.middle.length == PAYLOAD && memcmp(scene.middle.payload, payload, PAYLOAD) == 0);
    char *tracked = output_of("conntrack -L 2>/dev/null");
    cr_assert(!strstr(tracked, "192.0.2.99"), "GIST datagrams are tracked: %s", tracked);
    free(tracked);
}

Test(interception, sends_on_with_one_ttl_less_and_everything_else_as_it_was)
{
    struct scene scene;
    uint8_t payload[PAYLOAD];
    struct gist_query_route route = route_right(true);
    scene_start(&scene, false);
    fill_payload(payload, 0x4e04bda5, true);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    payload[5]--; /* the GIST hop count is the core's to lower */
    cr_assert(query_sender_forward(scene.middle.queries, scene.middle.routes, &scene.middle.arrival,
        &scene.middle.header, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.middle.count == 1, "it was intercepted again");
    cr_assert(scene.right.count == 1);
    cr_assert(scene.right.arrival.ip_ttl == 16);
    cr_assert(gist_endpoint_equal(&scene.right.arrival.source, &scene.middle.arrival.source));
    cr_assert(
        gist_endpoint_equal(&scene.right.arrival.destination, &scene.middle.arrival.destination));
    cr_assert(scene.right.header.type_of_service == 46 << 2);
    cr_assert(memcmp(scene.right.header.options, (uint8_t[]){0x94, 4, 0, 65}, 4) == 0);
    cr_assert(scene.right.length == PAYLOAD && memcmp(scene.right.payload, payload, PAYLOAD) == 0);
    scene.middle.arrival.ip_ttl = 1;
    cr_assert(!query_sender_forward(scene.middle.queries, scene.middle.routes,
        &scene.middle.arrival, &scene.middle.header, payload, PAYLOAD));
}

/* A datagram of the left host to the right one, with these options. */
static void send_with_options(struct scene *scene, uint16_t port, const struct query_header *header,
    const uint8_t payload[PAYLOAD])
{
    struct gist_arrival arrival = {.source = {gist_address_v4(0xc0000202), port},
        .destination = {gist_address_v4(0xc6336402), port},
        .ip_ttl = 18};
    cr_assert(query_sender_forward(
        scene->left.queries, scene->left.routes, &arrival, header, payload, PAYLOAD));
}

/* The router keeps its name in the record route option, whoever sends the packet on. */
Test(interception, treats_ip_options_as_the_kernel_does_when_it_forwards)
{
    VERIFIES("RFC5971-5.3.2.4-2");
    struct scene scene;
    uint8_t payload[PAYLOAD];
    struct query_header options = {
        .options = {0x94, 4, 0, 65, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, .options_length = 16};
    scene_start(&scene, false);
    fill_payload(payload, 0x12345678, true);
    send_with_options(&scene, GIST_PORT, &options, payload);
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.right.count == 1 && scene.middle.count == 0);
    struct query_header forwarded = scene.right.header;
    fill_payload(payload, 0x4e04bda5, true);
    send_with_options(&scene, GIST_PORT, &options, payload);
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.middle.count == 1);
    cr_assert(query_sender_forward(scene.middle.queries, scene.middle.routes, &scene.middle.arrival,
        &scene.middle.header, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    cr_assert(forwarded.options_length == 16 && forwarded.options[6] > 4);
    REQUIRE("RFC5971-5.3.2.4-2", scene.right.header.options_length == 16);
    REQUIRE("RFC5971-5.3.2.4-2", memcmp(scene.right.header.options, forwarded.options, 16) == 0);
}

static void require_untouched(
    bool router_alert_required, bool has_router_alert, uint32_t magic, bool c_flag)
{
    struct scene scene;
    uint8_t payload[PAYLOAD];
    struct gist_query_route route = route_right(has_router_alert);
    scene_start(&scene, router_alert_required);
    route.source = gist_address_v4(0xc0000202);
    fill_payload(payload, magic, c_flag);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    REQUIRE("RFC5971-4.3.4-1", scene.middle.count == 0 && scene.right.count == 1);
    cr_assert(scene.right.length == PAYLOAD && memcmp(scene.right.payload, payload, PAYLOAD) == 0);
    cr_assert(scene.right.arrival.ip_ttl == 16);
}

Test(interception, leaves_alone_what_is_not_gist)
{
    VERIFIES("RFC5971-4.3.4-1");
    require_untouched(false, false, 0x12345678, true);
}

Test(interception, leaves_alone_what_is_not_gist_though_it_has_a_router_alert)
{
    VERIFIES("RFC5971-4.3.4-1");
    require_untouched(false, true, 0x12345678, true);
}

Test(interception, leaves_alone_gist_messages_between_other_nodes)
{
    VERIFIES("RFC5971-4.3.4-1");
    require_untouched(false, true, 0x4e04bda5, false);
}

Test(interception, leaves_alone_queries_without_router_alert_where_it_is_required)
{
    VERIFIES("RFC5971-4.3.4-1");
    require_untouched(true, false, 0x4e04bda5, true);
}

/* A Query's datagram in a packet of another protocol, or the whole of its packet in a tunnel. */
static void send_in_protocol(int sender, uint8_t protocol)
{
    enum { HEADER = 24 }; /* with router alert */
    static uint8_t query[QUERY_PACKET_MAX];
    uint8_t payload[PAYLOAD], packet[256];
    struct gist_query_route route = route_right(true);
    struct query_header header = query_header_of(&route);
    struct gist_endpoint source = {gist_address_v4(0xc0000202), GIST_PORT},
                         destination = {route.destination, GIST_PORT};
    fill_payload(payload, 0x4e04bda5, true);
    size_t length = query_packet(query, &source, &destination, 17, &header, payload, PAYLOAD);
    size_t skipped = protocol == IPPROTO_IPIP ? 0 : HEADER;
    memcpy(packet, query, HEADER);
    memcpy(packet + HEADER, query + skipped, length - skipped);
    packet[9] = protocol; /* length and checksum are the kernel's to set */
    length = HEADER + length - skipped;
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, destination.address.octets, 4);
    cr_assert(
        sendto(sender, packet, length, 0, (struct sockaddr *)&to, sizeof(to)) == (ssize_t)length);
}

static int raw_socket(int where, int protocol)
{
    struct timeval wait = {.tv_sec = WAIT_MS / 1000};
    namespace_enter(where);
    int descriptor = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, protocol);
    cr_assert(descriptor >= 0);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    return descriptor;
}

Test(interception, leaves_alone_what_is_tunnelled_protected_or_not_udp)
{
    VERIFIES("RFC5971-5.3.2.3-2");
    static const uint8_t protocols[] = {IPPROTO_IPIP, IPPROTO_UDPLITE, IPPROTO_ESP, IPPROTO_AH};
    struct scene scene;
    scene_start(&scene, false);
    int sender = raw_socket(scene.path.left, IPPROTO_RAW);
    for (size_t i = 0; i < sizeof(protocols); i++) {
        uint8_t received[256];
        int receiver = raw_socket(scene.path.right, protocols[i]);
        send_in_protocol(sender, protocols[i]);
        REQUIRE("RFC5971-5.3.2.3-2", recv(receiver, received, sizeof(received), 0) > PAYLOAD);
        close(receiver);
    }
    uint8_t payload[PAYLOAD];
    struct gist_query_route route = route_right(true);
    fill_payload(payload, 0x4e04bda5, true);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    REQUIRE("RFC5971-5.3.2.3-2", scene.middle.count == 1 && scene.right.count == 0);
    close(sender);
}

Test(interception, is_not_needed_for_a_query_to_this_node)
{
    struct scene scene;
    uint8_t payload[PAYLOAD];
    struct gist_query_route route = route_right(true);
    scene_start(&scene, false);
    route.destination = gist_address_v4(0xc0000201);
    fill_payload(payload, 0x4e04bda5, true);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.middle.count == 1 && scene.middle.arrival.q_mode);
    fill_payload(payload, 0x4e04bda5, false);
    cr_assert(query_sender_send(scene.left.queries, &route, payload, PAYLOAD));
    wait_for(&scene.middle, &scene.right);
    cr_assert(scene.middle.count == 2 && !scene.middle.arrival.q_mode);
}

#define ADD_IPV6 "ip -6 address add 2001:db8:%d::%d/64 dev %s nodad"

static void add_ipv6(const struct scene *scene)
{
    namespace_enter(scene->path.left);
    run(ADD_IPV6, 1, 2, "wire");
    run("ip -6 route add default via 2001:db8:1::1");
    namespace_enter(scene->path.right);
    run(ADD_IPV6, 2, 2, "wire");
    run("ip -6 route add default via 2001:db8:2::1");
    namespace_enter(scene->path.middle);
    run("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    run(ADD_IPV6, 1, 1, "inside");
    run(ADD_IPV6, 2, 1, "outside");
}

static int ipv6_socket(int where, const char *own, const char *peer)
{
    struct timeval wait = {.tv_usec = 100000};
    struct sockaddr_in6 local = {.sin6_family = AF_INET6, .sin6_port = htons(GIST_PORT)};
    struct sockaddr_in6 remote = local;
    cr_assert(inet_pton(AF_INET6, own, &local.sin6_addr) == 1);
    cr_assert(inet_pton(AF_INET6, peer, &remote.sin6_addr) == 1);
    namespace_enter(where);
    int descriptor = socket(AF_INET6, SOCK_DGRAM, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    cr_assert(bind(descriptor, (struct sockaddr *)&local, sizeof(local)) == 0);
    cr_assert(connect(descriptor, (struct sockaddr *)&remote, sizeof(remote)) == 0);
    return descriptor;
}

/* Which comes through first, of two that are sent again and again: links take a while to be ready.
 */
static uint8_t first_through(const struct scene *scene, const uint8_t *one, const uint8_t *other)
{
    uint8_t heard[PAYLOAD];
    ssize_t length = -1;
    int from = ipv6_socket(scene->path.left, "2001:db8:1::2", "2001:db8:2::2");
    int to = ipv6_socket(scene->path.right, "2001:db8:2::2", "2001:db8:1::2");
    for (unsigned tries = 0; length < 0; tries++) {
        cr_assert(tries < IPV6_TRIES, "nothing comes through");
        cr_assert(send(from, one, PAYLOAD, 0) == PAYLOAD);
        cr_assert(send(from, other, PAYLOAD, 0) == PAYLOAD);
        length = recv(to, heard, PAYLOAD, 0);
    }
    cr_assert_eq(length, PAYLOAD);
    close(from);
    close(to);
    return heard[PAYLOAD - 1];
}

/* Carried past, it would bring back a success of which this firewall knows nothing. */
Test(interception, lets_no_query_of_natfw_past_by_ipv6_though_nothing_else_is_closed)
{
    struct scene scene;
    uint8_t query[PAYLOAD], of_others[PAYLOAD], no_gist[PAYLOAD];
    scene_start(&scene, false);
    add_ipv6(&scene);
    fill_payload(query, 0x4e04bda5, true);
    memcpy(of_others, query, PAYLOAD);
    of_others[NSLP_ID_AT]++;
    fill_payload(no_gist, 0x12345678, true);
    query[PAYLOAD - 1] = 1;
    of_others[PAYLOAD - 1] = 2;
    no_gist[PAYLOAD - 1] = 3;
    cr_assert_eq(first_through(&scene, query, no_gist), 3);
    cr_assert_eq(first_through(&scene, query, of_others), 2);
}

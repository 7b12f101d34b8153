/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP associations: both directions, peers that do not read, limits, descriptors that run out. */
#include "reference-node/tests/association_bench.h"
#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

Test(association_socket, carries_octets_both_ways_and_tells_of_the_end)
{
    struct node node;
    char heard[8] = "";
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    cr_assert(send(peer, "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received == 5);
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"world", 5));
    TURN_UNTIL(&node, recv(peer, heard, sizeof(heard), 0) == 5);
    close(peer);
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert(!association_socket_write(node.associations, 1, (const uint8_t *)"x", 1));
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, sends_what_was_written_before_it_closes)
{
    struct node node;
    char heard[8] = "";
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"bye", 3));
    association_socket_close(node.associations, 1);
    TURN_UNTIL(&node, recv(peer, heard, sizeof(heard), 0) == 3);
    TURN_UNTIL(&node, peer_has_ended(peer));
    cr_assert(node.closed == 0, "the node is told of what it closed itself");
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, sends_what_it_writes_before_it_closes_though_more_was_under_way)
{
    struct node node;
    char heard[8] = "";
    size_t length = 0;
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    cr_assert(send(peer, "w", 1, MSG_NOSIGNAL) == 1);
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"1", 1));
    for (ssize_t part = -1; part != 0;) {
        node_turn(&node);
        part = recv(peer, heard + length, sizeof(heard) - length, MSG_DONTWAIT);
        length += part > 0 ? (size_t)part : 0;
    }
    cr_assert_str_eq(heard, "1bye");
    association_socket_destroy(node.associations);
}

Test(association_socket, may_be_closed_by_what_it_received)
{
    struct node node;
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    (void)!send(peer, "qqq", 3, MSG_NOSIGNAL);
    TURN_UNTIL(&node, peer_has_ended(peer));
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

static uint8_t block[1 << 20];

/* Writes to an association whose peer does not read, until no more is taken. */
static void write_all(struct node *node, gist_association_id id)
{
    size_t taken = 0;
    for (unsigned refused = 0; refused < 3; refused++)
        while (association_socket_write(node->associations, id, block, 65536)) {
            taken += 65536;
            refused = 0;
            node_turn(node);
            cr_assert(taken < 64u << 20, "there is no bound");
        }
}

Test(association_socket, bounds_what_a_peer_leaves_unread)
{
    struct node node;
    node_start(&node);
    peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    write_all(&node, 1);
    cr_assert_not(association_socket_write(node.associations, 1, block, 65536));
    cr_assert(node.closed == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, counts_what_waits_before_it_has_gone_out)
{
    struct node node;
    node_start(&node);
    peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    cr_assert(association_socket_write(node.associations, 1, block, (1 << 20) - 4));
    cr_assert_not(association_socket_write(node.associations, 1, block, 8));
    cr_assert(association_socket_write(node.associations, 1, block, 4));
    association_socket_destroy(node.associations);
}

Test(association_socket, leaves_each_a_part_where_all_together_leave_too_much)
{
    struct node node;
    node_prepare(&node);
    node.limits.output_octets_max = 2 << 20;
    node_start_limited(&node);
    for (unsigned i = 0; i < 3; i++)
        peer_connect();
    TURN_UNTIL(&node, node.accepted == 3);
    cr_assert(association_socket_write(node.associations, 1, block, 1 << 20));
    cr_assert(association_socket_write(node.associations, 2, block, 1 << 20));
    cr_assert_not(association_socket_write(node.associations, 3, block, 65537));
    cr_assert(association_socket_write(node.associations, 3, block, 65536));
    association_socket_close(node.associations, 1);
    cr_assert_not(association_socket_write(node.associations, 3, block, 4), "it waits still");
    association_socket_destroy(node.associations);
}

Test(association_socket, counts_nothing_of_connections_that_have_gone)
{
    struct node node;
    node_prepare(&node);
    node.limits.output_octets_max = 1 << 20;
    node_start_limited(&node);
    for (unsigned round = 1; round <= 5; round++) {
        int peer = peer_connect();
        TURN_UNTIL(&node, node.accepted == round);
        cr_assert(association_socket_write(node.associations, round, block, 1 << 20), "%u", round);
        struct linger reset = {.l_onoff = 1};
        setsockopt(peer, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        close(peer);
        TURN_UNTIL(&node, node.closed == round);
    }
    association_socket_destroy(node.associations);
}

Test(association_socket, sends_much_that_was_written_before_it_closes)
{
    enum { MUCH = (1 << 20) - 3 };
    static uint8_t heard[MUCH + 1];
    struct node node;
    size_t length = 0;
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    for (size_t i = 0; i < MUCH; i++)
        block[i] = (uint8_t)(i * 31 >> 3);
    cr_assert(association_socket_write(node.associations, 1, block, MUCH));
    association_socket_close(node.associations, 1);
    for (unsigned turns = 0; turns < TURNS_MAX; turns++) {
        ssize_t part = recv(peer, heard + length, sizeof(heard) - length, 0);
        if (part == 0)
            break;
        length += part > 0 ? (size_t)part : 0;
        node_turn(&node);
    }
    cr_assert_eq(length, MUCH);
    cr_assert_eq(memcmp(heard, block, MUCH), 0);
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, cuts_off_who_does_not_read_what_was_left_for_it)
{
    struct node node;
    node_prepare(&node);
    node.limits.peer_output_octets_max = 64 << 20;
    node.limits.linger_ms = 100;
    node_start_limited(&node);
    peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    for (unsigned i = 0; i < 16; i++)
        cr_assert(association_socket_write(node.associations, 1, block, sizeof(block)));
    association_socket_close(node.associations, 1);
    cr_assert(association_socket_count(node.associations) == 1);
    TURN_UNTIL(&node, association_socket_count(node.associations) == 0);
    cr_assert(node.closed == 0);
    association_socket_destroy(node.associations);
}

/* What comes to a peer until the end. */
static size_t octets_heard(struct node *node, int peer)
{
    static uint8_t heard[1 << 20];
    size_t count = 0;
    for (unsigned turns = 0; turns < TURNS_MAX;) {
        ssize_t part = recv(peer, heard, sizeof(heard), 0);
        if (part == 0 || (part < 0 && errno != EAGAIN))
            return count;
        count += part > 0 ? (size_t)part : 0;
        if (part < 0) {
            node_turn(node);
            turns++;
        }
    }
    cr_assert_fail("no end after %zu octets", count);
    return count;
}

Test(association_socket, keeps_few_that_were_closed_with_output_left_and_those_the_newest)
{
    enum { PARTS = 8, MORE = 5, ALL = ASSOCIATION_SOCKET_CLOSING_MAX + MORE };
    struct node node;
    int peers[ALL];
    node_prepare(&node);
    node.limits.connections_max = ALL;
    node.limits.linger_ms = 600000; /* however busy the machine */
    node.limits.output_octets_max = node.limits.peer_output_octets_max = 1 << 30;
    node_start_limited(&node);
    for (unsigned i = 0; i < ALL; i++) {
        peers[i] = peer_connect();
        TURN_UNTIL(&node, node.accepted == i + 1);
        for (unsigned part = 0; part < PARTS; part++)
            cr_assert(association_socket_write(node.associations, i + 1, block, sizeof(block)));
        association_socket_close(node.associations, i + 1);
    }
    cr_assert_eq(association_socket_count(node.associations), ASSOCIATION_SOCKET_CLOSING_MAX);
    cr_assert_lt(octets_heard(&node, peers[MORE - 1]), PARTS * sizeof(block));
    cr_assert_eq(octets_heard(&node, peers[MORE]), PARTS * sizeof(block));
    cr_assert_eq(octets_heard(&node, peers[ALL - 1]), PARTS * sizeof(block));
    association_socket_destroy(node.associations);
}

/* A peer that listens by itself, and neither accepts nor reads. */
static void listen_on(uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    cr_assert(bind(listening, (struct sockaddr *)&any, sizeof(any)) == 0);
    cr_assert(listen(listening, 0) == 0);
}

Test(association_socket, has_the_time_to_connect_for_connecting_only)
{
    struct node node;
    node_prepare(&node);
    node.limits.connect_within_ms = 10 * TURN_MS;
    node_start_limited(&node);
    listen_on(FREE_PORT);
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = FREE_PORT};
    cr_assert(association_socket_open(node.associations, 100, GIST_STACK_TCP, &there));
    TURN_UNTIL(&node, node.connected == 1);
    write_all(&node, 100); /* so that something waits */
    for (unsigned turns = 0; turns < 30; turns++)
        node_turn(&node);
    cr_assert(node.closed == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, gives_up_connecting_after_its_time)
{
    struct node node;
    node_prepare(&node);
    node.limits.connect_within_ms = TURN_MS;
    node_start_limited(&node);
    listen_on(FREE_PORT);
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = FREE_PORT};
    /* Who is in its queue already leaves no room for the last. */
    for (gist_association_id id = 100; id < 100 + CONNECTIONS_MAX; id++)
        cr_assert(association_socket_open(node.associations, id, GIST_STACK_TCP, &there));
    TURN_UNTIL(&node, node.closed > 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, refuses_connections_above_its_limit_and_serves_the_others)
{
    struct node node;
    node_start(&node);
    int peers[CONNECTIONS_MAX];
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        peers[i] = peer_connect();
    TURN_UNTIL(&node, node.accepted == CONNECTIONS_MAX);
    int more = peer_connect();
    TURN_UNTIL(&node, peer_has_ended(more));
    cr_assert(node.accepted == CONNECTIONS_MAX);
    cr_assert(send(peers[0], "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received == 5);
    association_socket_destroy(node.associations);
}

Test(association_socket, opens_no_connection_above_its_limit)
{
    struct node node;
    node_start(&node);
    listen_on(FREE_PORT);
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = FREE_PORT};
    for (gist_association_id id = 100; id < 100 + CONNECTIONS_MAX; id++)
        cr_assert(association_socket_open(node.associations, id, GIST_STACK_TCP, &there));
    cr_assert_not(
        association_socket_open(node.associations, 100 + CONNECTIONS_MAX, GIST_STACK_TCP, &there));
    association_socket_close(node.associations, 100);
    cr_assert(
        association_socket_open(node.associations, 100 + CONNECTIONS_MAX, GIST_STACK_TCP, &there));
    association_socket_destroy(node.associations);
}

/* Without a bound of ours TCP sends for a quarter of an hour. */
Test(association_socket, gives_up_a_peer_from_whom_nothing_comes_back)
{
    struct node node;
    node_prepare(&node);
    node.limits.unanswered_s = 1;
    node_start_limited(&node);
    peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    run("nft 'add table ip silence; add chain ip silence in { type filter hook input priority 0; "
        "policy drop; }'");
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"hello", 5));
    TURN_UNTIL(&node, node.closed == 1);
    association_socket_destroy(node.associations);
}

Test(association_socket, connects_and_says_when_it_cannot)
{
    struct node node;
    node_start(&node);
    struct gist_endpoint here = {.address = gist_address_v4(INADDR_LOOPBACK), .port = PORT};
    cr_assert(association_socket_open(node.associations, 100, GIST_STACK_TCP, &here));
    TURN_UNTIL(&node, node.connected == 1 && node.accepted == 1);
    here.port = FREE_PORT;
    cr_assert(association_socket_open(node.associations, 101, GIST_STACK_TCP, &here));
    TURN_UNTIL(&node, node.closed == 1);
    association_socket_destroy(node.associations);
}

Test(association_socket, pauses_when_descriptors_run_out_and_goes_on)
{
    struct node node;
    node_start(&node);
    int peer = peer_connect();
    struct rlimit before, none;
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)peer; /* accept would need a higher number */
    setrlimit(RLIMIT_NOFILE, &none);
    for (unsigned i = 0; i < 5; i++)
        node_turn(&node);
    cr_assert(node.accepted == 0);
    setrlimit(RLIMIT_NOFILE, &before);
    TURN_UNTIL(&node, node.accepted == 1);
    association_socket_destroy(node.associations);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP associations: both directions, a peer that does not read, limits, descriptors that run out.
 */
#include "reference-node/sockets/association_socket.h"

#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 30270, CONNECTIONS_MAX = 4, TURNS_MAX = 500, TURN_MS = 10 };

struct node {
    struct event_base *base;
    struct association_socket *associations;
    unsigned accepted, connected, closed;
    size_t received; /* octets */
    gist_association_id last;
};

static gist_association_id on_accepted(void *context, const struct gist_endpoint *peer,
    const struct gist_endpoint *local, uint32_t interface)
{
    struct node *node = context;
    cr_assert(peer->address.version == 4 && local->port == PORT && interface == 7);
    return node->last = ++node->accepted;
}

static void on_connected(void *context, gist_association_id id, uint32_t interface)
{
    struct node *node = context;
    cr_assert(id == 100 && interface == 7);
    node->connected++;
}

static void on_received(void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct node *node = context;
    node->received += length;
    if (octets[0] == 'q') /* the core may close while it reads */
        association_socket_close(node->associations, id);
}

static void on_closed(void *context, gist_association_id id)
{
    struct node *node = context;
    (void)id;
    node->closed++;
}

static uint32_t interface_to(void *context, const struct gist_address *peer)
{
    (void)context;
    (void)peer;
    return 7;
}

static void node_start(struct node *node)
{
    struct association_listener listener = {.context = node,
        .accepted = on_accepted,
        .connected = on_connected,
        .received = on_received,
        .closed = on_closed,
        .interface_to = interface_to};
    signal(SIGPIPE, SIG_IGN);
    namespace_enter_new();
    memset(node, 0, sizeof(*node));
    node->base = event_base_new();
    node->associations = association_socket_create(node->base, PORT, CONNECTIONS_MAX, &listener);
    cr_assert(node->associations);
}

static void turn(struct node *node)
{
    struct timeval wait = {.tv_usec = TURN_MS * 1000};
    event_base_loopexit(node->base, &wait);
    event_base_dispatch(node->base);
}

#define TURN_UNTIL(node, condition)                                                                \
    for (unsigned turns_ = 0; !(condition); turns_++) {                                            \
        cr_assert(turns_ < TURNS_MAX, "never: %s", #condition);                                    \
        turn(node);                                                                                \
    }

static int peer_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(peer >= 0);
    cr_assert(connect(peer, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
    return peer;
}

static bool has_ended(int peer)
{
    char octet;
    ssize_t length = recv(peer, &octet, 1, 0);
    return length == 0 || (length < 0 && errno == ECONNRESET);
}

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
    TURN_UNTIL(&node, has_ended(peer));
    cr_assert(node.closed == 0, "the node is told of what it closed itself");
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, may_be_closed_by_what_it_received)
{
    struct node node;
    node_start(&node);
    int peer = peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    (void)!send(peer, "qqq", 3, MSG_NOSIGNAL);
    TURN_UNTIL(&node, has_ended(peer));
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, bounds_what_a_peer_leaves_unread)
{
    static uint8_t block[65536];
    struct node node;
    size_t taken = 0;
    node_start(&node);
    peer_connect();
    TURN_UNTIL(&node, node.accepted == 1);
    while (association_socket_write(node.associations, 1, block, sizeof(block))) {
        taken += sizeof(block);
        turn(&node);
        cr_assert(taken < 64u << 20, "there is no bound");
    }
    cr_assert(node.closed == 0);
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
    TURN_UNTIL(&node, has_ended(more));
    cr_assert(node.accepted == CONNECTIONS_MAX);
    cr_assert(send(peers[0], "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received == 5);
    association_socket_destroy(node.associations);
}

Test(association_socket, connects_and_says_when_it_cannot)
{
    struct node node;
    node_start(&node);
    struct gist_endpoint here = {.address = gist_address_v4(INADDR_LOOPBACK), .port = PORT};
    cr_assert(association_socket_open(node.associations, 100, &here));
    TURN_UNTIL(&node, node.connected == 1 && node.accepted == 1);
    here.port = PORT + 1;
    cr_assert(association_socket_open(node.associations, 101, &here));
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
        turn(&node);
    cr_assert(node.accepted == 0);
    setrlimit(RLIMIT_NOFILE, &before);
    TURN_UNTIL(&node, node.accepted == 1);
    association_socket_destroy(node.associations);
}

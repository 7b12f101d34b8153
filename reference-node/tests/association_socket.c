/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP associations: both directions, peers that do not read, limits, descriptors that run out. */
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
    struct association_limits limits;
    struct event_base *base;
    struct association_socket *associations;
    unsigned accepted, connected, closed;
    size_t received; /* octets */
    gist_association_id last;
    bool pauses_other; /* of two associations, when it hears one */
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
    cr_assert(id >= 100 && interface == 7);
    node->connected++;
}

static void on_received(void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct node *node = context;
    node->received += length;
    if (node->pauses_other)
        association_socket_pause(node->associations, 3 - id, true);
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

static void node_start_limited(struct node *node)
{
    struct association_listener listener = {.context = node,
        .accepted = on_accepted,
        .connected = on_connected,
        .received = on_received,
        .closed = on_closed,
        .interface_to = interface_to};
    signal(SIGPIPE, SIG_IGN);
    namespace_enter_new();
    node->base = event_base_new();
    node->associations = association_socket_create(node->base, PORT, &node->limits, &listener);
    cr_assert(node->associations);
}

static void node_prepare(struct node *node)
{
    memset(node, 0, sizeof(*node));
    node->limits = association_limits_default(CONNECTIONS_MAX);
}

static void node_start(struct node *node)
{
    node_prepare(node);
    node_start_limited(node);
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

enum { CROWD = 20, SAID = 12000, TURN_MAX = 16384 };

static void crowd_start(struct node *node, int peers[CROWD])
{
    node_prepare(node);
    node->limits.connections_max = CROWD;
    node_start_limited(node);
    for (unsigned i = 0; i < CROWD; i++)
        peers[i] = peer_connect();
    TURN_UNTIL(node, node->accepted == CROWD);
}

/* Whatever else the loop has to do, for instance to read a datagram. */
struct other_work {
    struct node *node;
    struct event *due;
    size_t received; /* by the node when it last had its turn */
    size_t most;     /* between two of its turns */
};

static void on_other_work(evutil_socket_t descriptor, short what, void *context)
{
    const struct timeval at_once = {0};
    struct other_work *work = context;
    size_t waited = work->node->received - work->received;
    (void)descriptor;
    (void)what;
    work->received = work->node->received;
    work->most = waited > work->most ? waited : work->most;
    event_add(work->due, &at_once);
}

Test(association_socket, hears_in_one_turn_no_more_than_others_can_wait_for)
{
    static char said[SAID];
    struct node node;
    struct other_work work = {.node = &node};
    int peers[CROWD];
    crowd_start(&node, peers);
    for (unsigned i = 0; i < CROWD; i++)
        cr_assert(send(peers[i], said, sizeof(said), 0) == SAID);
    work.due = evtimer_new(node.base, on_other_work, &work);
    on_other_work(-1, 0, &work);
    TURN_UNTIL(&node, node.received == (size_t)CROWD * SAID);
    cr_assert(work.most <= 2 * TURN_MAX, "%zu octets", work.most);
    event_free(work.due);
    association_socket_destroy(node.associations);
}

Test(association_socket, hears_what_peers_said_before_they_ended)
{
    static char said[SAID];
    struct node node;
    int peers[CROWD];
    crowd_start(&node, peers);
    for (unsigned i = 0; i < CROWD; i++) {
        cr_assert(send(peers[i], said, sizeof(said), 0) == SAID);
        close(peers[i]);
    }
    TURN_UNTIL(&node, node.closed == CROWD);
    cr_assert(node.received == (size_t)CROWD * SAID);
    association_socket_destroy(node.associations);
}

Test(association_socket, that_pauses_leaves_octets_with_the_peer_until_it_goes_on)
{
    static char said[SAID];
    struct node node;
    size_t sent = 0;
    node_start(&node);
    int peer = peer_connect(), other = peer_connect();
    TURN_UNTIL(&node, node.accepted == 2);
    for (unsigned again = 0; again < 2; again++) {
        size_t before = node.received;
        association_socket_pause(node.associations, 1, true);
        for (ssize_t length; (length = send(peer, said, sizeof(said), 0)) > 0;) {
            sent += (size_t)length;
            turn(&node);
        }
        cr_assert(node.received == before, "it hears none of it");
        cr_assert(send(other, "hello", 5, 0) == 5);
        TURN_UNTIL(&node, node.received == before + 5);
        sent += 5;
        association_socket_pause(node.associations, 1, false);
        TURN_UNTIL(&node, node.received == sent);
    }
    association_socket_pause(node.associations, 99, true);
    association_socket_destroy(node.associations);
}

Test(association_socket, that_pauses_keeps_what_has_been_read_already)
{
    struct node node;
    node_start(&node);
    int peers[] = {peer_connect(), peer_connect()};
    TURN_UNTIL(&node, node.accepted == 2);
    node.pauses_other = true;
    cr_assert(send(peers[0], "hello", 5, 0) == 5 && send(peers[1], "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received >= 5);
    turn(&node);
    cr_assert(node.received == 5, "the other was read in the same turn");
    association_socket_destroy(node.associations);
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

static uint8_t block[1 << 20];

/* Writes to an association whose peer does not read, until no more is taken. */
static void write_all(struct node *node, gist_association_id id)
{
    size_t taken = 0;
    for (unsigned refused = 0; refused < 3; refused++)
        while (association_socket_write(node->associations, id, block, 65536)) {
            taken += 65536;
            refused = 0;
            turn(node);
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
        turn(&node);
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

Test(association_socket, keeps_few_that_were_closed_with_output_left)
{
    struct node node;
    node_prepare(&node);
    node.limits.connections_max = 2 * ASSOCIATION_SOCKET_CLOSING_MAX;
    node.limits.linger_ms = 600000; /* however busy the machine */
    node.limits.output_octets_max = node.limits.peer_output_octets_max = 1 << 30;
    node_start_limited(&node);
    for (unsigned i = 1; i <= ASSOCIATION_SOCKET_CLOSING_MAX + 5; i++) {
        peer_connect();
        TURN_UNTIL(&node, node.accepted == i);
        for (unsigned part = 0; part < 8; part++)
            cr_assert(association_socket_write(node.associations, i, block, sizeof(block)));
        association_socket_close(node.associations, i);
    }
    cr_assert_eq(association_socket_count(node.associations), ASSOCIATION_SOCKET_CLOSING_MAX);
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
    listen_on(PORT + 1);
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = PORT + 1};
    cr_assert(association_socket_open(node.associations, 100, &there));
    TURN_UNTIL(&node, node.connected == 1);
    write_all(&node, 100); /* so that something waits */
    for (unsigned turns = 0; turns < 30; turns++)
        turn(&node);
    cr_assert(node.closed == 0);
    association_socket_destroy(node.associations);
}

Test(association_socket, gives_up_connecting_after_its_time)
{
    struct node node;
    node_prepare(&node);
    node.limits.connect_within_ms = TURN_MS;
    node_start_limited(&node);
    listen_on(PORT + 1);
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = PORT + 1};
    /* Who is in its queue already leaves no room for the last. */
    for (gist_association_id id = 100; id < 100 + CONNECTIONS_MAX; id++)
        cr_assert(association_socket_open(node.associations, id, &there));
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

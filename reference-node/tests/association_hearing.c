/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is heard of associations over TCP, by turns, with pauses, and up to their end. */
#include "reference-node/tests/association_bench.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CROWD = 20, SAID = 12000, LAST = 2000, TURN_MAX = 16384 };

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

Test(association_hearing, hears_in_one_turn_no_more_than_others_can_wait_for)
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

Test(association_hearing, hears_what_peers_said_before_they_ended)
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

Test(association_hearing, that_pauses_leaves_octets_with_the_peer_until_it_goes_on)
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
            node_turn(&node);
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

Test(association_hearing, that_pauses_keeps_what_has_been_read_already)
{
    struct node node;
    node_start(&node);
    int peers[] = {peer_connect(), peer_connect()};
    TURN_UNTIL(&node, node.accepted == 2);
    node.pauses_other = true;
    cr_assert(send(peers[0], "hello", 5, 0) == 5 && send(peers[1], "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received >= 5);
    node_turn(&node);
    cr_assert(node.received == 5, "the other was read in the same turn");
    association_socket_destroy(node.associations);
}

/* Whose turn comes late is at its end before it is heard. */
Test(association_hearing, that_pauses_as_the_peer_ends_is_heard_to_its_last)
{
    static char said[SAID];
    struct node node;
    int peers[CROWD];
    crowd_start(&node, peers);
    node.pauses = true;
    for (unsigned i = 0; i < CROWD; i++) {
        cr_assert(send(peers[i], said, LAST, 0) == LAST);
        close(peers[i]);
    }
    for (unsigned turns = 0; turns < TURNS_MAX && node.closed < CROWD; turns++) {
        node_turn(&node);
        node_go_on(&node);
    }
    cr_assert(node.closed == CROWD);
    cr_assert(node.received == (size_t)CROWD * LAST, "%zu octets", node.received);
    cr_assert(association_socket_count(node.associations) == 0);
    association_socket_destroy(node.associations);
}

/* A peer that is gone resets what it is sent. */
Test(association_hearing, that_is_reset_in_its_pause_is_heard_to_its_last)
{
    static char said[SAID];
    struct node node;
    node_start(&node);
    int peer = peer_connect(), other = peer_connect();
    TURN_UNTIL(&node, node.accepted == 2);
    association_socket_pause(node.associations, 1, true);
    cr_assert(send(peer, said, sizeof(said), 0) == SAID);
    close(peer);
    for (unsigned again = 0; again < 3; again++) {
        cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"hello", 5));
        cr_assert(send(other, "hello", 5, 0) == 5);
        TURN_UNTIL(&node, node.received == (again + 1) * 5);
    }
    cr_assert(node.closed == 0);
    association_socket_pause(node.associations, 1, false);
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert(node.received == SAID + 15, "%zu octets", node.received);
    cr_assert(send(other, "hello", 5, 0) == 5);
    TURN_UNTIL(&node, node.received == SAID + 20);
    association_socket_destroy(node.associations);
}

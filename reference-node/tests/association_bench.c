/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections on the bench; see association_bench.h. */
#include "reference-node/tests/association_bench.h"

#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

static gist_association_id on_accepted(void *context, enum gist_stack stack,
    const struct gist_endpoint *peer, const struct gist_endpoint *local, uint32_t interface)
{
    struct node *node = context;
    cr_assert(peer->address.version == 4 && interface == 7);
    cr_assert(local->port == (stack == GIST_STACK_TCP ? PORT : SECURE_PORT));
    node->last_stack = stack;
    return node->last = ++node->accepted;
}

static void on_connected(void *context, gist_association_id id, uint32_t interface)
{
    struct node *node = context;
    cr_assert(id >= 100 && interface == 7);
    node->connected++;
}

static void pause_of(struct node *node, gist_association_id id, bool pauses)
{
    node->is_paused[id] = pauses;
    association_socket_pause(node->associations, id, pauses);
}

static void on_received(void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct node *node = context;
    node->received += length;
    cr_assert(id < ASSOCIATIONS_MAX && !node->is_paused[id], "heard though it pauses");
    if (node->pauses)
        pause_of(node, id, true);
    if (node->pauses_other)
        pause_of(node, 3 - id, true);
    if (octets[0] == 'w') {
        association_socket_write(node->associations, id, (const uint8_t *)"bye", 3);
        association_socket_close(node->associations, id);
        return;
    }
    if (octets[0] == 'q') /* the core may close while it reads */
        association_socket_close(node->associations, id);
}

static void on_closed(void *context, gist_association_id id)
{
    struct node *node = context;
    cr_assert(!node->is_paused[id], "told of the end before the rest is heard");
    node->closed++;
}

static uint32_t interface_to(void *context, const struct gist_address *peer)
{
    (void)context;
    (void)peer;
    return 7;
}

static bool may_be_peer(void *context, const SSL *tls, const struct gist_address *source)
{
    const struct node *node = context;
    cr_assert(SSL_is_init_finished(tls) && source->version == 4);
    return !node->authorises_nobody;
}

static bool knows(void *context, const struct gist_address *peer, uint32_t interface)
{
    const struct node *node = context;
    (void)peer;
    cr_assert(interface == 7);
    return node->knows;
}

void node_start_limited(struct node *node)
{
    struct association_listener listener = {.context = node,
        .may_be_peer = may_be_peer,
        .accepted = on_accepted,
        .connected = on_connected,
        .received = on_received,
        .closed = on_closed,
        .interface_to = interface_to,
        .knows = knows};
    struct association_ports ports = {.plain = PORT, .secure = SECURE_PORT};
    signal(SIGPIPE, SIG_IGN);
    namespace_enter_new();
    node->base = event_base_new();
    node->associations = association_socket_create(node->base, &ports, &node->limits, &listener);
    cr_assert(node->associations);
}

void node_prepare(struct node *node)
{
    memset(node, 0, sizeof(*node));
    node->limits = association_limits_default(CONNECTIONS_MAX);
}

void node_start(struct node *node)
{
    node_prepare(node);
    node_start_limited(node);
}

void node_turn(struct node *node)
{
    struct timeval wait = {.tv_usec = TURN_MS * 1000};
    event_base_loopexit(node->base, &wait);
    event_base_dispatch(node->base);
}

int peer_connect(void)
{
    return peer_connect_to(PORT);
}

int peer_connect_to(uint16_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int peer = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(peer >= 0);
    cr_assert(connect(peer, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS);
    return peer;
}

bool peer_has_ended(int peer)
{
    char octet;
    ssize_t length = recv(peer, &octet, 1, 0);
    return length == 0 || (length < 0 && errno == ECONNRESET);
}

void node_go_on(struct node *node)
{
    for (gist_association_id id = 0; id < ASSOCIATIONS_MAX; id++)
        if (node->is_paused[id])
            pause_of(node, id, false);
}

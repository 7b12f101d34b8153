/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP connections of messaging associations; see association_socket.h. */
#include "reference-node/sockets/association_socket.h"

#include "core/base/container.h"
#include "reference-node/base/acceptor.h"
#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/sockets/own_addresses.h"
#include "reference-node/sockets/turn_input.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uthash.h>

enum {
    BACKLOG = 128,
    INPUT_MAX = 4096, /* of one peer in one turn */
    CROWD_PART = 16,  /* of a peer's output, when all together leave too much */
    KEEPALIVE_AFTER_S = 60,
    ENDS_AT_ONCE = 64 /* of connections without an address */
};

struct connection {
    struct association_socket *owner;
    gist_association_id id;
    struct bufferevent *stream;
    struct turn_waiter turn; /* to be heard, after others were */
    struct event *patience;  /* to connect, and to send what is left; those of a bufferevent begin
                                anew with each write */
    struct gist_endpoint peer;
    bool is_paused;   /* the core does not want to hear it now */
    bool is_closing;  /* the core has let go of it: only output is left */
    bool is_stranded; /* it had no address of ours any more when that was looked at last */
    uint32_t doubt;   /* as its owner's when the interface towards the peer was last asked for */
    struct connection *next_closing;
    struct connection *previous_closing;
    UT_hash_handle hh;
};

struct association_socket {
    struct event_base *base;
    struct association_listener listener;
    struct acceptor *acceptor;
    struct connection *connections; /* by id */
    struct connection *closing;     /* a list, the newest first */
    size_t closing_count;
    size_t output_octets; /* of both */
    uint32_t doubt;       /* another one each time that the network has changed */
    struct turn_input turn_input;
    struct association_limits limits;
};

struct association_limits association_limits_default(size_t connections_max)
{
    return (struct association_limits){.connections_max = connections_max,
        .output_octets_max = 16 << 20,
        .peer_output_octets_max = 1 << 20,
        .connect_within_ms = 10000,
        .linger_ms = 5000,
        .unanswered_s = 20};
}

static struct gist_endpoint endpoint_of(const struct sockaddr *address)
{
    struct sockaddr_in ipv4;
    memcpy(&ipv4, address, sizeof(ipv4));
    return (struct gist_endpoint){
        .address = gist_address_v4(ntohl(ipv4.sin_addr.s_addr)), .port = ntohs(ipv4.sin_port)};
}

static struct connection *find(struct association_socket *associations, gist_association_id id)
{
    struct connection *connection;
    HASH_FIND(hh, associations->connections, &id, sizeof(id), connection);
    return connection;
}

static void unlink_closing(struct connection *connection)
{
    connection->owner->closing_count--;
    if (connection->previous_closing)
        connection->previous_closing->next_closing = connection->next_closing;
    else
        connection->owner->closing = connection->next_closing;
    if (connection->next_closing)
        connection->next_closing->previous_closing = connection->previous_closing;
}

static size_t waiting(const struct connection *connection)
{
    return evbuffer_get_length(bufferevent_get_output(connection->stream));
}

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *change, void *context)
{
    (void)output;
    struct association_socket *associations = context;
    associations->output_octets += change->n_added - change->n_deleted;
}

static void discard(struct connection *connection)
{
    bufferevent_free(connection->stream);
    event_free(connection->patience);
    turn_input_leave(&connection->owner->turn_input, &connection->turn);
    free(connection);
}

static void release(struct connection *connection)
{
    connection->owner->output_octets -= waiting(connection);
    if (connection->is_closing)
        unlink_closing(connection);
    else
        HASH_DEL(connection->owner->connections, connection);
    discard(connection);
}

static uint32_t interface_to(struct connection *connection)
{
    const struct association_listener *listener = &connection->owner->listener;
    connection->doubt = connection->owner->doubt;
    return listener->interface_to(listener->context, &connection->peer.address);
}

/* Hands so much over of what is there; the rest has its turn later. The core may close the
 * association meanwhile. */
static void hear(struct connection *connection, size_t most)
{
    struct association_socket *associations = connection->owner;
    struct evbuffer *input = bufferevent_get_input(connection->stream);
    gist_association_id id = connection->id;
    uint8_t octets[INPUT_MAX];
    if (connection->is_paused || connection->is_closing)
        return;
    if (connection->doubt != associations->doubt)
        associations->listener.connected(
            associations->listener.context, id, interface_to(connection));
    if (find(associations, id) != connection)
        return;
    int length = evbuffer_remove(input, octets, most < sizeof(octets) ? most : sizeof(octets));
    if (evbuffer_get_length(input) > 0)
        turn_input_wait(&associations->turn_input, &connection->turn);
    if (length <= 0)
        return;
    turn_input_take(&associations->turn_input, (size_t)length);
    associations->listener.received(associations->listener.context, id, octets, (size_t)length);
}

static void on_turn(struct turn_waiter *turn)
{
    struct connection *connection = BASE_CONTAINER(turn, struct connection, turn);
    hear(connection, turn_input_left(&connection->owner->turn_input));
}

static void on_readable(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct connection *connection = context;
    if (!connection->turn.waits)
        hear(connection, turn_input_left(&connection->owner->turn_input));
}

/* Everything has gone out. */
static void on_drained(struct bufferevent *stream, void *context)
{
    (void)stream;
    struct connection *connection = context;
    if (connection->is_closing)
        release(connection);
}

/* It failed, or the peer has ended it; the core is told unless it has let go. */
static void end(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    gist_association_id id = connection->id;
    bool tell = !connection->is_closing;
    release(connection);
    if (tell)
        associations->listener.closed(associations->listener.context, id);
}

/* What it has sent before it ended is heard, whosever turn it is. One that pauses is read when it
 * goes on, up to its end, which is found once more. */
static void end_after_its_last(struct connection *connection)
{
    struct association_socket *associations = connection->owner;
    gist_association_id id = connection->id;
    bool is_closing = connection->is_closing;
    hear(connection, INPUT_MAX);
    if (is_closing || (find(associations, id) == connection && !connection->is_paused))
        end(connection);
}

static void on_event(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    struct connection *connection = context;
    struct association_socket *associations = connection->owner;
    if (!(what & BEV_EVENT_CONNECTED)) {
        end_after_its_last(connection);
        return;
    }
    if (connection->is_closing)
        return;
    event_del(connection->patience);
    associations->listener.connected(
        associations->listener.context, connection->id, interface_to(connection));
}

static void on_impatience(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    end(context);
}

/* A peer whose address has gone cannot say so. */
static void set_patience(evutil_socket_t descriptor, const struct association_limits *limits)
{
    int one = 1, after_s = KEEPALIVE_AFTER_S, unanswered_ms = (int)limits->unanswered_s * 1000;
    setsockopt(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof(unanswered_ms));
    setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    setsockopt(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &after_s, sizeof(after_s));
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* Takes the descriptor over, also when it fails; -1 makes a socket for connecting. */
static struct connection *add(struct association_socket *associations, evutil_socket_t descriptor,
    const struct gist_endpoint *peer)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    struct bufferevent *stream = connection ? bufferevent_socket_new(associations->base, descriptor,
                                                  BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)
                                            : NULL;
    if (!stream) {
        if (descriptor >= 0)
            evutil_closesocket(descriptor);
        free(connection);
        return NULL;
    }
    connection->patience = evtimer_new(associations->base, on_impatience, connection);
    if (!connection->patience) {
        bufferevent_free(stream);
        free(connection);
        return NULL;
    }
    connection->owner = associations;
    connection->stream = stream;
    connection->peer = *peer;
    connection->turn.hear = on_turn;
    bufferevent_setcb(stream, on_readable, on_drained, on_event, connection);
    bufferevent_setwatermark(stream, EV_READ, 0, INPUT_MAX);
    evbuffer_add_cb(bufferevent_get_output(stream), on_output, associations);
    return connection;
}

static void keep(struct connection *connection, gist_association_id id)
{
    struct association_socket *associations = connection->owner;
    connection->id = id;
    HASH_ADD(hh, associations->connections, id, sizeof(id), connection);
}

static void on_accept(
    void *context, evutil_socket_t descriptor, const struct sockaddr *address, socklen_t length)
{
    struct association_socket *associations = context;
    struct sockaddr_in own;
    socklen_t own_length = sizeof(own);
    if (HASH_COUNT(associations->connections) >= associations->limits.connections_max ||
        length < sizeof(struct sockaddr_in) ||
        getsockname(descriptor, (struct sockaddr *)&own, &own_length) < 0) {
        evutil_closesocket(descriptor);
        return;
    }
    struct gist_endpoint peer = endpoint_of(address);
    struct gist_endpoint local = endpoint_of((struct sockaddr *)&own);
    set_patience(descriptor, &associations->limits);
    struct connection *connection = add(associations, descriptor, &peer);
    if (!connection)
        return;
    const struct association_listener *listener = &associations->listener;
    gist_association_id id =
        listener->accepted(listener->context, &peer, &local, interface_to(connection));
    if (id == 0) {
        discard(connection);
        return;
    }
    keep(connection, id);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
}

static bool listen_on(struct association_socket *associations, uint16_t port)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct acceptor_listener connections = {
        .context = associations, .name = "tcp", .accepted = on_accept};
    int one = 1;
    int bound = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bound < 0)
        return false;
    setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(bound, (struct sockaddr *)&any, sizeof(any)) == 0) {
        associations->acceptor = acceptor_create(associations->base, bound, BACKLOG, &connections);
        return associations->acceptor;
    }
    int error = errno;
    close(bound);
    errno = error;
    return false;
}

struct association_socket *association_socket_create(struct event_base *base, uint16_t port,
    const struct association_limits *limits, const struct association_listener *listener)
{
    struct association_socket *associations = calloc(1, sizeof(*associations));
    if (!associations)
        return NULL;
    associations->base = base;
    associations->listener = *listener;
    associations->limits = *limits;
    if (turn_input_open(&associations->turn_input, base) &&
        (port == 0 || listen_on(associations, port)))
        return associations;
    int error = errno;
    association_socket_destroy(associations);
    errno = error;
    return NULL;
}

void association_socket_destroy(struct association_socket *associations)
{
    if (!associations)
        return;
    struct connection *connection, *next;
    HASH_ITER(hh, associations->connections, connection, next)
        release(connection);
    while (associations->closing)
        release(associations->closing);
    acceptor_destroy(associations->acceptor);
    turn_input_close(&associations->turn_input);
    free(associations);
}

bool association_socket_open(struct association_socket *associations, gist_association_id id,
    const struct gist_endpoint *peer)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    struct timeval within = clock_timeval(associations->limits.connect_within_ms);
    if (peer->address.version != 4 ||
        HASH_COUNT(associations->connections) >= associations->limits.connections_max)
        return false;
    memcpy(&to.sin_addr, peer->address.octets, 4);
    struct connection *connection = add(associations, -1, peer);
    if (!connection)
        return false;
    keep(connection, id);
    bufferevent_enable(connection->stream, EV_READ | EV_WRITE);
    event_add(connection->patience, &within);
    if (bufferevent_socket_connect(connection->stream, (struct sockaddr *)&to, sizeof(to)) < 0) {
        release(connection);
        return false;
    }
    set_patience(bufferevent_getfd(connection->stream), &associations->limits);
    return true;
}

/* Octets that this peer may still leave with us. */
static size_t room_for(const struct connection *connection)
{
    const struct association_socket *associations = connection->owner;
    bool is_crowded = associations->output_octets >= associations->limits.output_octets_max;
    size_t most = associations->limits.peer_output_octets_max / (is_crowded ? CROWD_PART : 1);
    return waiting(connection) < most ? most - waiting(connection) : 0;
}

bool association_socket_write(struct association_socket *associations, gist_association_id id,
    const uint8_t *octets, size_t length)
{
    struct connection *connection = find(associations, id);
    if (!connection)
        return false;
    if (length > room_for(connection))
        return false;
    return bufferevent_write(connection->stream, octets, length) == 0;
}

void association_socket_pause(
    struct association_socket *associations, gist_association_id id, bool pauses)
{
    struct connection *connection = find(associations, id);
    if (!connection)
        return;
    connection->is_paused = pauses;
    if (pauses) {
        bufferevent_disable(connection->stream, EV_READ);
    } else {
        bufferevent_enable(connection->stream, EV_READ);
        turn_input_wait(&associations->turn_input, &connection->turn);
    }
}

static void end_oldest_closing(struct association_socket *associations)
{
    struct connection *oldest = associations->closing;
    while (oldest->next_closing)
        oldest = oldest->next_closing;
    release(oldest);
}

/* What was written goes out for some seconds more; without any, the connection ends at once. */
void association_socket_close(struct association_socket *associations, gist_association_id id)
{
    struct timeval linger = clock_timeval(associations->limits.linger_ms);
    struct connection *connection = find(associations, id);
    if (!connection)
        return;
    if (waiting(connection) == 0) {
        release(connection);
        return;
    }
    HASH_DEL(associations->connections, connection);
    turn_input_leave(&associations->turn_input, &connection->turn);
    connection->is_closing = true;
    connection->next_closing = associations->closing;
    if (associations->closing)
        associations->closing->previous_closing = connection;
    associations->closing = connection;
    if (++associations->closing_count > ASSOCIATION_SOCKET_CLOSING_MAX)
        end_oldest_closing(associations);
    bufferevent_disable(connection->stream, EV_READ);
    event_add(connection->patience, &linger);
}

void association_socket_doubt(struct association_socket *associations)
{
    associations->doubt++;
}

bool association_socket_check_addresses(struct association_socket *associations)
{
    struct own_addresses own = {
        .is_local = associations->listener.is_local, .context = associations->listener.context};
    gist_association_id ending[ENDS_AT_ONCE];
    size_t count = 0;
    bool is_settled = true;
    for (struct connection *connection = associations->connections; connection;
         connection = connection->hh.next) {
        bool was_stranded = connection->is_stranded;
        connection->is_stranded = !own_addresses_hold(&own, bufferevent_getfd(connection->stream));
        if (connection->is_stranded && was_stranded && count < ENDS_AT_ONCE)
            ending[count++] = connection->id;
        else if (connection->is_stranded)
            is_settled = false;
    }
    if (count > 0)
        log_line(LOG_LEVEL_INFO, "tcp: %zu connections have ended with their address", count);
    for (size_t i = 0; i < count; i++) {
        struct connection *connection = find(associations, ending[i]);
        if (connection) /* the end of another may have ended it */
            end(connection);
    }
    return is_settled;
}

size_t association_socket_count(const struct association_socket *associations)
{
    return HASH_COUNT(associations->connections) + associations->closing_count;
}

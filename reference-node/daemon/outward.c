/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the core to sockets, routing and timers; see outward.h. */
#include "reference-node/daemon/outward.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/daemon/parts.h"
#include "reference-node/tls/peer_database.h"
#include "reference-node/tls/tls_session.h"

#include <errno.h>
#include <string.h>

void daemon_arm(struct event *timer, uint64_t deadline_ms)
{
    uint64_t now_ms = clock_now_ms();
    if (deadline_ms == GIST_NO_DEADLINE) {
        event_del(timer);
        return;
    }
    struct timeval wait = clock_timeval(deadline_ms > now_ms ? deadline_ms - now_ms : 0);
    event_add(timer, &wait);
}

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    if (datagram_socket_send(daemon->datagrams, peer, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "udp: send: %s", strerror(errno));
    return false;
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    if (query_sender_send(daemon->queries, route, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "query: send: %s", strerror(errno));
    return false;
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    static const struct query_header plain;
    const struct query_header *header = daemon->current_header ? daemon->current_header : &plain;
    if (query_sender_forward(
            daemon->queries, daemon->plane.routes, arrival, header, payload, length))
        return true;
    log_line(LOG_LEVEL_WARNING, "query: forward: %s",
        errno == ELOOP ? "its IP TTL has run out" : strerror(errno));
    return false;
}

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    struct daemon *daemon = context;
    return association_socket_open(daemon->associations, id, stack, peer);
}

static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct daemon *daemon = context;
    return association_socket_write(daemon->associations, id, octets, length);
}

static void association_close(void *context, gist_association_id id)
{
    struct daemon *daemon = context;
    association_socket_close(daemon->associations, id);
}

static void association_pause(void *context, gist_association_id id, bool pauses)
{
    struct daemon *daemon = context;
    association_socket_pause(daemon->associations, id, pauses);
}

static bool credentials_hold(const struct daemon *daemon, SSL *ssl, const struct gist_address *peer)
{
    char address[TEXT_ADDRESS_SIZE], identity[TLS_TEXT_SIZE];
    if (association_socket_trusts(daemon->associations, ssl))
        return true;
    text_of_address(peer, address);
    tls_session_peer(ssl, identity);
    log_line_about(LOG_LEVEL_WARNING, "tls", peer,
        "tls: peer=%s identity=\"%s\": what authenticated it holds no more", address, identity);
    return false;
}

static bool authorises(void *context, gist_association_id id, const struct gist_address *peer,
    const struct gist_mri *flow)
{
    struct daemon *daemon = context;
    SSL *ssl = association_socket_tls(daemon->associations, id);
    if (!ssl || !credentials_hold(daemon, ssl, peer))
        return false;
    struct peer_identity identity = tls_session_identity(ssl);
    return peer_database_allows(&daemon->config->tls, &identity, peer, flow);
}

static bool is_authenticated_as(
    void *context, gist_association_id association, const char *identity)
{
    struct daemon *daemon = context;
    SSL *ssl = association_socket_tls(daemon->associations, association);
    return ssl && tls_session_is(ssl, CONFIG_NAMESPACE_ANY, identity);
}

struct config_identities daemon_identities(struct daemon *daemon)
{
    return (struct config_identities){.context = daemon, .is = is_authenticated_as};
}

static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    struct daemon *daemon = context;
    struct policy_route_answer answer;
    if (!policy_route_lookup(daemon->plane.routes, destination, &answer))
        return false;
    *route = (struct gist_route){
        .local = answer.source, .next_hop = answer.next_hop, .interface = answer.interface};
    return true;
}

static bool is_local(void *context, const struct gist_address *address)
{
    struct daemon *daemon = context;
    struct policy_route_answer answer;
    return policy_route_lookup(daemon->plane.routes, address, &answer) && answer.is_local;
}

static void set_gist_deadline(void *context, uint64_t deadline_ms)
{
    struct daemon *daemon = context;
    daemon_arm(daemon->gist_tick, deadline_ms);
}

struct gist_transport daemon_transport(struct daemon *daemon)
{
    return (struct gist_transport){.context = daemon,
        .send_datagram = send_datagram,
        .send_query = send_query,
        .forward_query = forward_query,
        .association_open = association_open,
        .association_write = association_write,
        .association_close = association_close,
        .association_pause = association_pause,
        .authorises = authorises,
        .route = find_route,
        .is_local = is_local,
        .set_deadline = set_gist_deadline};
}

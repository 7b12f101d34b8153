/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From sockets to the core; see inward.h. */
#include "reference-node/daemon/inward.h"

#include "reference-node/base/clock.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/daemon/outward.h"
#include "reference-node/daemon/parts.h"
#include "reference-node/tls/peer_database.h"
#include "reference-node/tls/tls_session.h"

enum { TRIM_AFTER_S = 5 };

/* For whom the level debug is: one line a datagram or connection. */
static void log_arrival(
    const char *protocol, const struct gist_address *peer, const char *noun, uint64_t number)
{
    char address[TEXT_ADDRESS_SIZE];
    if (!log_keeps(LOG_LEVEL_DEBUG))
        return;
    text_of_address(peer, address);
    log_line(LOG_LEVEL_DEBUG, "%s: from %s: %s %llu", protocol, address, noun,
        (unsigned long long)number);
}

static void on_datagram(void *context, const struct gist_arrival *arrival,
    const struct query_header *header, const uint8_t *payload, size_t length)
{
    struct daemon *daemon = context;
    log_arrival("udp", &arrival->source.address, "octets", length);
    daemon->current_header = header;
    gist_node_receive_datagram(daemon->gist, clock_now_ms(), arrival, payload, length);
    daemon->current_header = NULL;
}

static gist_association_id on_accepted(void *context, enum gist_stack stack,
    const struct gist_endpoint *peer, const struct gist_endpoint *local, uint32_t interface)
{
    struct daemon *daemon = context;
    gist_association_id id =
        gist_node_association_accepted(daemon->gist, clock_now_ms(), stack, peer, local, interface);
    log_arrival(stack == GIST_STACK_TCP ? "tcp" : "tls", &peer->address,
        id ? "association" : "refused", id);
    return id;
}

static void on_connected(void *context, gist_association_id id, uint32_t interface)
{
    struct daemon *daemon = context;
    gist_node_association_connected(daemon->gist, clock_now_ms(), id, interface);
}

static void on_received(void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct daemon *daemon = context;
    gist_node_association_received(daemon->gist, clock_now_ms(), id, octets, length);
}

static void on_closed(void *context, gist_association_id id)
{
    struct daemon *daemon = context;
    struct timeval wait = {.tv_sec = TRIM_AFTER_S};
    if (!event_pending(daemon->trim, EV_TIMEOUT, NULL))
        event_add(daemon->trim, &wait);
    gist_node_association_closed(daemon->gist, clock_now_ms(), id);
}

static uint32_t interface_to(void *context, const struct gist_address *peer)
{
    struct gist_route route = {.interface = 0};
    daemon_transport(context).route(context, peer, &route);
    return route.interface;
}

static bool may_be_peer(void *context, const SSL *tls, const struct gist_address *source)
{
    const struct daemon *daemon = context;
    struct peer_identity identity = tls_session_identity(tls);
    return peer_database_may_allow(&daemon->config->tls, &identity, source);
}

static bool knows(void *context, const struct gist_address *peer, uint32_t interface)
{
    struct daemon *daemon = context;
    struct gist_application application = natfw_node_application(daemon->natfw);
    return application.knows(application.context, clock_now_ms(), peer, interface);
}

struct datagram_listener daemon_datagrams(struct daemon *daemon)
{
    return (struct datagram_listener){.context = daemon, .received = on_datagram};
}

struct association_listener daemon_associations(struct daemon *daemon)
{
    return (struct association_listener){.context = daemon,
        .may_be_peer = may_be_peer,
        .accepted = on_accepted,
        .connected = on_connected,
        .received = on_received,
        .closed = on_closed,
        .interface_to = interface_to,
        .knows = knows,
        .is_local = daemon_transport(daemon).is_local};
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datagrams, Queries, associations and routes; see box_transport.h. */
#include "harness/shim/box_transport.h"

#include "reference-node/tls/dns_name.h"
#include "reference-node/tls/peer_database.h"

#include <stdio.h>
#include <string.h>

enum { TTL_DEFAULT = 64 };

static bool emit(struct box *box, const struct gist_address *destination, size_t length)
{
    const struct port *port = ports_towards(&box->ports, destination);
    if (!port || length == 0 || length > port->mtu)
        return false;
    box->output.packet(box->output.context, port->number, box->packet, length);
    return true;
}

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    static const struct query_header plain;
    struct box *box = context;
    const struct port *port = ports_towards(&box->ports, &peer->address);
    if (!port)
        return false;
    struct gist_endpoint source = {.address = port->address, .port = box->config->gist.udp_port};
    return emit(box, &peer->address,
        query_packet(box->packet, &source, peer, TTL_DEFAULT, &plain, payload, length));
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    struct box *box = context;
    struct gist_endpoint source = {.address = route->source, .port = route->source_port};
    struct gist_endpoint destination = {.address = route->destination, .port = GIST_PORT};
    struct query_header header = query_header_of(route);
    return emit(box, &route->destination,
        query_packet(box->packet, &source, &destination, route->ip_ttl, &header, payload, length));
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    static const struct query_header plain;
    struct box *box = context;
    const struct query_header *header = box->current_header ? box->current_header : &plain;
    if (arrival->ip_ttl <= 1)
        return false;
    return emit(box, &arrival->destination.address,
        query_packet(box->packet, &arrival->source, &arrival->destination,
            (uint8_t)(arrival->ip_ttl - 1), header, payload, length));
}

enum { EPHEMERAL_FIRST = 32768, EPHEMERAL_COUNT = 28232 };

static bool association_open(
    void *context, gist_association_id id, enum gist_stack stack, const struct gist_endpoint *peer)
{
    struct box *box = context;
    const struct port *port = ports_towards(&box->ports, &peer->address);
    if (!port)
        return false;
    struct stream_event opening = {.port = port->number,
        .peer = *peer,
        .own = {.address = port->address,
            .port = (uint16_t)(EPHEMERAL_FIRST + id % EPHEMERAL_COUNT)},
        .stack = stack};
    return streams_open(box->streams, id, &opening);
}

static bool association_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    struct box *box = context;
    return streams_write(box->streams, id, octets, length);
}

static void association_close(void *context, gist_association_id id)
{
    struct box *box = context;
    streams_close(box->streams, id);
}

/* Names are of the DNS: whoever runs the box has authenticated them. */
static bool is_named(const void *context, enum config_namespace namespace, const char *identity)
{
    const char *name = context;
    struct dns_name own = {.octets = name, .length = strlen(name)};
    struct dns_name wanted = {.octets = identity, .length = strlen(identity)};
    return namespace != CONFIG_NAMESPACE_PSK &&
           (strcmp(identity, "*") == 0 || dns_names_match(own, wanted));
}

static void write_name(const void *context, char text[PEER_IDENTITY_TEXT_SIZE])
{
    snprintf(text, PEER_IDENTITY_TEXT_SIZE, "dns:%s", (const char *)context);
}

static bool authorises(void *context, gist_association_id id, const struct gist_address *peer,
    const struct gist_mri *flow)
{
    const struct box *box = context;
    const char *name = streams_name(box->streams, id);
    struct peer_identity identity = {.context = name, .is = is_named, .write = write_name};
    return name && peer_database_allows(&box->config->tls, &identity, peer, flow);
}

static bool is_authenticated_as(
    void *context, gist_association_id association, const char *identity)
{
    const struct box *box = context;
    const char *name = streams_name(box->streams, association);
    return name && is_named(name, CONFIG_NAMESPACE_ANY, identity);
}

struct config_identities box_identities(struct box *box)
{
    return (struct config_identities){.context = box, .is = is_authenticated_as};
}

static bool is_local(void *context, const struct gist_address *address)
{
    const struct box *box = context;
    return ports_is_own(&box->ports, address);
}

static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    const struct box *box = context;
    const struct port *port = ports_towards(&box->ports, destination);
    if (is_local(context, destination)) {
        *route = (struct gist_route){.local = *destination, .interface = INTERFACE_LOOPBACK};
        return true;
    }
    if (!port)
        return false;
    *route = (struct gist_route){.local = port->address, .interface = port_interface(port)};
    return true;
}

static void set_deadline(void *context, uint64_t deadline_ms)
{
    struct box *box = context;
    box->gist_deadline_ms = deadline_ms;
}

uint32_t box_interface_to(const struct box *box, const struct gist_address *peer)
{
    const struct port *port = ports_towards(&box->ports, peer);
    if (ports_is_own(&box->ports, peer))
        return INTERFACE_LOOPBACK;
    return port ? port_interface(port) : 0;
}

struct gist_transport box_transport(struct box *box)
{
    return (struct gist_transport){.context = box,
        .send_datagram = send_datagram,
        .send_query = send_query,
        .forward_query = forward_query,
        .association_open = association_open,
        .association_write = association_write,
        .association_close = association_close,
        .authorises = authorises,
        .route = find_route,
        .is_local = is_local,
        .set_deadline = set_deadline};
}

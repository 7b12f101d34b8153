/* Datagrams of the in-memory network: routed hop by hop, intercepted, lost. See network.h. */
#include "core/gist/tests/network_internal.h"

#include <stdlib.h>
#include <string.h>

enum { HOPS_MAX = 64, DIRECT_TTL = 64 };

static bool is_lost(struct network *network, struct network_datagram *datagram)
{
    if (network->options.on_datagram &&
        network->options.on_datagram(network->options.context, datagram))
        return true;
    return network->options.loss_permille > 0 &&
           network_random(network) % 1000 < network->options.loss_permille;
}

static uint32_t interface_towards(const struct network_place *place, struct network_place *next)
{
    for (size_t i = 0; i < place->route_count; i++)
        if (place->routes[i].next == next)
            return place->routes[i].interface;
    return 1;
}

/* Goes along the routes until somebody takes it; returns false when nobody does. */
static bool carry(struct network_place *from, struct network_datagram *datagram)
{
    struct network_place *at = from;
    for (unsigned hops = 1; hops < HOPS_MAX; hops++) {
        int route = network_find_route(at, &datagram->destination.address);
        if (route < 0)
            return false;
        if (at != from && --datagram->ip_ttl == 0)
            return false;
        struct network_place *next = at->routes[route].next;
        bool local = network_is_at(next, &datagram->destination.address);
        if (local || (datagram->q_mode && next->intercepts)) {
            datagram->to = next;
            if (is_lost(from->network, datagram))
                return true;
            struct event *event = network_schedule(
                from->network, next, EVENT_DATAGRAM, hops, datagram->payload, datagram->length);
            event->arrival = (struct gist_arrival){.source = datagram->source,
                .destination = datagram->destination,
                .interface = interface_towards(next, at),
                .ip_ttl = datagram->ip_ttl,
                .q_mode = datagram->q_mode};
            return true;
        }
        at = next;
    }
    return false;
}

static bool send(struct network_place *place, struct network_datagram *datagram,
    const uint8_t *payload, size_t length)
{
    datagram->from = place;
    datagram->length = length;
    datagram->payload = malloc(length + 1);
    if (!datagram->payload)
        abort();
    memcpy(datagram->payload, payload, length);
    carry(place, datagram);
    free(datagram->payload);
    return true;
}

static bool send_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    struct network_place *place = context;
    int route = network_find_route(place, &peer->address);
    if (route < 0)
        return false;
    struct network_datagram datagram = {
        .source = {place->routes[route].source, GIST_PORT},
        .destination = *peer,
        .ip_ttl = DIRECT_TTL,
    };
    return send(place, &datagram, payload, length);
}

static bool send_query(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    struct network_datagram datagram = {
        .source = {route->source, route->source_port},
        .destination = {route->destination, GIST_PORT},
        .q_mode = true,
        .ip_ttl = route->ip_ttl,
    };
    return send(context, &datagram, payload, length);
}

static bool forward_query(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    struct network_datagram datagram = {
        .source = arrival->source,
        .destination = arrival->destination,
        .q_mode = true,
        .ip_ttl = (uint8_t)(arrival->ip_ttl - 1),
    };
    return datagram.ip_ttl > 0 && send(context, &datagram, payload, length);
}

static bool find_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    struct network_place *place = context;
    int found = network_find_route(place, destination);
    if (found < 0)
        return false;
    const struct network_place *next = place->routes[found].next;
    *route = (struct gist_route){
        .local = place->routes[found].source, .interface = place->routes[found].interface};
    if (!network_is_at(next, destination))
        route->next_hop = next->addresses[0];
    return true;
}

static bool is_local(void *context, const struct gist_address *address)
{
    return network_is_at(context, address);
}

static void set_deadline(void *context, uint64_t deadline_ms)
{
    ((struct network_place *)context)->deadline_ms = deadline_ms;
}

void network_datagram_functions(struct gist_transport *transport)
{
    transport->send_datagram = send_datagram;
    transport->send_query = send_query;
    transport->forward_query = forward_query;
    transport->route = find_route;
    transport->is_local = is_local;
    transport->set_deadline = set_deadline;
}

struct gist_transport network_transport(struct network_place *place)
{
    struct gist_transport transport = {.context = place};
    network_datagram_functions(&transport);
    network_stream_functions(&transport);
    return transport;
}

void network_inject(struct network_place *place, const struct gist_arrival *arrival,
    const uint8_t *payload, size_t length)
{
    if (place->node)
        gist_node_receive_datagram(place->node, place->network->now_ms, arrival, payload, length);
}

void network_arrive(struct event *event)
{
    network_inject(event->place, &event->arrival, event->octets, event->length);
}

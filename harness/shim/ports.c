/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports and routes; see ports.h. */
#include "harness/shim/ports.h"

const char *ports_add(struct ports *ports, const struct port *port)
{
    if (ports->count == PORTS_MAX)
        return "a port too many; there may be 16";
    if (port->number == 0 || ports_find(ports, port->number))
        return "a port whose number is 0 or taken";
    if (port->address.version != 4)
        return "a port without an IPv4 address; this box has no IPv6 yet";
    if (port->prefix > 32)
        return "a port whose prefix is longer than its address";
    ports->ports[ports->count++] = *port;
    return NULL;
}

const char *ports_add_route(
    struct ports *ports, const struct gist_address *prefix, uint8_t bits, uint8_t port)
{
    if (ports->route_count == ROUTES_MAX)
        return "a route too many; there may be 256";
    if (!ports_find(ports, port))
        return "a route by a port that it has not got";
    if (bits > gist_address_length(prefix->version) * 8)
        return "a route whose prefix is longer than its address";
    ports->routes[ports->route_count++] =
        (struct route){.prefix = *prefix, .bits = bits, .port = port};
    return NULL;
}

const struct port *ports_find(const struct ports *ports, uint8_t number)
{
    for (size_t i = 0; i < ports->count; i++)
        if (ports->ports[i].number == number)
            return &ports->ports[i];
    return NULL;
}

const struct port *ports_towards(const struct ports *ports, const struct gist_address *destination)
{
    const struct port *best = NULL;
    int best_bits = -1;
    for (size_t i = 0; i < ports->count; i++) {
        const struct port *port = &ports->ports[i];
        if (gist_address_matches(&port->address, destination, port->prefix) &&
            port->prefix > best_bits) {
            best = port;
            best_bits = port->prefix;
        }
    }
    for (size_t i = 0; i < ports->route_count; i++) {
        const struct route *route = &ports->routes[i];
        if (gist_address_matches(&route->prefix, destination, route->bits) &&
            route->bits > best_bits) {
            best = ports_find(ports, route->port);
            best_bits = route->bits;
        }
    }
    return best;
}

bool ports_is_own(const struct ports *ports, const struct gist_address *address)
{
    for (size_t i = 0; i < ports->count; i++)
        if (gist_address_equal(&ports->ports[i].address, address))
            return true;
    return false;
}

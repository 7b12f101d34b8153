/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ports of a box, and which way a packet goes. docs/shim-protocol.md: PORT, ROUTE. */
#ifndef NATFW_SHIM_PORTS_H
#define NATFW_SHIM_PORTS_H

#include "core/gist/address.h"

enum {
    PORTS_MAX = 16,
    ROUTES_MAX = 256,
    PORT_NAME_SIZE = 16, /* that of an interface */
    INTERFACE_LOOPBACK = 1
};

struct port {
    uint8_t number; /* from 1 */
    char name[PORT_NAME_SIZE];
    struct gist_address address;
    uint8_t prefix; /* bits */
    uint16_t mtu;   /* octets */
};

struct ports {
    struct port ports[PORTS_MAX];
    size_t count;
    struct route {
        struct gist_address prefix;
        uint8_t bits;
        uint8_t port;
    } routes[ROUTES_MAX];
    size_t route_count;
};

/* Each returns NULL, or what is wrong with the port or the route. */
const char *ports_add(struct ports *ports, const struct port *port);
const char *ports_add_route(
    struct ports *ports, const struct gist_address *prefix, uint8_t bits, uint8_t port);

const struct port *ports_find(const struct ports *ports, uint8_t number);

/* The port that packets to this address leave by: the longest prefix decides. NULL without one. */
const struct port *ports_towards(const struct ports *ports, const struct gist_address *destination);

bool ports_is_own(const struct ports *ports, const struct gist_address *address);

/* As the core knows interfaces: by index, that of the loopback being the first. */
static inline uint32_t port_interface(const struct port *port)
{
    return (uint32_t)port->number + INTERFACE_LOOPBACK;
}

#endif

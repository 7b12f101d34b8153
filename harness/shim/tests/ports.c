/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ports and routes of a box: which way a packet goes, and what is refused. */
#include "harness/shim/ports.h"

#include <criterion/criterion.h>
#include <string.h>

static struct ports with_two_ports(void)
{
    struct ports ports = {0};
    struct port inside = {
        .number = 1, .address = gist_address_v4(0xc0000201), .prefix = 24, .mtu = 1500};
    struct port outside = {
        .number = 2, .address = gist_address_v4(0xc6336401), .prefix = 24, .mtu = 1500};
    cr_assert(!ports_add(&ports, &inside) && !ports_add(&ports, &outside));
    return ports;
}

static unsigned towards(const struct ports *ports, uint32_t address)
{
    struct gist_address destination = gist_address_v4(address);
    const struct port *port = ports_towards(ports, &destination);
    return port ? port->number : 0;
}

Test(ports, lead_to_their_own_networks_and_the_longest_route_decides)
{
    struct ports ports = with_two_ports();
    struct gist_address all = gist_address_v4(0), wide = gist_address_v4(0xcb007100),
                        one = gist_address_v4(0xcb007107);
    cr_assert(towards(&ports, 0xc0000263) == 1 && towards(&ports, 0xc6336463) == 2);
    cr_assert(towards(&ports, 0xcb007107) == 0, "there is no route");
    cr_assert(!ports_add_route(&ports, &one, 32, 1));
    cr_assert(!ports_add_route(&ports, &wide, 24, 2) && !ports_add_route(&ports, &all, 0, 1));
    cr_assert(towards(&ports, 0xcb007107) == 1 && towards(&ports, 0xcb007108) == 2);
    cr_assert(towards(&ports, 0x0a000001) == 1);
    cr_assert(towards(&ports, 0xc6336463) == 2, "a network is nearer than a default route");
}

Test(ports, know_their_own_addresses)
{
    struct ports ports = with_two_ports();
    struct gist_address own = gist_address_v4(0xc6336401), other = gist_address_v4(0xc6336402);
    cr_assert(ports_is_own(&ports, &own) && !ports_is_own(&ports, &other));
}

Test(ports, that_cannot_be_are_refused_by_a_sentence)
{
    struct ports ports = with_two_ports();
    struct port port = {.number = 3, .address = gist_address_v4(0xcb007101), .prefix = 24};
    struct port zero = port, taken = port, v6 = port, longer = port;
    struct gist_address prefix = gist_address_v4(0xcb007100);
    zero.number = 0;
    taken.number = 2;
    v6.address = (struct gist_address){.version = 6};
    longer.prefix = 33;
    cr_assert(ports_add(&ports, &zero) && ports_add(&ports, &taken));
    cr_assert(strstr(ports_add(&ports, &v6), "IPv6"));
    cr_assert(ports_add(&ports, &longer) && ports.count == 2);
    cr_assert(ports_add_route(&ports, &prefix, 24, 3), "by a port that is not there");
    cr_assert(ports_add_route(&ports, &prefix, 33, 1) && ports.route_count == 0);
}

Test(ports, and_routes_have_a_limit)
{
    struct ports ports = {0};
    struct gist_address prefix = gist_address_v4(0xcb007100);
    for (uint8_t i = 1; i <= PORTS_MAX + 1; i++) {
        struct port port = {.number = i, .address = gist_address_v4(0xc0000200u + i), .prefix = 32};
        cr_assert((ports_add(&ports, &port) != NULL) == (i > PORTS_MAX));
    }
    for (unsigned i = 0; i <= ROUTES_MAX; i++)
        cr_assert((ports_add_route(&ports, &prefix, 32, 1) != NULL) == (i == ROUTES_MAX));
}

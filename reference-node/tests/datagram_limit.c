/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The limit of datagrams that the kernel keeps: a burst, and each interface has its own. */
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/ruleset.h"
#include "reference-node/tests/namespaces.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT = 270, SENT = 60, LATE = 5 /* that a second or more lets pass beside the burst */ };

static int socket_at(const char *address, uint16_t port)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)};
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    inet_pton(AF_INET, address, &own.sin_addr);
    cr_assert_eq(bind(descriptor, (struct sockaddr *)&own, sizeof(own)), 0);
    return descriptor;
}

static void flood(int where, const char *from, const char *to, uint16_t port)
{
    struct sockaddr_in node = {.sin_family = AF_INET, .sin_port = htons(port)};
    namespace_enter(where);
    int descriptor = socket_at(from, 0);
    inet_pton(AF_INET, to, &node.sin_addr);
    for (unsigned i = 0; i < SENT; i++)
        cr_assert_eq(sendto(descriptor, "data", 4, 0, (struct sockaddr *)&node, sizeof(node)), 4);
    close(descriptor);
}

static unsigned arrived(int descriptor)
{
    char octets[16];
    unsigned count = 0;
    while (recv(descriptor, octets, sizeof(octets), 0) > 0)
        count++;
    return count;
}

/* What comes through, of SENT by each interface. */
static void expect_limit(const struct config *config, unsigned inside, unsigned outside)
{
    struct path path = path_make();
    char *text = ruleset_text(config);
    cr_assert(nft_load(text, stderr));
    free(text);
    int node = socket_at("0.0.0.0", PORT), other = socket_at("0.0.0.0", PORT + 1);
    flood(path.left, "192.0.2.2", "192.0.2.1", PORT);
    unsigned count = arrived(node);
    cr_assert(count >= inside && count <= inside + LATE, "%u by the inside", count);
    flood(path.right, "198.51.100.2", "198.51.100.1", PORT);
    count = arrived(node);
    cr_assert(count >= outside && count <= outside + LATE, "%u by the outside", count);
    flood(path.left, "192.0.2.2", "192.0.2.1", PORT + 1);
    cr_assert_eq(arrived(other), SENT, "another port");
}

static struct config limited(uint32_t burst)
{
    struct config config = path_firewall_config();
    config.datagrams_in_per_second = 1;
    config.datagrams_in_burst = burst;
    return config;
}

Test(datagram_limit, lets_a_burst_pass_on_each_interface)
{
    struct config config = limited(7);
    expect_limit(&config, 7, 7);
}

Test(datagram_limit, lets_a_longer_burst_pass)
{
    struct config config = limited(30);
    expect_limit(&config, 30, 30);
}

Test(datagram_limit, holds_for_interfaces_that_are_not_listed)
{
    struct config config = limited(7);
    config.interface_count = 1; /* the inside */
    expect_limit(&config, 7, 7);
}

Test(datagram_limit, holds_for_a_host)
{
    struct config config = limited(7);
    config.natfw.forwarder = false;
    config.interface_count = 0;
    struct path path = path_make();
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    int node = socket_at("0.0.0.0", PORT);
    flood(path.left, "192.0.2.2", "192.0.2.1", PORT);
    unsigned count = arrived(node);
    cr_assert(count >= 7 && count <= 7 + LATE, "%u", count);
}

Test(datagram_limit, may_be_none)
{
    struct config config = limited(7);
    config.datagrams_in_per_second = 0;
    expect_limit(&config, SENT, SENT);
}

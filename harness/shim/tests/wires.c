/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw sockets at both ends of a path; see wires.h. */
#include "harness/shim/tests/wires.h"

#include "harness/shim/tests/packets.h"
#include "reference-node/base/clock.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

enum { PATIENCE_MS = 5000, HEADER = 20, ID_AT = 4 };

/* Addresses of the wires' ends that need no ARP, so that no packet waits for it. */
#define MAC_OF_HOST   "02:00:00:00:00:02"
#define MAC_OF_ROUTER "02:00:00:00:00:01"

uint32_t wires_host(enum wire_side side, unsigned host)
{
    return (side == LEFT ? 0xc0000200u : 0xc6336400u) + host;
}

static void stay_on_one_processor(void)
{
    cpu_set_t allowed, one;
    int cpu = 0;
    cr_assert(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
    while (!CPU_ISSET(cpu, &allowed))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    cr_assert(sched_setaffinity(0, sizeof(one), &one) == 0);
}

static void name_neighbours(const struct path *path, const char *interface, const char *network)
{
    namespace_enter(path->middle);
    run("ip link set %s address " MAC_OF_ROUTER, interface);
    for (unsigned host = CONTROL_HOST; host < FIRST_HOST + HOSTS_OF_A_SIDE; host++)
        run("ip neigh replace %s.%u lladdr " MAC_OF_HOST " dev %s", network, host, interface);
}

static void open_side(struct wires *wires, enum wire_side side, int where, const char *network)
{
    namespace_enter(where);
    run("ip link set wire address " MAC_OF_HOST);
    run("ip neigh replace %s.1 lladdr " MAC_OF_ROUTER " dev wire", network);
    struct sockaddr_ll link = {.sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_IP),
        .sll_ifindex = (int)if_nametoindex("wire")};
    wires->sender[side] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
    wires->tap[side] = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(wires->sender[side] >= 0 && wires->tap[side] >= 0);
    cr_assert(bind(wires->tap[side], (struct sockaddr *)&link, sizeof(link)) == 0);
}

struct wires wires_open(void)
{
    struct wires wires = {.path = path_make()};
    stay_on_one_processor();
    name_neighbours(&wires.path, "inside", "192.0.2");
    name_neighbours(&wires.path, "outside", "198.51.100");
    open_side(&wires, LEFT, wires.path.left, "192.0.2");
    open_side(&wires, RIGHT, wires.path.right, "198.51.100");
    namespace_enter(wires.path.middle);
    return wires;
}

static uint16_t send_packet(
    struct wires *wires, enum wire_side from, uint8_t *octets, size_t length)
{
    struct sockaddr_in target = {.sin_family = AF_INET};
    uint16_t id = ++wires->last_id ? wires->last_id : ++wires->last_id; /* 0 is the kernel's */
    octets[ID_AT] = (uint8_t)(id >> 8);
    octets[ID_AT + 1] = (uint8_t)id;
    packet_set_header_checksum(octets);
    memcpy(&target.sin_addr, octets + 16, 4);
    ssize_t sent =
        sendto(wires->sender[from], octets, length, 0, (struct sockaddr *)&target, sizeof(target));
    cr_assert(sent == (ssize_t)length, "a packet of %zu octets is not sent", length);
    return id;
}

/* The identification of the next packet that has arrived, within the patience. */
static uint16_t next_arrival(int tap)
{
    uint64_t start_ms = clock_now_ms();
    while (clock_now_ms() - start_ms < PATIENCE_MS) {
        uint8_t octets[256];
        struct sockaddr_ll link;
        socklen_t size = sizeof(link);
        ssize_t length = recvfrom(tap, octets, sizeof(octets), 0, (struct sockaddr *)&link, &size);
        if (length >= HEADER && link.sll_pkttype != PACKET_OUTGOING)
            return (uint16_t)(octets[ID_AT] << 8 | octets[ID_AT + 1]);
        struct pollfd ready = {.fd = tap, .events = POLLIN};
        if (length < 0)
            poll(&ready, 1, 100);
    }
    cr_assert(false, "what must always pass does not arrive");
    return 0;
}

bool wires_carry(struct wires *wires, enum wire_side from, uint8_t *octets, size_t length)
{
    enum wire_side to = from == LEFT ? RIGHT : LEFT;
    struct packet control = packet_of(
        PROTOCOL_NOBODYS, wires_host(from, CONTROL_HOST), 0, wires_host(to, CONTROL_HOST), 0);
    uint16_t id = send_packet(wires, from, octets, length);
    uint16_t last = send_packet(wires, from, control.octets, control.length);
    uint16_t arrived = next_arrival(wires->tap[to]);
    bool has_arrived = arrived == id;
    if (has_arrived)
        arrived = next_arrival(wires->tap[to]);
    cr_assert(arrived == last, "packet %u arrives after %u was sent", arrived, id);
    return has_arrived;
}

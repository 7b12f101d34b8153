/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Raw IPv4 packets that carry Queries; see query_sender.h. */
#include "reference-node/sockets/query_sender.h"

#include "core/spec/spec.h"
#include "core/wire/internet_checksum.h"
#include "core/wire/writer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    IPV4_HEADER = 20,
    UDP_HEADER = 8,
    DONT_FRAGMENT = 0x4000,
    OPTION_END = 0,
    OPTION_NOTHING = 1,
    OPTION_RECORD_ROUTE = 7,
    OPTION_TIMESTAMP = 68,
    OPTION_ROUTER_ALERT = 0x94, /* copied, class 0, number 20: RFC 2113 */
    OPTION_ROUTER_ALERT_LENGTH = 4
};

_Static_assert(QUERY_OPTIONS_MAX == 15 * 4 - IPV4_HEADER, "the header's length has four bits");

struct query_sender {
    int descriptor;
    uint8_t packet[QUERY_PACKET_MAX];
};

struct query_sender *query_sender_create(void)
{
    int one = 1;
    struct query_sender *sender = calloc(1, sizeof(*sender));
    if (!sender)
        return NULL;
    sender->descriptor = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_RAW);
    if (sender->descriptor >= 0 &&
        setsockopt(sender->descriptor, IPPROTO_IP, IP_HDRINCL, &one, sizeof(one)) == 0)
        return sender;
    int error = errno;
    query_sender_destroy(sender);
    errno = error;
    return NULL;
}

void query_sender_destroy(struct query_sender *sender)
{
    if (!sender)
        return;
    if (sender->descriptor >= 0)
        close(sender->descriptor);
    free(sender);
}

struct query_header query_header_of(const struct gist_query_route *route)
{
    struct query_header header = {.type_of_service = (uint8_t)(route->ds_field << 2)};
    if (!route->has_router_alert)
        return header;
    struct wire_writer writer = wire_writer_over(header.options, sizeof(header.options));
    wire_put_u8(&writer, OPTION_ROUTER_ALERT);
    wire_put_u8(&writer, OPTION_ROUTER_ALERT_LENGTH);
    wire_put_u16(&writer, route->router_alert);
    header.options_length = wire_written(&writer);
    return header;
}

size_t query_packet(uint8_t packet[QUERY_PACKET_MAX], const struct gist_endpoint *source,
    const struct gist_endpoint *destination, uint8_t ip_ttl, const struct query_header *header,
    const uint8_t *payload, size_t length)
{
    size_t options_length = (header->options_length + 3) & ~(size_t)3;
    size_t header_length = IPV4_HEADER + options_length;
    if (source->address.version != 4 || destination->address.version != 4 ||
        header->options_length > QUERY_OPTIONS_MAX ||
        length > QUERY_PACKET_MAX - header_length - UDP_HEADER)
        return 0;
    size_t total = header_length + UDP_HEADER + length;
    struct wire_writer writer = wire_writer_over(packet, QUERY_PACKET_MAX);
    wire_put_u8(&writer, (uint8_t)(4 << 4 | header_length / 4));
    wire_put_u8(&writer, header->type_of_service);
    wire_put_u16(&writer, (uint16_t)total);
    wire_put_u16(&writer, 0); /* identification: of no use without fragments, RFC 6864 */
    wire_put_u16(&writer, DONT_FRAGMENT);
    wire_put_u8(&writer, ip_ttl);
    wire_put_u8(&writer, SPEC_VALUE("RFC5971-5.3.2.1-6", 1, IPPROTO_UDP, IPPROTO_UDPLITE));
    wire_put_u16(&writer, 0); /* checksum, below */
    wire_put_bytes(&writer, source->address.octets, 4);
    wire_put_bytes(&writer, destination->address.octets, 4);
    wire_put_bytes(&writer, header->options, header->options_length);
    wire_put_zeros(&writer, options_length - header->options_length);
    wire_put_u16(&writer, source->port);
    wire_put_u16(&writer, destination->port);
    wire_put_u16(&writer, (uint16_t)(UDP_HEADER + length));
    wire_put_u16(&writer, 0); /* checksum, below */
    wire_put_bytes(&writer, payload, length);
    wire_patch_u16(&writer, 10, (uint16_t)~internet_sum(packet, header_length, 0));
    wire_patch_u16(&writer, header_length + 6,
        SPEC_VALUE("RFC5971-5.3.1-2", 1,
            internet_udp_checksum(packet, packet + header_length, UDP_HEADER + length), 0));
    return wire_written(&writer);
}

static bool send_packet(
    struct query_sender *sender, const struct gist_endpoint *destination, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    memcpy(&to.sin_addr, destination->address.octets, 4);
    if (length == 0) {
        errno = EMSGSIZE;
        return false;
    }
    return sendto(sender->descriptor, sender->packet, length, 0, (struct sockaddr *)&to,
               sizeof(to)) >= 0;
}

bool query_sender_send(struct query_sender *sender, const struct gist_query_route *route,
    const uint8_t *payload, size_t length)
{
    struct gist_endpoint source = {.address = route->source, .port = route->source_port};
    struct gist_endpoint destination = {.address = route->destination, .port = GIST_PORT};
    struct query_header header = query_header_of(route);
    return send_packet(sender, &destination,
        query_packet(
            sender->packet, &source, &destination, route->ip_ttl, &header, payload, length));
}

/* In an option that records addresses the kernel has put the destination's for ours: it took the
 * packet for one that had arrived. */
static void correct_record(
    uint8_t *option, const struct gist_arrival *arrival, const struct gist_address *own)
{
    size_t recorded = option[0] == OPTION_TIMESTAMP ? 8 : 4; /* with the time, if it has one */
    bool records = option[0] == OPTION_RECORD_ROUTE ||
                   (option[0] == OPTION_TIMESTAMP && (option[3] & 0x0f) == 1);
    size_t next = option[2]; /* from 1, where the next one will be */
    if (!records || next < recorded + 4 || next > option[1] + 1u)
        return;
    uint8_t *last = option + next - 1 - recorded;
    if (memcmp(last, arrival->destination.address.octets, 4) == 0)
        memcpy(last, own->octets, 4);
}

/* RFC 5971 5.3.2.4: as the kernel would have left the options, had it sent the packet on. */
static void correct_options(
    struct query_header *header, const struct gist_arrival *arrival, struct policy_route *routes)
{
    struct policy_route_answer way;
    if (header->options_length == 0 ||
        !policy_route_lookup(routes, &arrival->destination.address, &way))
        return;
    for (size_t at = 0; at + 4 <= header->options_length;) {
        uint8_t *option = header->options + at;
        if (option[0] == OPTION_END)
            return;
        size_t length = option[0] == OPTION_NOTHING ? 1 : option[1];
        if (length == 0 || length > header->options_length - at)
            return;
        if (length >= 4)
            correct_record(option, arrival, &way.source);
        at += length;
    }
}

bool query_sender_forward(struct query_sender *sender, struct policy_route *routes,
    const struct gist_arrival *arrival, const struct query_header *header, const uint8_t *payload,
    size_t length)
{
    if (arrival->ip_ttl <= 1) {
        errno = ELOOP;
        return false;
    }
    struct query_header onward = *header;
    SPEC_DO("RFC5971-5.3.2.4-2", 1) {
        correct_options(&onward, arrival, routes);
    }
    return send_packet(sender, &arrival->destination,
        query_packet(sender->packet, &arrival->source, &arrival->destination,
            (uint8_t)(arrival->ip_ttl - 1), &onward, payload, length));
}

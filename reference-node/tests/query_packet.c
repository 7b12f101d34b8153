/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The octets of a Query as it leaves, checked against a packet that was worked out by hand. */
#include "core/spec/tests/verify.h"
#include "reference-node/sockets/query_sender.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t packet[QUERY_PACKET_MAX];
static const uint8_t payload[] = {0x4e, 0x04, 0xbd, 0xa5, 1, 2, 3};

static size_t build(bool has_router_alert, uint8_t ds_field)
{
    struct gist_query_route route = {
        .ds_field = ds_field, .has_router_alert = has_router_alert, .router_alert = 65};
    struct gist_endpoint source = {.address = gist_address_v4(0xc0000201), .port = 270};
    struct gist_endpoint destination = {.address = gist_address_v4(0xc6336402), .port = 270};
    struct query_header header = query_header_of(&route);
    return query_packet(packet, &source, &destination, 64, &header, payload, sizeof(payload));
}

static uint16_t sum(const uint8_t *octets, size_t length, uint32_t start)
{
    for (size_t i = 0; i < length; i++)
        start += (uint32_t)octets[i] << (i % 2 ? 0 : 8);
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return (uint16_t)start;
}

Test(query_packet, has_router_alert_and_dont_fragment)
{
    static const uint8_t header[] = {0x46, 0xb8, 0, 39, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 1,
        198, 51, 100, 2, 0x94, 4, 0, 65, 1, 14, 1, 14, 0, 15};
    VERIFIES("RFC5971-5.3.2.1-6");
    cr_assert(build(true, 46) == 39);
    REQUIRE("RFC5971-5.3.2.1-6", packet[9] == 17);
    cr_assert(memcmp(packet, header, 10) == 0);
    cr_assert(memcmp(packet + 12, header + 12, 18) == 0);
    cr_assert(memcmp(packet + 32, payload, sizeof(payload)) == 0);
}

Test(query_packet, has_right_checksums_also_for_an_odd_length)
{
    VERIFIES("RFC5971-5.3.1-2");
    cr_assert(build(true, 0) == 39);
    cr_assert(sum(packet, 24, 0) == 0xffff, "IP header");
    REQUIRE("RFC5971-5.3.1-2", packet[30] != 0 || packet[31] != 0);
    uint32_t pseudo = sum(packet + 12, 8, 17 + 15);
    cr_assert(sum(packet + 24, 15, pseudo) == 0xffff, "UDP");
}

Test(query_packet, has_no_options_without_router_alert)
{
    cr_assert(build(false, 0) == 35);
    cr_assert(packet[0] == 0x45 && sum(packet, 20, 0) == 0xffff);
}

Test(query_packet, pads_options_to_words_and_refuses_what_does_not_fit)
{
    struct gist_endpoint v4 = {.address = gist_address_v4(1), .port = 270};
    struct gist_endpoint v6 = {.address = {.version = 6}, .port = 270};
    struct query_header header = {.options = {1, 1, 0x94, 4, 0, 65}, .options_length = 6};
    cr_assert(query_packet(packet, &v4, &v4, 9, &header, payload, 4) == 20 + 8 + 8 + 4);
    cr_assert(packet[0] == 0x47 && packet[26] == 0 && packet[27] == 0);
    header.options_length = QUERY_OPTIONS_MAX;
    cr_assert(query_packet(packet, &v4, &v4, 9, &header, payload, 4) == 60 + 8 + 4);
    cr_assert(query_packet(packet, &v4, &v4, 9, &header, payload, QUERY_PACKET_MAX) == 0);
    cr_assert(query_packet(packet, &v6, &v4, 9, &header, payload, 4) == 0);
    header.options_length = QUERY_OPTIONS_MAX + 1;
    cr_assert(query_packet(packet, &v4, &v4, 9, &header, payload, 4) == 0);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A box as a whole: faults of its configuration, its way with packets, its timers, its ends. */
#include "harness/shim/box.h"

#include "harness/shim/tests/output.h"
#include "harness/shim/tests/packets.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define START_US (UINT64_C(1) << 40)

enum { LEFT = 0xc0000202, RIGHT = 0xc6336402, IP_HEADER = 20, TTL_AT = 8 };

static const char firewall[] = "roles = {\"forwarder\"}\n"
                               "interface \"inside\" { side = \"internal\" }\n"
                               "interface \"outside\" { side = \"external\" }\n";
static const char open_firewall[] =
    "roles = {\"forwarder\"}\n"
    "interface \"inside\" { side = \"internal\" default_deny = false }\n"
    "interface \"outside\" { side = \"external\" default_deny = false }\n";
static const char initiator[] = "roles = {\"initiator\"}\n"
                                "interface \"outside\" { side = \"internal\" }\n";

static struct output seen;

static struct box_description description_of(const char *configuration, uint64_t seed)
{
    struct box_description description = {.configuration = configuration, .seed = seed};
    struct port inside = {.number = 1,
        .name = "inside",
        .address = gist_address_v4(0xc0000201),
        .prefix = 24,
        .mtu = 1500};
    struct port outside = {.number = 2,
        .name = "outside",
        .address = gist_address_v4(0xc6336401),
        .prefix = 24,
        .mtu = 1500};
    cr_assert(!ports_add(&description.ports, &inside) && !ports_add(&description.ports, &outside));
    return description;
}

static struct box *box_of(const char *configuration, uint64_t seed)
{
    struct box_description description = description_of(configuration, seed);
    struct box_output output = output_into(&seen);
    struct box *box = box_create(&description, &output, START_US, stderr);
    cr_assert(box);
    return box;
}

/* What is said of a configuration that is refused; to be freed. */
static char *fault_of(const char *configuration)
{
    char *text = NULL;
    size_t length;
    struct box_description description = description_of(configuration, 1);
    struct box_output output = output_into(&seen);
    FILE *errors = open_memstream(&text, &length);
    cr_assert(errors);
    cr_assert(!box_create(&description, &output, START_US, errors));
    fclose(errors);
    return text;
}

Test(box, whose_configuration_is_wrong_says_line_and_fault)
{
    char *text = fault_of("roles = {\"forwarder\"}\n"
                          "interface \"inside\" { side = \"internal\" }\n"
                          "interface \"eth7\" { side = \"external\" }\n");
    cr_assert(strstr(text, "configuration:3: ") && strstr(text, "\"eth7\""), "%s", text);
    cr_assert(strstr(text, "inside outside"), "%s", text);
    free(text);
    text = fault_of("roles = {\"forwarder\"}\n\nno_such_setting = 3\n");
    cr_assert(strstr(text, "configuration:3: ") && strstr(text, "no_such_setting"), "%s", text);
    free(text);
}

static void send_in(struct box *box, uint8_t port, const struct packet *packet)
{
    cr_assert(box_packet(box, port, packet->octets, packet->length));
    box_settle(box);
}

Test(box, that_guards_forwards_nothing_without_a_rule)
{
    struct box *box = box_of(firewall, 1);
    struct packet packet = packet_of(PROTOCOL_UDP, LEFT, 4000, RIGHT, 5000);
    send_in(box, 1, &packet);
    cr_assert(seen.packet_count == 0);
    box_destroy(box);
}

Test(box, that_guards_nothing_forwards_with_a_lower_ttl)
{
    struct box *box = box_of(open_firewall, 1);
    struct packet packet = packet_of(PROTOCOL_UDP, LEFT, 4000, RIGHT, 5000);
    struct ipv4_packet view;
    send_in(box, 1, &packet);
    cr_assert(seen.packet_count == 1 && seen.packets[0].port == 2);
    cr_assert(ipv4_packet_read(&view, seen.packets[0].octets, seen.packets[0].length));
    cr_assert(view.ttl == 63 && view.length == packet.length);
    cr_assert(memcmp(seen.packets[0].octets + IP_HEADER, packet.octets + IP_HEADER,
                  packet.length - IP_HEADER) == 0);
    box_destroy(box);
}

Test(box, drops_what_has_no_ttl_left_what_has_no_route_and_what_is_no_packet)
{
    struct box *box = box_of(open_firewall, 1);
    struct packet last = packet_of(PROTOCOL_UDP, LEFT, 4000, RIGHT, 5000);
    struct packet lost = packet_of(PROTOCOL_UDP, LEFT, 4000, 0xcb007101, 5000);
    last.octets[TTL_AT] = 1;
    packet_set_header_checksum(last.octets);
    send_in(box, 1, &last);
    send_in(box, 1, &lost);
    cr_assert(box_packet(box, 1, last.octets, 3) && box_packet(box, 1, last.octets, 0));
    cr_assert(seen.packet_count == 0);
    cr_assert(!box_packet(box, 3, lost.octets, lost.length), "there is no port 3");
    box_destroy(box);
}

static const struct trigger opening = {.number = 5,
    .operation = "open",
    .fields = {{"source", "198.51.100.1"}, {"source_port", "4000"}, {"destination", "198.51.100.2"},
        {"destination_port", "5000"}, {"protocol", "udp"}, {"lifetime_s", "60"}},
    .field_count = 6};

/* The octets of the first packet of an initiator that opens a session: a Query. */
static struct output_packet query_of(uint64_t seed)
{
    struct box *box = box_of(initiator, seed);
    box_trigger(box, &opening);
    box_settle(box);
    cr_assert(seen.packet_count == 1, "%zu packets", seen.packet_count);
    cr_assert(seen.answer_count == 0, "answered before anybody has answered");
    box_destroy(box);
    return seen.packets[0];
}

Test(box, sends_the_same_octets_for_the_same_seed_and_others_for_another)
{
    struct output_packet first = query_of(7), again = query_of(7), other = query_of(8);
    struct ipv4_packet view;
    cr_assert(first.length == again.length);
    cr_assert(memcmp(first.octets, again.octets, first.length) == 0);
    cr_assert(
        other.length != first.length || memcmp(first.octets, other.octets, first.length) != 0);
    cr_assert(ipv4_packet_read(&view, first.octets, first.length) && first.port == 2);
    cr_assert(ipv4_packet_is_right_udp(&view) && view.header_length == IP_HEADER + 4);
}

Test(box, wants_its_next_turn_when_its_timer_is_due_and_acts_then_only)
{
    struct box *box = box_of(initiator, 7);
    cr_assert(box_settle(box) == BOX_NEVER, "nothing waits");
    box_trigger(box, &opening);
    uint64_t wake_us = box_settle(box);
    cr_assert(wake_us > START_US && wake_us != BOX_NEVER && seen.packet_count == 1);
    box_set_time(box, wake_us - 1);
    cr_assert(box_settle(box) == wake_us && seen.packet_count == 1, "it sent too early");
    box_set_time(box, wake_us);
    cr_assert(box_settle(box) > wake_us && seen.packet_count == 2, "no retransmission");
    box_destroy(box);
}

Test(box, intercepts_a_query_and_answers_the_querier)
{
    struct output_packet query = query_of(7);
    struct box *box = box_of(firewall, 3);
    struct ipv4_packet view;
    uint16_t source, destination;
    cr_assert(box_packet(box, 2, query.octets, query.length));
    box_settle(box);
    cr_assert(seen.packet_count == 1 && seen.packets[0].port == 2);
    cr_assert(ipv4_packet_read(&view, seen.packets[0].octets, seen.packets[0].length));
    ipv4_packet_ports(&view, &source, &destination);
    cr_assert(ipv4_packet_is_right_udp(&view) && source == 270 && destination == 270);
    query.octets[query.length - 1] ^= 1;
    cr_assert(box_packet(box, 2, query.octets, query.length));
    box_settle(box);
    cr_assert(seen.packet_count == 1, "a damaged one is answered");
    box_destroy(box);
}

Test(box, lets_messages_between_others_go_by)
{
    enum { UDP_AT = IP_HEADER + 4, CHECKSUM_AT = UDP_AT + 6, C_FLAG_AT = UDP_AT + 18 };
    struct output_packet query = query_of(7);
    struct box *box = box_of(open_firewall, 3);
    query.octets[C_FLAG_AT] &= 0x7f;
    memset(query.octets + CHECKSUM_AT, 0, 2);
    cr_assert(box_packet(box, 2, query.octets, query.length));
    box_settle(box);
    cr_assert(seen.packet_count == 1 && seen.packets[0].length == query.length);
    cr_assert(
        memcmp(seen.packets[0].octets + UDP_AT, query.octets + UDP_AT, query.length - UDP_AT) == 0);
    cr_assert(seen.packets[0].octets[TTL_AT] == query.octets[TTL_AT] - 1);
    box_destroy(box);
}

Test(box, that_restarts_answers_who_waits_and_knows_nothing_more)
{
    struct box *box = box_of(initiator, 7);
    box_trigger(box, &opening);
    box_settle(box);
    cr_assert(box_restart(box, stderr));
    cr_assert(seen.answer_count == 1 && seen.answers[0].number == 5);
    cr_assert(seen.answers[0].status == TRIGGER_REFUSED);
    cr_assert(seen.stream_count == 0);
    cr_assert(box_settle(box) == BOX_NEVER && seen.packet_count == 1, "the session lives on");
    box_trigger(box, &opening);
    box_settle(box);
    cr_assert(seen.packet_count == 2);
    box_destroy(box);
}

Test(box, refuses_streams_that_are_not_for_its_association_port)
{
    struct box *box = box_of(firewall, 1);
    struct stream_event event = {.kind = STREAM_OPEN,
        .stream = 1,
        .port = 1,
        .peer = {.address = gist_address_v4(LEFT), .port = 40000},
        .own = {.address = gist_address_v4(0xc0000201), .port = 1}};
    box_stream(box, &event);
    cr_assert(seen.stream_count == 1 && seen.streams[0].kind == STREAM_RESET);
    cr_assert(seen.streams[0].stream == 1);
    event = (struct stream_event){.kind = STREAM_OCTETS, .stream = 99};
    box_stream(box, &event);
    event.kind = STREAM_ACCEPT;
    box_stream(box, &event);
    event.kind = STREAM_CLOSE;
    box_stream(box, &event);
    cr_assert(seen.stream_count == 1, "it answers for a stream that is unknown");
    box_destroy(box);
}

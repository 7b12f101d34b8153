/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model of the packet filter, through the owners of pinholes that drive it. */
#include "harness/shim/filter_model.h"

#include "harness/shim/tests/packets.h"
#include "reference-node/netfilter/pinholes.h"

#include <criterion/criterion.h>

#define START_MS (UINT64_C(1) << 40)

enum { LEFT = 0xc0000202, RIGHT = 0xc6336402, ELEMENTS_MAX = 4 };

static struct {
    struct filter_model *model;
    struct packet_filter filter;
    struct pinholes *pinholes;
    struct natfw_middlebox box;
    enum natfw_middlebox_result result; /* of the latest change */
} wall;

static void ignore_pending(void *context)
{
    (void)context;
}

static void on_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    (void)context;
    (void)handle;
    wall.result = result;
}

static void start(void)
{
    struct pinholes_listener listener = {.pending = ignore_pending, .done = on_done};
    wall.model = filter_model_create(ELEMENTS_MAX);
    cr_assert(wall.model);
    wall.filter = filter_model_seam(wall.model);
    wall.pinholes = pinholes_create(&wall.filter, 1000, &listener);
    cr_assert(wall.pinholes);
    wall.box = pinholes_middlebox(wall.pinholes);
    filter_model_set_time(wall.model, START_MS * 1000);
}

static void stop(void)
{
    pinholes_destroy(wall.pinholes);
    filter_model_destroy(wall.model);
}

TestSuite(filter_model, .init = start, .fini = stop);

static struct natfw_policy_rule rule_of(uint8_t protocol, uint16_t port)
{
    return (struct natfw_policy_rule){.action = NATFW_ALLOW,
        .flow = {.source = gist_address_v4(LEFT),
            .destination = gist_address_v4(RIGHT),
            .source_prefix = 32,
            .destination_prefix = 32,
            .has_protocol = true,
            .protocol = protocol,
            .has_source_port = port > 0,
            .has_destination_port = port > 0,
            .source_port = 4000,
            .destination_port = port}};
}

static struct gist_session_id owner(uint8_t number)
{
    return (struct gist_session_id){.octets = {0xa0, [15] = number}};
}

/* Times are after the start. */
static void install(uint8_t number, const struct natfw_policy_rule *rule, uint64_t ends_ms)
{
    struct gist_session_id id = owner(number);
    wall.box.install(wall.box.context, &id, rule, START_MS + ends_ms, 1);
    pinholes_commit_all(wall.pinholes, START_MS);
}

static void remove_for(uint8_t number, const struct natfw_policy_rule *rule)
{
    struct gist_session_id id = owner(number);
    wall.box.remove(wall.box.context, &id, rule);
    pinholes_commit_all(wall.pinholes, START_MS);
}

static bool passes(const struct packet *packet)
{
    struct ipv4_packet view;
    cr_assert(ipv4_packet_read(&view, packet->octets, packet->length));
    return filter_model_passes(wall.model, &view, false);
}

static struct packet going_out(uint8_t protocol)
{
    return packet_of(protocol, LEFT, 4000, RIGHT, 5000);
}

static struct packet coming_back(uint8_t protocol)
{
    struct packet packet = packet_of(protocol, RIGHT, 5000, LEFT, 4000);
    if (protocol == PROTOCOL_TCP)
        packet_set_tcp_flags(&packet, 0x12); /* SYN, ACK */
    return packet;
}

static bool flow_passes(uint8_t protocol)
{
    struct packet out = going_out(protocol), back = coming_back(protocol);
    bool goes_out = passes(&out);
    cr_assert(passes(&back) == goes_out);
    return goes_out;
}

Test(filter_model, drops_what_no_rule_allows_and_passes_the_rest_both_ways)
{
    static const uint8_t protocols[] = {PROTOCOL_UDP, PROTOCOL_TCP};
    for (size_t i = 0; i < 2; i++) {
        struct natfw_policy_rule rule = rule_of(protocols[i], 5000);
        cr_assert(!flow_passes(protocols[i]));
        install(1, &rule, 60000);
        cr_assert(wall.result == NATFW_MIDDLEBOX_OK && flow_passes(protocols[i]));
        cr_assert(!flow_passes(protocols[1 - i]), "the other protocol");
        remove_for(1, &rule);
        cr_assert(!flow_passes(protocols[i]));
    }
    cr_assert(filter_model_count(wall.model) == 0);
}

Test(filter_model, lets_no_new_flow_begin_in_reverse)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, 5000);
    struct packet back = coming_back(PROTOCOL_UDP);
    install(1, &rule, 60000);
    cr_assert(!passes(&back));
    cr_assert(flow_passes(PROTOCOL_UDP));
}

Test(filter_model, ends_a_rule_at_its_very_time)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, 5000);
    install(1, &rule, 2000);
    filter_model_set_time(wall.model, (START_MS + 2000) * 1000 - 1);
    cr_assert(flow_passes(PROTOCOL_UDP));
    filter_model_set_time(wall.model, (START_MS + 2000) * 1000);
    cr_assert(!flow_passes(PROTOCOL_UDP));
}

Test(filter_model, keeps_a_rule_until_its_last_owner_whatever_the_order)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, 5000);
    for (uint8_t first = 1; first <= 2; first++) {
        install(1, &rule, 60000);
        install(2, &rule, 5000);
        cr_assert(filter_model_count(wall.model) == 1);
        remove_for(first, &rule);
        cr_assert(flow_passes(PROTOCOL_UDP));
        remove_for((uint8_t)(3 - first), &rule);
        cr_assert(!flow_passes(PROTOCOL_UDP));
    }
}

Test(filter_model, shortens_a_rule_when_its_longest_owner_goes)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, 5000);
    install(1, &rule, 60000);
    install(2, &rule, 5000);
    filter_model_set_time(wall.model, (START_MS + 4000) * 1000);
    cr_assert(flow_passes(PROTOCOL_UDP));
    filter_model_set_time(wall.model, START_MS * 1000);
    remove_for(1, &rule);
    filter_model_set_time(wall.model, (START_MS + 6000) * 1000);
    cr_assert(!flow_passes(PROTOCOL_UDP));
}

Test(filter_model, drops_what_is_denied_though_a_wider_rule_allows_it)
{
    struct natfw_policy_rule wide = rule_of(PROTOCOL_UDP, 0), narrow = rule_of(PROTOCOL_UDP, 5000);
    narrow.action = NATFW_DENY;
    install(1, &wide, 60000);
    cr_assert(flow_passes(PROTOCOL_UDP));
    install(2, &narrow, 60000);
    cr_assert(!flow_passes(PROTOCOL_UDP));
    remove_for(2, &narrow);
    cr_assert(flow_passes(PROTOCOL_UDP));
}

Test(filter_model, passes_errors_about_a_flow_only_while_its_rule_lives)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, 5000);
    struct packet out = going_out(PROTOCOL_UDP);
    struct packet error = packet_quoting(&out, RIGHT);
    install(1, &rule, 2000);
    cr_assert(!passes(&error), "of a flow that was never there");
    cr_assert(passes(&out) && passes(&error));
    filter_model_set_time(wall.model, (START_MS + 2000) * 1000);
    cr_assert(!passes(&error));
}

Test(filter_model, passes_an_echo_and_its_reply_by_a_rule_for_icmp)
{
    struct natfw_policy_rule rule = rule_of(PROTOCOL_ICMP, 0);
    struct packet request = packet_of(PROTOCOL_ICMP, LEFT, 77, RIGHT, 0);
    struct packet reply = packet_of(PROTOCOL_ICMP, RIGHT, 77, LEFT, 0);
    struct packet stray = packet_of(PROTOCOL_ICMP, RIGHT, 78, LEFT, 0);
    packet_set_icmp_type(&reply, 0);
    packet_set_icmp_type(&stray, 0);
    struct natfw_policy_rule back = rule;
    back.flow.source = rule.flow.destination;
    back.flow.destination = rule.flow.source;
    install(1, &rule, 60000);
    install(2, &back, 60000);
    cr_assert(!passes(&reply));
    cr_assert(passes(&request) && passes(&reply));
    cr_assert(!passes(&stray), "a reply that nobody asked for");
}

Test(filter_model, forgets_a_connection_by_its_tuple_in_either_direction)
{
    struct natfw_policy_rule there = rule_of(PROTOCOL_UDP, 5000);
    struct natfw_policy_rule back = there;
    struct packet out = going_out(PROTOCOL_UDP), reply = coming_back(PROTOCOL_UDP);
    struct packet error = packet_quoting(&out, RIGHT);
    back.flow.source = there.flow.destination;
    back.flow.destination = there.flow.source;
    back.flow.source_port = 5000;
    back.flow.destination_port = 4000;
    install(1, &there, 60000);
    install(2, &back, 60000);
    cr_assert(passes(&out) && passes(&error));
    remove_for(2, &back);
    cr_assert(!passes(&error), "the connection is still known");
    cr_assert(!passes(&reply) && passes(&out) && passes(&reply));
}

Test(filter_model, lets_nothing_but_a_syn_or_what_was_there_before_begin_a_connection)
{
    static const struct {
        uint8_t flags;
        bool begins;
    } segments[] = {{0x02, true}, {0x10, true}, {0x18, true}, {0x12, false}, {0x03, false},
        {0x04, false}, {0x14, false}, {0x11, false}};
    struct natfw_policy_rule rule = rule_of(PROTOCOL_TCP, 5000);
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); i++) {
        struct packet packet = going_out(PROTOCOL_TCP);
        packet_set_tcp_flags(&packet, segments[i].flags);
        install(1, &rule, 60000);
        cr_assert(passes(&packet) == segments[i].begins, "flags 0x%02x", segments[i].flags);
        remove_for(1, &rule);
    }
}

Test(filter_model, refuses_an_element_that_there_is_no_room_for)
{
    for (uint16_t i = 0; i <= ELEMENTS_MAX; i++) {
        struct natfw_policy_rule rule = rule_of(PROTOCOL_UDP, (uint16_t)(5000 + i));
        install(1, &rule, 60000);
        cr_assert((wall.result == NATFW_MIDDLEBOX_OK) == (i < ELEMENTS_MAX));
    }
    cr_assert(filter_model_count(wall.model) == ELEMENTS_MAX);
    filter_model_flush(wall.model);
    cr_assert(filter_model_count(wall.model) == 0 && !flow_passes(PROTOCOL_UDP));
}

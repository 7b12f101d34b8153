/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session as JSON, each member by its value. */
#include "reference-node/control/session_json.h"

#include <criterion/criterion.h>
#include <string.h>

static struct natfw_session_view view_of_a_session(void)
{
    return (struct natfw_session_view){.id = {.octets = {0x57, 0xd3}},
        .role = NATFW_FORWARDER,
        .state = NATFW_ESTABLISHED,
        .rule = {.action = NATFW_ALLOW,
            .flow = {.source = gist_address_v4(0xc0000202),
                .destination = gist_address_v4(0xc6336402),
                .source_prefix = 32,
                .destination_prefix = 32,
                .has_protocol = true,
                .protocol = 17}},
        .lifetime_s = 120,
        .expires_ms = UINT64_C(5000000004321),
        .sequence_number = 4294967295};
}

static json_int_t number_at(uint64_t now_ms, const char *key)
{
    struct natfw_session_view view = view_of_a_session();
    json_t *json = session_json(&view, now_ms);
    cr_assert(json_is_integer(json_object_get(json, key)));
    json_int_t number = json_integer_value(json_object_get(json, key));
    json_decref(json);
    return number;
}

Test(session_json, says_in_milliseconds_how_long_a_session_has_left)
{
    cr_assert(number_at(UINT64_C(5000000000000), "expires_in_ms") == 4321);
    cr_assert(number_at(UINT64_C(5000000004320), "expires_in_ms") == 1);
    cr_assert(number_at(UINT64_C(5000000004321), "expires_in_ms") == 0);
    cr_assert(number_at(UINT64_C(5000000004322), "expires_in_ms") == 0, "it is not negative");
    cr_assert(number_at(0, "expires_in_ms") == INT64_C(5000000004321));
}

Test(session_json, says_what_was_granted_and_the_sequence_number)
{
    cr_assert(number_at(0, "lifetime_s") == 120);
    cr_assert(number_at(0, "sequence_number") == 4294967295);
}

Test(session_json, says_whether_a_port_more_is_open)
{
    struct natfw_session_view view = view_of_a_session();
    for (int sub_ports = 0; sub_ports < 2; sub_ports++) {
        view.rule.sub_ports = (uint8_t)sub_ports;
        json_t *json = session_json(&view, 0);
        cr_assert_eq(json_integer_value(json_object_get(json, "sub_ports")), sub_ports);
        json_decref(json);
    }
}

Test(session_json, says_whether_it_is_secure)
{
    struct natfw_session_view view = view_of_a_session();
    for (int secure = 0; secure < 2; secure++) {
        view.secure = secure;
        json_t *json = session_json(&view, 0);
        cr_assert_eq(json_is_true(json_object_get(json, "secure")), secure);
        json_decref(json);
    }
}

static void expect_flow(struct natfw_session_view view, const char *expected)
{
    json_t *json = session_json(&view, 0);
    const char *flow = json_string_value(json_object_get(json, "flow"));
    cr_assert(strcmp(flow, expected) == 0, "%s", flow);
    json_decref(json);
}

Test(session_json, writes_a_flow_so_that_address_and_port_are_told_apart)
{
    struct natfw_session_view view = view_of_a_session();
    struct gist_mri *flow = &view.rule.flow;
    expect_flow(view, "udp 192.0.2.2:* -> 198.51.100.2:*");
    flow->source = flow->destination =
        (struct gist_address){.version = 6, .octets = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};
    flow->source_prefix = 64;
    flow->destination_prefix = 128;
    flow->has_destination_port = true;
    flow->destination_port = 5000;
    expect_flow(view, "udp [2001:db8::1]/64:* -> [2001:db8::1]:5000");
}

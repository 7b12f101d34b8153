/* core/gist: nodes shake hands and exchange Data. RFC 5971 4.3, 4.4.1, 4.4.3, 5.1, 8.5. */
#include "core/gist/tests/fixture.h"

#include <string.h>

TestSuite(handshake, .init = fixture_start, .fini = fixture_stop);

static void send(const char *text, bool reliable)
{
    fixture_send(text, reliable);
    network_run_for(row->network, 200);
}

static const struct gist_message *message(enum gist_message_type type, size_t n)
{
    const struct seen *seen = row_seen(row, type, n);
    cr_assert_not_null(seen);
    return &seen->message;
}

static bool has(const struct gist_message *seen, enum gist_object_type type)
{
    return gist_message_has(seen, type);
}

static bool equal(struct gist_octets a, struct gist_octets b)
{
    return a.length == b.length && memcmp(a.octets, b.octets, a.length) == 0;
}

Test(handshake, query_says_what_the_rules_ask)
{
    VERIFIES("RFC5971-5.2.1-1", "RFC5971-A.1-1", "RFC5971-5.1-5", "RFC5971-5.2.2-5");
    send("hello", true);
    const struct gist_message *query = message(GIST_QUERY, 0);
    REQUIRE("RFC5971-5.2.1-1", query->header.context_free);
    REQUIRE("RFC5971-A.1-1", query->header.reply_requested);
    REQUIRE("RFC5971-5.1-5",
        has(query, GIST_OBJECT_STACK_PROPOSAL) && has(query, GIST_OBJECT_STACK_CONFIGURATION));
    REQUIRE("RFC5971-5.2.2-5", query->nli.ip_ttl == 64);
    cr_assert(row_seen(row, GIST_QUERY, 0)->q_mode);
    cr_assert(query->header.source_is_peer, "the flow's source is our own: ruling A104");
}

Test(handshake, response_echoes_and_turns_the_direction)
{
    VERIFIES("RFC5971-4.4.1-2", "RFC5971-5.1-9", "RFC5971-5.1-11a", "RFC5971-5.1-10b");
    send("hello", true);
    const struct gist_message *query = message(GIST_QUERY, 0);
    REQUIRE("RFC5971-4.4.1-2", row_seen_count(row, GIST_RESPONSE) == 1);
    const struct gist_message *response = message(GIST_RESPONSE, 0);
    REQUIRE("RFC5971-5.1-9", response->mri.upstream && !query->mri.upstream);
    REQUIRE("RFC5971-5.1-9", gist_mri_same_flow(&query->mri, &response->mri) &&
                                 gist_session_id_equal(&query->session_id, &response->session_id) &&
                                 equal(query->query_cookie, response->query_cookie));
    REQUIRE("RFC5971-5.1-11a", response->header.reply_requested);
    REQUIRE("RFC5971-5.1-10b", has(response, GIST_OBJECT_RESPONDER_COOKIE) &&
                                   has(response, GIST_OBJECT_STACK_PROPOSAL) &&
                                   has(response, GIST_OBJECT_STACK_CONFIGURATION));
    cr_assert(row_seen(row, GIST_RESPONSE, 0)->d_mode);
}

Test(handshake, confirm_is_first_on_the_new_association)
{
    VERIFIES(
        "RFC5971-5.1-11b", "RFC5971-5.1-14", "RFC5971-5.1-15", "RFC5971-5.1-16", "RFC5971-5.1-17b");
    send("hello", true);
    const struct gist_message *response = message(GIST_RESPONSE, 0);
    REQUIRE("RFC5971-5.1-11b", row_seen_count(row, GIST_CONFIRM) > 0);
    const struct gist_message *confirm = message(GIST_CONFIRM, 0);
    REQUIRE("RFC5971-5.1-14",
        !confirm->mri.upstream && equal(confirm->responder_cookie, response->responder_cookie));
    REQUIRE("RFC5971-5.1-15",
        equal(confirm->stack_proposal.profiles, response->stack_proposal.profiles));
    REQUIRE("RFC5971-5.1-16", has(confirm, GIST_OBJECT_STACK_CONFIGURATION) &&
                                  confirm->stack_configuration.hold_time_ms == 30000 &&
                                  confirm->stack_configuration.options_count == 0);
    cr_assert_not(row_seen(row, GIST_CONFIRM, 0)->d_mode);
    cr_assert_lt(row_seen(row, GIST_CONFIRM, 0), row_seen(row, GIST_DATA, 0));
    REQUIRE("RFC5971-5.1-17b", !has(message(GIST_DATA, 0), GIST_OBJECT_NLI));
    cr_assert(fixture_heard(1, 0, "hello"));
}

Test(handshake, unreliable_data_needs_no_association)
{
    VERIFIES("RFC5971-5.1-17a");
    send("hello", false);
    REQUIRE("RFC5971-5.1-17a", has(message(GIST_DATA, 0), GIST_OBJECT_NLI));
    cr_assert(fixture_heard(1, 0, "hello"));
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 0);
    cr_assert(row_seen(row, GIST_CONFIRM, 0)->d_mode);
    cr_assert_not(row->nodes[1].heard[0].received.attributes.reliable);
    cr_assert_eq(row->nodes[1].heard[0].received.ip_distance, 0);
}

Test(handshake, reliable_after_unreliable_makes_an_association)
{
    send("first", false);
    send("second", true);
    cr_assert(fixture_heard(1, 1, "second"));
    cr_assert(row->nodes[1].heard[1].received.attributes.reliable);
}

Test(handshake, reliable_right_after_unreliable_makes_an_association)
{
    row_send(row, 0, &mri, &session, "first", false);
    row_send(row, 0, &mri, &session, "second", true);
    network_run_for(row->network, 200);
    cr_assert(fixture_heard(1, 0, "first"));
    cr_assert(fixture_heard(1, 1, "second"));
    cr_assert_eq(row->nodes[0].told_count, 0);
}

Test(handshake, the_hop_count_is_one_fewer_on_arrival)
{
    VERIFIES("RFC5971-4.3.1-6");
    send("hello", true);
    cr_assert_eq(row->nodes[1].heard_count, 1);
    REQUIRE("RFC5971-4.3.1-6",
        row->nodes[1].heard[0].received.hop_count == message(GIST_DATA, 0)->header.hop_count - 1);
}

Test(handshake, an_application_may_answer_from_within_its_call)
{
    row->nodes[1].replies = true;
    send("question", true);
    cr_assert(fixture_heard(0, 0, "question"));
    cr_assert(row->nodes[0].heard[0].received.mri.upstream);
    cr_assert(row->nodes[0].heard[0].received.routing_state_validated);
}

Test(handshake, nothing_is_kept_before_the_confirm)
{
    struct network_memory *memory = network_memory(row->network);
    struct gist_message query = {.header = {.version = 1,
                                     .hop_count = 9,
                                     .nslp_id = 33,
                                     .context_free = true,
                                     .reply_requested = true},
        .mri = mri,
        .session_id = session,
        .nli = {.validity_ms = 1000, .interface_address = row->nodes[0].address},
        .query_cookie = {(const uint8_t *)"abcd", 4}};
    gist_message_add(&query, GIST_OBJECT_MRI);
    gist_message_add(&query, GIST_OBJECT_SESSION_ID);
    gist_message_add(&query, GIST_OBJECT_NLI);
    gist_message_add(&query, GIST_OBJECT_QUERY_COOKIE);
    size_t before = memory->allocations;
    for (uint8_t i = 0; i < 100; i++) {
        query.session_id = row_session(i);
        row_inject(row, 1, &query, row->nodes[0].address, true);
    }
    cr_assert_eq(row->nodes[1].asked, 100);
    cr_assert_eq(row_seen_count(row, GIST_RESPONSE), 100);
    cr_assert_eq(memory->allocations, before);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
}

Test(handshake, a_second_session_uses_the_association_again)
{
    send("one", true);
    session = row_session(2);
    send("two", true);
    cr_assert(fixture_heard(1, 1, "two"));
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).associations, 1);
    cr_assert_not(row_seen(row, GIST_RESPONSE, 1)->d_mode);
    cr_assert_not(has(message(GIST_RESPONSE, 1), GIST_OBJECT_STACK_PROPOSAL));
    cr_assert_not(has(message(GIST_CONFIRM, 1), GIST_OBJECT_STACK_PROPOSAL));
    cr_assert_not(row_seen(row, GIST_CONFIRM, 1)->d_mode);
}

Test(handshake, explicit_routing_reaches_the_peer_without_state)
{
    row->nodes[1].replies = false;
    send("one", true);
    gist_sii_handle handle = row->nodes[1].heard[0].received.sii_handle;
    cr_assert_neq(handle, 0);
    struct gist_send_request request = {.data = (const uint8_t *)"tell",
        .length = 4,
        .mri = gist_mri_reversed(&mri),
        .sii_handle = handle};
    cr_assert_eq(
        gist_send_message(row->nodes[1].gist, network_now_ms(row->network), &request), GIST_SENT);
    network_run_for(row->network, 1000);
    cr_assert(fixture_heard(0, 0, "tell"));
    cr_assert(row->nodes[0].heard[0].received.explicitly_routed);
    cr_assert_not(row->nodes[0].heard[0].received.routing_state_validated);
    cr_assert(gist_session_id_is_zero(&row->nodes[0].heard[0].received.session_id));
    request.sii_handle = handle + 1000;
    cr_assert_eq(gist_send_message(row->nodes[1].gist, network_now_ms(row->network), &request),
        GIST_SEND_NO_ROUTE);
}

Test(handshake, what_cannot_be_sent_is_refused)
{
    VERIFIES("RFC5971-4.3.3-1a");
    struct gist_mri back = gist_mri_reversed(&mri);
    struct gist_session_id zero = {{0}};
    cr_assert_eq(row_send(row, 0, &back, &session, "text", true), GIST_SEND_NO_ROUTE);
    cr_assert_eq(row_send(row, 0, &mri, &zero, "text", true), GIST_SEND_INVALID);
    cr_assert_eq(row_send(row, 0, &mri, &session, "", true), GIST_SEND_INVALID);
    mri.destination = mri.source;
    REQUIRE(
        "RFC5971-4.3.3-1a", row_send(row, 0, &mri, &session, "text", true) == GIST_SEND_TO_SELF);
    cr_assert_eq(gist_node_counters(row->nodes[0].gist).routing_states, 0);
}

Test(handshake, limits_are_kept)
{
    struct gist_node_config config = row_config();
    config.routing_states_max = 1;
    config.queued_octets_max = 16;
    fixture_restart(2, &config);
    cr_assert_eq(row_send(row, 0, &mri, &session, "twelve octet", true), GIST_SENT);
    cr_assert_eq(row_send(row, 0, &mri, &session, "twelve octet", true), GIST_SEND_NO_MEMORY);
    session = row_session(2);
    cr_assert_eq(row_send(row, 0, &mri, &session, "text", true), GIST_SEND_NO_MEMORY);
}

Test(handshake, a_node_that_declines_sends_the_query_on_unchanged)
{
    VERIFIES("RFC5971-4.3.2-4", "RFC5971-4.3.4-6");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    row->nodes[1].peering = GIST_FORWARD;
    send("past the middle", true);
    REQUIRE("RFC5971-4.3.2-4", row_seen_count(row, GIST_QUERY) == 2);
    cr_assert(fixture_heard(2, 0, "past the middle"));
    const struct seen *first = row_seen(row, GIST_QUERY, 0);
    const struct seen *second = row_seen(row, GIST_QUERY, 1);
    REQUIRE("RFC5971-4.3.4-6", second->octets[1] == first->octets[1] - 1);
    cr_assert_eq(second->length, first->length);
    cr_assert_arr_eq(second->octets + 2, first->octets + 2, first->length - 2);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
    cr_assert_eq(row->nodes[2].heard[0].received.ip_distance, 1);
}

/* 5.2.2: each learns how far the other is, the node that asked by the Response. */
Test(handshake, both_ends_know_how_far_the_other_is)
{
    struct gist_node_config config = row_config();
    for (size_t nodes = 2; nodes <= 4; nodes++) {
        fixture_restart(nodes, &config);
        row->nodes[nodes - 1].replies = true;
        for (size_t i = 1; i < nodes - 1; i++)
            row->nodes[i].place->intercepts = false;
        send("how far", false);
        cr_assert(fixture_heard(nodes - 1, 0, "how far") && fixture_heard(0, 0, "how far"));
        cr_assert_eq(row->nodes[nodes - 1].heard[0].received.ip_distance, nodes - 2);
        cr_assert_eq(row->nodes[0].heard[0].received.ip_distance, nodes - 2);
        cr_assert_eq(row->nodes[0].heard[0].received.interface, 2);
        cr_assert_eq(row->nodes[nodes - 1].heard[0].received.interface, 1);
    }
}

Test(handshake, the_last_node_peers_even_if_it_would_rather_not)
{
    VERIFIES("RFC5971-4.3.2-1");
    row->nodes[1].peering = GIST_FORWARD;
    send("to the end", true);
    REQUIRE("RFC5971-4.3.2-1", fixture_heard(1, 0, "to the end"));
}

Test(handshake, ipv6_works_as_ipv4_does)
{
    for (size_t i = 0; i < 2; i++) {
        struct gist_address own = {
            .version = 6, .octets = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)(i + 1)}};
        struct gist_address other = own;
        other.octets[15] = (uint8_t)(2 - i);
        network_give_address(row->nodes[i].place, own);
        network_give_route(row->nodes[i].place, other, 128, row->nodes[1 - i].place, 1, own);
    }
    mri.source = row->nodes[0].place->addresses[1];
    mri.destination = row->nodes[1].place->addresses[1];
    mri.source_prefix = mri.destination_prefix = 128;
    send("over six", true);
    cr_assert(fixture_heard(1, 0, "over six"));
    cr_assert_eq(row->nodes[1].heard[0].received.peer.version, 6);
}

Test(handshake, the_loose_end_method_works_too)
{
    mri = (struct gist_mri){
        .mrm = GIST_MRM_LOOSE_END, .source = mri.source, .destination = mri.destination};
    row->nodes[1].replies = true;
    send("external", true);
    cr_assert(fixture_heard(1, 0, "external"));
    cr_assert(fixture_heard(0, 0, "external"));
}

/* core/gist: what a node's messages say of it, where they go, and how many there are. RFC 5971
 * 4.4.4, 5.2.2, 5.3.2.1, 5.3.3, 5.6, 5.7.1, 7.2.1, 7.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/state/node_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { SETTLED_MS = 200 };

TestSuite(own_message, .init = fixture_start, .fini = fixture_stop);

Test(own_message, names_an_address_of_this_very_node)
{
    VERIFIES("RFC5971-7.4-3b");
    fixture_send("hello", false);
    network_run_for(row->network, SETTLED_MS);
    struct gist_message data = row_message(row, GIST_DATA);
    data.session_id = row_session(9);
    row_inject(row, 1, &data, row->nodes[0].address, false);
    network_run_for(row->network, SETTLED_MS);
    size_t looked_at = 0;
    for (size_t i = 0; i < row->seen_count; i++) {
        const struct gist_message *message = &row->seen[i].message;
        if (!gist_message_has(message, GIST_OBJECT_NLI))
            continue;
        looked_at++;
        REQUIRE("RFC5971-7.4-3b", gist_address_equal(&message->nli.interface_address,
                                      &row->nodes[row->seen[i].from].address));
    }
    cr_assert_eq(looked_at, 5, "Query, Response, Confirm, Data, Error");
}

Test(own_message, proposes_what_suits_a_message_that_is_to_be_reliable)
{
    VERIFIES("RFC5971-5.7.1-8");
    fixture_send("hello", true);
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    static const uint8_t forwards_tcp[] = {1, GIST_PROTOCOL_FORWARDS_TCP, 0, 0};
    REQUIRE("RFC5971-5.7.1-8", query->stack_proposal.profile_count == 1);
    REQUIRE("RFC5971-5.7.1-8",
        memcmp(query->stack_proposal.profiles.octets, forwards_tcp, sizeof(forwards_tcp)) == 0);
}

static struct gist_query_route queried;

static bool note_route(
    void *context, const struct gist_query_route *route, const uint8_t *payload, size_t length)
{
    (void)context, (void)payload, (void)length;
    queried = *route;
    return true;
}

Test(own_message, a_query_has_the_router_alert_option)
{
    VERIFIES("RFC5971-5.3.2.1-4b");
    row->nodes[0].gist->transport.send_query = note_route;
    for (int reliable = 0; reliable <= 1; reliable++) {
        queried = (struct gist_query_route){0};
        session = row_session((uint8_t)reliable);
        fixture_send("hello", reliable);
        REQUIRE("RFC5971-5.3.2.1-4b", queried.has_router_alert);
        cr_assert_eq(queried.router_alert, 65);
    }
}

/* The IP source of a Query may be the flow's, behind which nobody knows GIST. */
Test(own_message, a_response_goes_where_the_nli_says)
{
    VERIFIES("RFC5971-7.2.1-5");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.source_is_peer = false;
    query.nli.interface_address = row->nodes[0].address;
    row_inject(row, 2, &query, row->nodes[1].address, true);
    network_run_for(row->network, SETTLED_MS);
    const struct seen *response = row_seen(row, GIST_RESPONSE, 0);
    cr_assert_not_null(response);
    REQUIRE("RFC5971-7.2.1-5", response->to == 0);
    REQUIRE("RFC5971-7.2.1-5", response->message.header.source_is_peer);
}

/* 5.2.2: this node asks for no replies; its builder would not let it do so without an identifier.
 */
Test(own_message, no_hello_asks_for_a_reply_without_an_identifier)
{
    VERIFIES("RFC5971-5.2.2-8");
    struct gist_message hello = {.header = {.version = 1,
                                     .hop_count = 1,
                                     .type = GIST_MA_HELLO,
                                     .source_is_peer = true,
                                     .reply_requested = true},
        .hello_id = 1};
    uint8_t octets[64];
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    cr_assert_gt(gist_message_build(&hello, octets, sizeof(octets)), 0);
    hello.hello_id = 0;
    REQUIRE("RFC5971-5.2.2-8", gist_message_build(&hello, octets, sizeof(octets)) == 0);
}

Test(own_message, an_error_leaves_nothing_behind)
{
    VERIFIES("RFC5971-5.6-2a");
    struct network_memory *memory = network_memory(row->network);
    size_t outstanding = memory->outstanding;
    struct gist_message data = row_message(row, GIST_DATA);
    row_inject(row, 1, &data, row->nodes[0].address, false);
    cr_assert_eq(row_seen_count(row, GIST_ERROR), 1);
    struct gist_counters counters = gist_node_counters(row->nodes[1].gist);
    REQUIRE("RFC5971-5.6-2a", counters.routing_states == 0 && counters.associations == 0);
    cr_assert_eq(memory->outstanding, outstanding);
}

/* After a change of routes, say: what has to be asked anew at once leaves at the rate. */
Test(own_message, many_at_once_leave_at_the_rate)
{
    VERIFIES("RFC5971-5.3.3-14");
    enum { RATE = 20, BURST = 10, SECONDS = 5, SESSIONS = 200 };
    struct gist_node_config config = row_config();
    config.datagrams_per_second = RATE;
    config.datagram_burst = BURST;
    fixture_restart(2, &config);
    for (uint8_t i = 0; i < SESSIONS; i++) {
        session = row_session(i);
        fixture_send("hello", false);
    }
    REQUIRE("RFC5971-5.3.3-14", row->seen_count == BURST);
    network_run_for(row->network, SECONDS * 1000);
    size_t from_node_0 = 0;
    for (size_t i = 0; i < row->seen_count; i++)
        from_node_0 += row->seen[i].from == 0;
    REQUIRE("RFC5971-5.3.3-14", from_node_0 <= BURST + SECONDS * RATE);
    cr_assert_geq(from_node_0, SECONDS * RATE);
}

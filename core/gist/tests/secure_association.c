/* core/gist: associations of TLS over TCP: which stack is proposed, opened and used again, and whom
 * the authorised peer database lets be a peer. RFC 5971 4.4.1 to 4.4.3, 5.7.1, 5.7.3. */
#include "core/gist/message/stack.h"
#include "core/gist/state/node_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { PLAIN_PORT = 4000, SECURE_PORT = 4001, TURN_MS = 100 };

static void start(void)
{
    struct gist_node_config config = row_config();
    fixture_start();
    config.association_port = PLAIN_PORT;
    config.secure_association_port = SECURE_PORT;
    config.opens_secure = true;
    fixture_restart(2, &config);
}

TestSuite(secure_association, .init = start, .fini = fixture_stop);

static struct gist_node_config *config_of(size_t node)
{
    return &row->nodes[node].gist->config;
}

static void run(void)
{
    network_run_for(row->network, TURN_MS);
}

static enum gist_send_result send_secure(const struct gist_session_id *id, const char *text)
{
    struct gist_send_request request = {.data = (const uint8_t *)text,
        .length = strlen(text) / 4 * 4,
        .session_id = *id,
        .mri = mri,
        .attributes = {.secure = true},
        .handle = 7};
    return gist_send_message(row->nodes[0].gist, network_now_ms(row->network), &request);
}

static bool heard_securely(size_t n, const char *text)
{
    return fixture_heard(1, n, text) && row->nodes[1].heard[n].received.attributes.secure &&
           row->nodes[1].heard[n].received.attributes.reliable;
}

/* What was sent over streams that are not secure. */
static size_t seen_in_the_clear(void)
{
    size_t count = 0;
    for (size_t i = 0; i < row->seen_count; i++)
        count += !row->seen[i].d_mode && !row->seen[i].secure;
    return count;
}

static struct gist_counters counters(size_t node)
{
    return gist_node_counters(row->nodes[node].gist);
}

Test(secure_association, is_proposed_before_a_plain_one_and_each_has_its_port)
{
    VERIFIES("RFC5971-5.7.1-8");
    uint16_t port;
    fixture_send("hello", true);
    run();
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    REQUIRE("RFC5971-5.7.1-8", query->stack_proposal.profile_count == 2 &&
                                   gist_stack_proposes(&query->stack_proposal, GIST_STACK_TCP));
    const struct gist_message *response = &row_seen(row, GIST_RESPONSE, 0)->message;
    struct wire_reader profiles = wire_reader_over(
        response->stack_proposal.profiles.octets, response->stack_proposal.profiles.length);
    struct gist_stack_profile first;
    cr_assert(gist_stack_profile_next(&profiles, &first) && first.layer_count == 2);
    cr_assert(
        first.layers[0] == GIST_PROTOCOL_TLS && first.layers[1] == GIST_PROTOCOL_FORWARDS_TCP);
    cr_assert(gist_stack_find(&response->stack_proposal, &response->stack_configuration,
                  GIST_STACK_TLS_TCP, &port) &&
              port == SECURE_PORT);
    cr_assert(gist_stack_find(&response->stack_proposal, &response->stack_configuration,
                  GIST_STACK_TCP, &port) &&
              port == PLAIN_PORT);
    cr_assert(heard_securely(0, "hello"));
    cr_assert_eq(seen_in_the_clear(), 0);
}

Test(secure_association, is_all_that_is_proposed_for_messages_that_want_it)
{
    VERIFIES("RFC5971-5.7.1-8");
    cr_assert_eq(send_secure(&session, "secret"), GIST_SENT);
    run();
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    REQUIRE("RFC5971-5.7.1-8", query->stack_proposal.profile_count == 1 &&
                                   gist_stack_proposes(&query->stack_proposal, GIST_STACK_TLS_TCP));
    const struct gist_message *response = &row_seen(row, GIST_RESPONSE, 0)->message;
    cr_assert_eq(response->stack_proposal.profile_count, 2, "which does not depend on the Query");
    cr_assert(heard_securely(0, "secr"));
}

Test(secure_association, that_the_peer_does_not_offer_has_such_messages_fail)
{
    config_of(1)->secure_association_port = 0;
    cr_assert_eq(send_secure(&session, "secret"), GIST_SENT);
    run();
    cr_assert(row->nodes[0].told_count == 1 &&
              row->nodes[0].told[0].status == GIST_STATUS_CONNECT_FAILED);
    cr_assert(row->nodes[1].heard_count == 0 && seen_in_the_clear() == 0);
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
}

Test(secure_association, that_this_node_has_none_of_refuses_such_messages_at_once)
{
    config_of(0)->opens_secure = false;
    config_of(0)->secure_association_port = 0;
    cr_assert_eq(send_secure(&session, "secret"), GIST_SEND_INVALID);
}

/* As a node that only accepts them, or since a reload. */
Test(secure_association, that_this_node_opens_none_of_has_such_messages_fail)
{
    config_of(0)->opens_secure = false;
    cr_assert_eq(send_secure(&session, "secret"), GIST_SENT);
    run();
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    cr_assert_not(gist_message_has(query, GIST_OBJECT_STACK_PROPOSAL));
    cr_assert(row->nodes[0].told_count == 1 &&
              row->nodes[0].told[0].status == GIST_STATUS_CONNECT_FAILED);
    cr_assert(row->nodes[1].heard_count == 0 && row_seen_count(row, GIST_ERROR) == 0);
}

Test(secure_association, is_opened_beside_a_plain_one_for_what_wants_it)
{
    config_of(1)->secure_association_port = 0;
    fixture_send("in the clear", true);
    run();
    cr_assert(fixture_heard(1, 0, "in the clear") && seen_in_the_clear() > 0);
    cr_assert_not(row->nodes[1].heard[0].received.attributes.secure);
    config_of(1)->secure_association_port = SECURE_PORT;
    size_t clear = seen_in_the_clear();
    cr_assert_eq(send_secure(&session, "secret"), GIST_SENT);
    run();
    cr_assert(heard_securely(1, "secr"));
    fixture_send("more", true);
    run();
    cr_assert(heard_securely(2, "more"), "the better one is used from then on");
    cr_assert_eq(seen_in_the_clear(), clear);
}

Test(secure_association, is_used_again_for_a_query_that_offers_less)
{
    struct gist_session_id other = row_session(2);
    fixture_send("hello", true);
    run();
    size_t streams = network_streams(row->nodes[0].place);
    config_of(0)->opens_secure = false; /* its next Query offers TCP alone */
    cr_assert_eq(row_send(row, 0, &mri, &other, "again", true), GIST_SENT);
    run();
    cr_assert(heard_securely(1, "agai"));
    cr_assert_eq(network_streams(row->nodes[0].place), streams);
}

/* The Response to the next Query comes in D-mode, and an association of its own is opened. */
static bool plain_one_is_used_again(void)
{
    struct gist_session_id other = row_session(2);
    size_t datagrams = 0;
    cr_assert_eq(send_secure(&other, "again"), GIST_SENT);
    run();
    for (size_t i = 0; i < row->seen_count; i++)
        datagrams += row->seen[i].d_mode && row->seen[i].message.header.type == GIST_RESPONSE;
    return datagrams < 2;
}

Test(secure_association, is_not_replaced_by_a_plain_one_where_the_query_asks_for_it)
{
    VERIFIES("RFC5971-5.7.1-12");
    config_of(1)->secure_association_port = 0;
    fixture_send("hello", true);
    run();
    config_of(1)->secure_association_port = SECURE_PORT;
    REQUIRE("RFC5971-5.7.1-12", !plain_one_is_used_again());
    cr_assert(heard_securely(1, "agai"));
}

Test(secure_association, is_not_replaced_by_a_plain_one_where_we_would_offer_no_other)
{
    VERIFIES("RFC5971-5.7.1-11");
    struct gist_session_id other = row_session(2);
    config_of(1)->secure_association_port = 0;
    fixture_send("hello", true);
    run();
    config_of(1)->secure_association_port = SECURE_PORT;
    config_of(1)->association_port = 0;
    cr_assert_eq(row_send(row, 0, &mri, &other, "again", true), GIST_SENT);
    run();
    REQUIRE("RFC5971-5.7.1-11", heard_securely(1, "agai"));
}

/* The authorised peer database. */

static bool nobody(
    struct network_place *place, const struct gist_address *peer, const struct gist_mri *flow)
{
    (void)place, (void)peer, (void)flow;
    return false;
}

static bool one_flow_only(
    struct network_place *place, const struct gist_address *peer, const struct gist_mri *flow)
{
    (void)place;
    return gist_address_equal(peer, &row->nodes[0].address) &&
           (!flow || flow->destination_port == mri.destination_port);
}

Test(secure_association, ends_without_a_word_where_the_querying_peer_is_not_authorised)
{
    VERIFIES("RFC5971-4.4.1-7a", "RFC5971-4.4.1-7b", "RFC5971-4.4.2-3a");
    row->nodes[1].place->authorises = nobody;
    fixture_send("hello", true);
    run();
    REQUIRE("RFC5971-4.4.1-7a", row->nodes[1].heard_count == 0);
    cr_assert_eq(counters(1).routing_states, 0);
    REQUIRE("RFC5971-4.4.1-7b", network_streams(row->nodes[1].place) == 0);
    for (size_t i = 0; i < row->seen_count; i++)
        REQUIRE("RFC5971-4.4.2-3a", row->seen[i].from == 0 || row->seen[i].d_mode);
    cr_assert_eq(row_seen_count(row, GIST_ERROR), 0);
    cr_assert_eq(counters(1).peers_unauthorised, 1);
}

Test(secure_association, ends_without_a_word_where_the_responding_peer_is_not_authorised)
{
    VERIFIES("RFC5971-4.4.1-7a", "RFC5971-4.4.1-7b", "RFC5971-4.4.2-3b");
    row->nodes[0].place->authorises = nobody;
    cr_assert_eq(send_secure(&session, "secret"), GIST_SENT);
    run();
    REQUIRE("RFC5971-4.4.1-7a", row_seen_count(row, GIST_CONFIRM) == 0);
    REQUIRE("RFC5971-4.4.1-7b", network_streams(row->nodes[0].place) == 0);
    REQUIRE("RFC5971-4.4.2-3b", counters(0).routing_states == 0);
    cr_assert(row->nodes[0].told_count == 1 && row->nodes[0].told[0].handle == 7 &&
              row->nodes[0].told[0].status == GIST_STATUS_CONNECT_FAILED);
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

/* Another flow over the same association. */
static void send_other_flow(void)
{
    struct gist_mri other = mri;
    struct gist_session_id id = row_session(2);
    other.destination_port++;
    cr_assert_eq(row_send(row, 0, &other, &id, "other", true), GIST_SENT);
    run();
}

Test(secure_association, is_authorised_anew_for_another_flow)
{
    VERIFIES("RFC5971-4.4.3-5", "RFC5971-4.4.2-3b");
    row->nodes[1].place->authorises = one_flow_only;
    fixture_send("hello", true);
    run();
    cr_assert(heard_securely(0, "hell") && counters(1).routing_states == 1);
    send_other_flow();
    REQUIRE("RFC5971-4.4.3-5", row->nodes[1].heard_count == 1);
    REQUIRE("RFC5971-4.4.2-3b", counters(1).routing_states == 0);
    cr_assert_eq(network_streams(row->nodes[1].place), 0);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 1);
}

static bool first_flow_only(
    struct network_place *place, const struct gist_address *peer, const struct gist_mri *flow)
{
    (void)place, (void)peer;
    return !flow || flow->destination_port == mri.destination_port;
}

Test(secure_association, is_authorised_anew_where_the_response_comes_over_it)
{
    VERIFIES("RFC5971-4.4.3-5");
    row->nodes[0].place->authorises = first_flow_only;
    fixture_send("hello", true);
    run();
    cr_assert(heard_securely(0, "hell"));
    send_other_flow();
    REQUIRE("RFC5971-4.4.3-5", row->nodes[1].heard_count == 1);
    cr_assert_eq(counters(0).routing_states, 0);
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
}

Test(secure_association, ends_when_the_database_allows_its_peer_no_more)
{
    VERIFIES("RFC5971-4.4.2-5");
    fixture_send("hello", true);
    run();
    gist_node_authorise_anew(row->nodes[1].gist, network_now_ms(row->network));
    cr_assert_eq(counters(1).routing_states, 1, "whom it allows stays");
    row->nodes[1].place->authorises = nobody;
    gist_node_authorise_anew(row->nodes[1].gist, network_now_ms(row->network));
    REQUIRE("RFC5971-4.4.2-5", counters(1).associations == 0 && counters(1).routing_states == 0);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 1);
    run();
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
}

Test(secure_association, keeps_the_flows_that_a_changed_database_still_allows)
{
    VERIFIES("RFC5971-4.4.2-5");
    fixture_send("hello", true);
    run();
    send_other_flow();
    cr_assert_eq(counters(1).routing_states, 2);
    row->nodes[1].place->authorises = one_flow_only;
    gist_node_authorise_anew(row->nodes[1].gist, network_now_ms(row->network));
    REQUIRE("RFC5971-4.4.2-5", counters(1).routing_states == 1);
    fixture_send("more", true);
    run();
    cr_assert(heard_securely(2, "more"));
}

Test(secure_association, a_plain_one_asks_no_database)
{
    config_of(0)->opens_secure = false;
    row->nodes[1].place->authorises = nobody;
    fixture_send("hello", true);
    run();
    cr_assert(fixture_heard(1, 0, "hell"));
    gist_node_authorise_anew(row->nodes[1].gist, network_now_ms(row->network));
    cr_assert_eq(counters(1).routing_states, 1);
}

/* core/gist: what comes again, late, out of place or with a fault between two neighbours, and what
 * each says of itself. RFC 5971 4.1.2, 4.4, 5.2.2, 5.3, 6, 7, A.3. */
#include "core/gist/message/message_build.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { VALIDITY_MS = 30000 };

/* In place of what runs: nodes whose routing state is valid for so long. */
static void restart_with_validity(size_t count, uint32_t validity_ms)
{
    struct gist_node_config config = row_config();
    config.routing_state_validity_ms = validity_ms;
    fixture_restart(count, &config);
}

TestSuite(exchange, .init = fixture_start, .fini = fixture_stop);

static void establish(void)
{
    fixture_send("hello", true);
    network_run_for(row->network, 200);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

/* A message that was seen comes once more, in a datagram. */
static void again(const struct seen *seen, size_t to)
{
    row_inject_octets(row, to, seen->octets, seen->length, row->nodes[1 - to].address,
        seen->message.header.type == GIST_QUERY);
    network_run_for(row->network, 50);
}

static bool is_error(unsigned code, unsigned subcode)
{
    const struct seen *error = row_error(row);
    return error && error->parsed && error->message.error.code == code &&
           error->message.error.subcode == subcode;
}

static bool drop_responses(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    (void)octets;
    return seen->message.header.type == GIST_RESPONSE;
}

/* Messages ------------------------------------------------------------------------------------ */

Test(exchange, what_waits_for_an_association_comes_in_order)
{
    VERIFIES("RFC5971-4.4.1-6", "RFC5971-6.2-1b", "RFC5971-4.1.2-2");
    fixture_send("first", true);
    fixture_send("second", true);
    fixture_send("third", true);
    network_run_for(row->network, 200);
    REQUIRE("RFC5971-4.4.1-6", network_streams(row->nodes[0].place) == 1);
    REQUIRE("RFC5971-6.2-1b", row->nodes[1].heard_count == 3);
    REQUIRE("RFC5971-4.1.2-2", fixture_heard(1, 0, "first") && fixture_heard(1, 1, "second") &&
                                   fixture_heard(1, 2, "third"));
}

Test(exchange, what_follows_comes_at_once_and_once)
{
    VERIFIES("RFC5971-5.4-1", "RFC5971-4.1.2-1");
    establish();
    fixture_send("next", true);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-5.4-1", fixture_heard(1, 1, "next"));
    network_run_for(row->network, 1000);
    REQUIRE("RFC5971-4.1.2-1", row->nodes[1].heard_count == 2);
}

Test(exchange, a_response_that_comes_again_is_confirmed_again)
{
    VERIFIES("RFC5971-6.2-3");
    establish();
    again(row_seen(row, GIST_RESPONSE, 0), 0);
    REQUIRE("RFC5971-6.2-3", row_seen_count(row, GIST_CONFIRM) == 2);
}

Test(exchange, a_response_to_an_earlier_query_is_taken)
{
    VERIFIES("RFC5971-5.3.3-8");
    row->spoil = drop_responses;
    fixture_send("hello", true);
    network_run_for(row->network, 600);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 2);
    again(row_seen(row, GIST_RESPONSE, 0), 0);
    REQUIRE("RFC5971-5.3.3-8", row_seen_count(row, GIST_CONFIRM) == 1);
}

Test(exchange, a_confirm_that_comes_again_is_ignored)
{
    VERIFIES("RFC5971-6.3-2");
    establish();
    again(row_seen(row, GIST_CONFIRM, 0), 1);
    REQUIRE("RFC5971-6.3-2", row_error(row) == NULL);
}

Test(exchange, a_confirm_to_the_node_that_asked_is_ignored)
{
    VERIFIES("RFC5971-6.2-7");
    establish();
    struct gist_message confirm = row_seen(row, GIST_CONFIRM, 0)->message;
    confirm.mri.upstream = true;
    row_inject(row, 0, &confirm, row->nodes[1].address, false);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-6.2-7", row_error(row) == NULL);
}

Test(exchange, a_refresh_with_a_wrong_cookie_ends_the_state)
{
    VERIFIES("RFC5971-5.7.1-14b");
    establish();
    struct gist_message query = row_seen(row, GIST_QUERY, 0)->message;
    row_inject(row, 1, &query, row->nodes[0].address, true);
    struct gist_message confirm = row_seen(row, GIST_CONFIRM, 0)->message;
    confirm.responder_cookie.octets = (const uint8_t *)"an invented cookie of 28 octets is this";
    row_inject(row, 1, &confirm, row->nodes[0].address, false);
    REQUIRE("RFC5971-5.7.1-14b", gist_node_counters(row->nodes[1].gist).routing_states == 0);
}

Test(exchange, a_confirm_without_association_is_a_datagram)
{
    VERIFIES("RFC5971-5.1-13");
    fixture_send("hello", false);
    network_run_for(row->network, 200);
    const struct seen *confirm = row_seen(row, GIST_CONFIRM, 0);
    REQUIRE("RFC5971-5.1-13", confirm && confirm->d_mode);
}

/* What they say of themselves ----------------------------------------------------------------- */

Test(exchange, a_response_tells_who_is_where)
{
    VERIFIES("RFC5971-5.2.2-6", "RFC5971-8.3-1", "RFC5971-7.4-3c");
    fixture_send("hello", true);
    network_run_for(row->network, 200);
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    REQUIRE("RFC5971-7.4-3c",
        gist_address_equal(&query->nli.interface_address, &row->nodes[0].address));
    REQUIRE("RFC5971-8.3-1", row_seen_count(row, GIST_RESPONSE) == 1);
    const struct gist_message *response = &row_seen(row, GIST_RESPONSE, 0)->message;
    REQUIRE("RFC5971-5.2.2-6", response->nli.ip_ttl == 0);
    REQUIRE("RFC5971-8.3-1", response->query_cookie.length == query->query_cookie.length &&
                                 memcmp(response->query_cookie.octets, query->query_cookie.octets,
                                     query->query_cookie.length) == 0);
}

/* A node between the flow's ends asks with its address on the side of the destination. */
Test(exchange, a_query_tells_the_flow_and_the_side)
{
    VERIFIES("RFC5971-5.8.1.1-2a", "RFC5971-5.2.2-3");
    restart_with_validity(3, VALIDITY_MS);
    struct gist_address inner = gist_address_v4(0xc6336401);
    network_give_address(row->nodes[1].place, inner);
    mri.source = gist_address_v4(0xcb007105);
    network_give_route(row->nodes[1].place, mri.source, 32, row->nodes[0].place, 1, inner);
    cr_assert_eq(row_send(row, 1, &mri, &session, "hello", true), GIST_SENT);
    network_run_for(row->network, 200);
    const struct gist_message *query = &row_seen(row, GIST_QUERY, 0)->message;
    REQUIRE(
        "RFC5971-5.8.1.1-2a", gist_address_equal(&query->mri.source, &mri.source) &&
                                  gist_address_equal(&query->mri.destination, &mri.destination));
    REQUIRE("RFC5971-5.2.2-3",
        gist_address_equal(&query->nli.interface_address, &row->nodes[1].address));
}

/* Its peer stands before the flow's end: to ask again is not to ask the peer. */
Test(exchange, discovery_is_repeated_along_the_path)
{
    VERIFIES("RFC5971-7.1.2-1", "RFC5971-6.2-4", "RFC5971-5.3.2-1");
    restart_with_validity(3, VALIDITY_MS);
    row->nodes[1].place->intercepts = true;
    row->nodes[1].peering = GIST_PEER;
    establish();
    uint64_t first_ms = row_seen(row, GIST_QUERY, 0)->time_ms;
    uint32_t validity_ms = row_seen(row, GIST_RESPONSE, 0)->message.nli.validity_ms;
    row->nodes[1].place->intercepts = false;
    fixture_send("more", true);
    network_run_for(row->network, 2 * (uint64_t)validity_ms);
    const struct seen *second = row_seen(row, GIST_QUERY, 1);
    REQUIRE("RFC5971-7.1.2-1", second != NULL);
    REQUIRE("RFC5971-6.2-4", second->time_ms - first_ms < validity_ms);
    REQUIRE("RFC5971-5.3.2-1", second->to == 2);
}

Test(exchange, keepalives_come_over_the_association_at_random_moments)
{
    VERIFIES("RFC5971-5.1-19", "RFC5971-5.2.2-9a", "RFC5971-4.4.5-12");
    restart_with_validity(2, 100 * VALIDITY_MS); /* no refresh in between */
    establish();
    network_run_for(row->network, 100000);
    REQUIRE("RFC5971-5.1-19", row_seen_count(row, GIST_MA_HELLO) >= 4);
    uint64_t most_ms = 0, least_ms = UINT64_MAX, last_ms = 0;
    for (size_t i = 0; i < row_seen_count(row, GIST_MA_HELLO); i++) {
        const struct seen *hello = row_seen(row, GIST_MA_HELLO, i);
        REQUIRE("RFC5971-5.1-19", !hello->d_mode);
        REQUIRE("RFC5971-5.2.2-9a", hello->message.hello_id == 0);
        if (hello->from != 1)
            continue;
        uint64_t after_ms = last_ms > 0 ? hello->time_ms - last_ms : 0;
        last_ms = hello->time_ms;
        if (after_ms == 0)
            continue;
        most_ms = after_ms > most_ms ? after_ms : most_ms;
        least_ms = after_ms < least_ms ? after_ms : least_ms;
    }
    REQUIRE("RFC5971-4.4.5-12", most_ms > least_ms + 10);
}

/* Errors -------------------------------------------------------------------------------------- */

static struct gist_message query_to_spoil(void)
{
    establish();
    return row_seen(row, GIST_QUERY, 0)->message;
}

static void ask(const struct gist_message *query)
{
    row_inject(row, 1, query, row->nodes[0].address, true);
    network_run_for(row->network, 50);
}

Test(exchange, an_error_is_sent_once)
{
    VERIFIES("RFC5971-5.6-2b");
    struct gist_message query = query_to_spoil();
    query.header.hop_count = 0;
    ask(&query);
    network_run_for(row->network, 5000);
    REQUIRE("RFC5971-5.6-2b", row_seen_count(row, GIST_ERROR) == 1);
}

Test(exchange, an_error_about_an_association_goes_over_it)
{
    VERIFIES("RFC5971-5.6-5");
    establish();
    struct gist_message data = row_seen(row, GIST_DATA, 0)->message;
    uint8_t octets[512];
    data.header.hop_count = 0;
    size_t length = gist_message_write(&data, octets, sizeof(octets));
    network_write(row->nodes[0].place, 1, octets, length);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-5.6-5", row_error(row) && !row_error(row)->d_mode);
}

Test(exchange, a_nat_is_told_of_by_the_way_back)
{
    VERIFIES("RFC5971-7.2.1-2", "RFC5971-7.2.1-3");
    struct gist_message query = query_to_spoil();
    query.nli.interface_address = gist_address_v4(0xc6336401);
    ask(&query);
    REQUIRE("RFC5971-7.2.1-3", row_error(row) != NULL && row_error(row)->to == 0);
    REQUIRE("RFC5971-7.2.1-2", row_error(row)->message.error.infos.octets[5] == GIST_OBJECT_MRI);
}

Test(exchange, data_without_state_meet_no_routing_state)
{
    VERIFIES("RFC5971-4.4.6-3");
    fixture_send("hello", false);
    network_run_for(row->network, 200);
    struct gist_message data = row_seen(row, GIST_DATA, 0)->message;
    data.session_id = row_session(2);
    row_inject(row, 1, &data, row->nodes[0].address, false);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-4.4.6-3", is_error(GIST_NO_ROUTING_STATE, 0));
}

static bool is_answered(enum gist_error_code code)
{
    struct gist_message error = {
        .header = {.version = 1, .type = GIST_ERROR, .hop_count = 1, .source_is_peer = true},
        .nli = {.validity_ms = 1000, .interface_address = row->nodes[0].address},
        .error = {.error_class = GIST_CLASS_PROTOCOL_ERROR,
            .code = code,
            .original = {.version = 1, .type = GIST_DATA}}};
    gist_message_add(&error, GIST_OBJECT_NLI);
    gist_message_add(&error, GIST_OBJECT_ERROR);
    row_inject(row, 1, &error, row->nodes[0].address, false);
    network_run_for(row->network, 50);
    return row_error(row) != NULL;
}

Test(exchange, errors_about_nothing_are_not_answered)
{
    VERIFIES("RFC5971-4.4.6-2a", "RFC5971-4.4.6-4b");
    REQUIRE("RFC5971-4.4.6-2a", !is_answered(GIST_INCORRECTLY_DELIVERED_MESSAGE));
    REQUIRE("RFC5971-4.4.6-4b", !is_answered(GIST_NO_ROUTING_STATE));
}

/* Objects ------------------------------------------------------------------------------------- */

Test(exchange, lists_without_members_have_errors_of_their_own)
{
    VERIFIES("RFC5971-A.3.4-4a", "RFC5971-A.3.4-4b");
    static const uint8_t empty[] = {0, 0, 0, 0};
    struct gist_message query = query_to_spoil();
    query.stack_proposal = (struct gist_stack_proposal){0};
    ask(&query);
    REQUIRE("RFC5971-A.3.4-4a", is_error(GIST_OBJECT_VALUE_ERROR, GIST_VALUE_NOT_SUPPORTED));
    query.stack_proposal = (struct gist_stack_proposal){1, {empty, sizeof(empty)}};
    ask(&query);
    REQUIRE("RFC5971-A.3.4-4b", is_error(GIST_OBJECT_VALUE_ERROR, GIST_EMPTY_LIST));
}

Test(exchange, padding_of_a_profile_does_not_count)
{
    VERIFIES("RFC5971-A.3.4-3");
    static const uint8_t padded[] = {1, 1, 0xff, 0xff};
    struct gist_message query = query_to_spoil();
    query.stack_proposal = (struct gist_stack_proposal){1, {padded, sizeof(padded)}};
    ask(&query);
    REQUIRE("RFC5971-A.3.4-3", row_error(row) == NULL && row_seen_count(row, GIST_RESPONSE) == 2);
}

Test(exchange, a_mismatch_quotes_the_proposal_first)
{
    VERIFIES("RFC5971-A.4.4.10-1");
    static const uint8_t options[] = {2, 1, 0, 0};
    struct gist_message query = query_to_spoil();
    query.stack_configuration.options = (struct gist_octets){options, sizeof(options)};
    ask(&query);
    cr_assert(is_error(GIST_OBJECT_VALUE_ERROR, GIST_STACK_MISMATCH));
    const struct gist_error_data *error = &row_error(row)->message.error;
    REQUIRE("RFC5971-A.4.4.10-1",
        error->info_count == 2 && error->infos.octets[9] == GIST_OBJECT_STACK_PROPOSAL);
}

/* An MRI of the path-coupled method as octets: flags, protocol. */
static bool mri_reads(uint16_t flags, uint8_t protocol, struct gist_mri *read, uint8_t *subcode)
{
    uint8_t value[] = {0, 0, (uint8_t)(flags >> 8), (uint8_t)flags, 192, 0, 2, 1, 192, 0, 2, 2, 32,
        32, protocol, 0};
    struct wire_reader reader = wire_reader_over(value, sizeof(value));
    return gist_mri_read(&reader, read, subcode);
}

Test(exchange, a_protocol_without_its_flag_does_not_count)
{
    VERIFIES("RFC5971-A.3.1.1-1", "RFC5971-A.3.1.1-5");
    struct gist_mri read;
    uint8_t subcode = 0;
    cr_assert(mri_reads(0x4000, 6, &read, &subcode));
    REQUIRE("RFC5971-A.3.1.1-1", !read.has_protocol && read.protocol == 0);
    cr_assert_not(mri_reads(0x4100, 0, &read, &subcode));
    REQUIRE("RFC5971-A.3.1.1-5", subcode == GIST_INVALID_FLAG_FIELD_COMBINATION);
}

/* From the other end --------------------------------------------------------------------------- */

Test(exchange, an_upstream_query_is_processed)
{
    VERIFIES("RFC5971-5.8.1.3-1b");
    struct gist_message query = query_to_spoil();
    query.mri.upstream = true;
    query.session_id = row_session(2);
    uint8_t payload[512] = {0x4e, 0x04, 0xbd, 0xa5};
    size_t length = gist_message_write(&query, payload + 4, sizeof(payload) - 4);
    struct gist_arrival arrival = {.source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[1].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 255,
        .q_mode = true};
    network_inject(row->nodes[1].place, &arrival, payload, 4 + length);
    network_run_for(row->network, 50);
    REQUIRE("RFC5971-5.8.1.3-1b", row_seen_count(row, GIST_RESPONSE) == 2);
}

Test(exchange, two_sessions_of_one_flow_are_two)
{
    VERIFIES("RFC5971-8.3-5");
    establish();
    struct gist_session_id second = row_session(2);
    cr_assert_eq(row_send(row, 0, &mri, &second, "second", true), GIST_SENT);
    network_run_for(row->network, 200);
    REQUIRE("RFC5971-8.3-5", row_seen_count(row, GIST_QUERY) == 2);
    REQUIRE("RFC5971-8.3-5",
        fixture_heard(1, 1, "second") &&
            gist_session_id_equal(&row->nodes[1].heard[1].received.session_id, &second));
}

/* The second profile is TLS over TCP. */
Test(exchange, an_offer_does_not_follow_what_is_proposed)
{
    VERIFIES("RFC5971-5.7.1-9");
    static const uint8_t profiles[] = {1, 1, 0, 0, 2, 2, 1, 0};
    static const uint8_t options[] = {1, 0, 0, 0};
    struct gist_message query = query_to_spoil();
    query.session_id = row_session(2);
    query.stack_proposal = (struct gist_stack_proposal){2, {profiles, sizeof(profiles)}};
    query.stack_configuration.options = (struct gist_octets){options, sizeof(options)};
    query.nli.peer_identity = (struct gist_octets){(const uint8_t *)"some other node", 15};
    ask(&query);
    REQUIRE("RFC5971-5.7.1-9", row_seen_count(row, GIST_RESPONSE) == 2);
    REQUIRE("RFC5971-5.7.1-9",
        row_seen(row, GIST_RESPONSE, 1)->message.stack_proposal.profile_count == 1);
}

Test(exchange, what_is_for_another_application_is_not_looked_into)
{
    VERIFIES("RFC5971-4.3.4-13");
    restart_with_validity(3, VALIDITY_MS);
    fixture_send("hello", true);
    network_run_for(row->network, 200);
    uint8_t payload[512] = {0x4e, 0x04, 0xbd, 0xa5};
    const struct seen *query = row_seen(row, GIST_QUERY, 0);
    memcpy(payload + 4, query->octets, query->length);
    payload[4 + 5] = 40;   /* the NSLPID */
    payload[4 + 8] = 0xff; /* the first object */
    struct gist_arrival arrival = {.source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[2].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 60,
        .q_mode = true};
    network_inject(row->nodes[1].place, &arrival, payload, 4 + query->length);
    REQUIRE("RFC5971-4.3.4-13", gist_node_counters(row->nodes[1].gist).queries_forwarded == 1);
}

/* core/gist: what a node refuses, and with which error. RFC 5971 4.3, 4.4.6, 5.5, 5.6, 5.7.1, 8.5,
 * A.4.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"
#include "core/gist/state/node_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

TestSuite(rejection, .init = fixture_start, .fini = fixture_stop);

static void inject(const struct gist_message *message)
{
    row_inject(row, 1, message, row->nodes[0].address, message->header.type == GIST_QUERY);
}

Test(rejection, hop_count_zero)
{
    VERIFIES("RFC5971-4.3.1-5", "RFC5971-A.4.1-1b", "RFC5971-5.1-18", "RFC5971-5.6-3");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.hop_count = 0;
    inject(&query);
    REQUIRE("RFC5971-4.3.1-5", row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    const struct gist_message *error = &row_error(row)->message;
    REQUIRE("RFC5971-A.4.1-1b", error->error.has_session_id && error->error.has_mri &&
                                    gist_mri_equal(&error->error.mri, &mri));
    REQUIRE("RFC5971-5.1-18", gist_message_has(error, GIST_OBJECT_NLI));
    REQUIRE("RFC5971-5.6-3", row_error(row)->to == 0);
    cr_assert_eq(error->header.nslp_id, 0);
    cr_assert_eq(error->error.original.hop_count, 0);
    cr_assert(error->error.d_mode && error->error.q_mode);
}

Test(rejection, errors_go_to_the_address_of_the_nli)
{
    VERIFIES("RFC5971-5.6-3", "RFC5971-5.6-4");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.hop_count = 0;
    query.header.source_is_peer = false;
    row_inject(row, 1, &query, gist_address_v4(0xc6336401), true);
    REQUIRE("RFC5971-5.6-3", row_error(row) && row_error(row)->to == 0);
    query.present &= ~(UINT32_C(1) << GIST_OBJECT_NLI);
    inject(&query);
    REQUIRE("RFC5971-5.6-4", row_seen_count(row, GIST_ERROR) == 1);
}

Test(rejection, an_application_that_is_not_here)
{
    VERIFIES("RFC5971-4.3.4-3", "RFC5971-4.3.4-2", "RFC5971-4.3.1-3");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.nslp_id = 40;
    inject(&query);
    REQUIRE("RFC5971-4.3.1-3", row->nodes[1].asked == 0);
    REQUIRE("RFC5971-4.3.4-3", row_refused(row, GIST_ENDPOINT_FOUND, 0));
    struct gist_message data = row_message(row, GIST_DATA);
    data.header.nslp_id = 40;
    inject(&data);
    REQUIRE("RFC5971-4.3.4-2", row_refused(row, GIST_UNKNOWN_NSLPID, 0));
}

Test(rejection, a_query_for_another_application_passes_by)
{
    VERIFIES("RFC5971-4.3.4-4");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.nslp_id = 40;
    query.mri.destination = row->nodes[2].address;
    uint8_t payload[512] = {0x4e, 0x04, 0xbd, 0xa5};
    for (uint8_t hops = 2; hops >= 1; hops--) {
        query.header.hop_count = hops;
        size_t length = gist_message_build(&query, payload + 4, sizeof(payload) - 4);
        struct gist_arrival arrival = {.source = {row->nodes[0].address, 270},
            .destination = {row->nodes[2].address, 270},
            .interface = 1,
            .ip_ttl = 60,
            .q_mode = true};
        network_inject(row->nodes[1].place, &arrival, payload, 4 + length);
    }
    cr_assert_eq(row->nodes[1].asked, 0);
    REQUIRE("RFC5971-4.3.4-4", row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).queries_forwarded, 1);
    cr_assert_eq(row_seen(row, GIST_QUERY, 0)->octets[1], 1);
}

Test(rejection, an_encapsulation_that_does_not_fit)
{
    VERIFIES("RFC5971-5.5-1");
    struct gist_message query = row_message(row, GIST_QUERY);
    row_inject(row, 1, &query, row->nodes[0].address, false);
    REQUIRE("RFC5971-5.5-1", row_refused(row, GIST_INCORRECT_ENCAPSULATION, 0));
    struct gist_message hello = {
        .header = {.version = 1, .hop_count = 1, .type = GIST_MA_HELLO, .source_is_peer = true}};
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    inject(&hello);
    REQUIRE("RFC5971-5.5-1", row_seen_count(row, GIST_ERROR) == 2);
}

Test(rejection, data_without_routing_state)
{
    VERIFIES("RFC5971-4.3.2-12");
    struct gist_message data = row_message(row, GIST_DATA);
    inject(&data);
    REQUIRE("RFC5971-4.3.2-12", row_refused(row, GIST_NO_ROUTING_STATE, 0));
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

Test(rejection, data_without_nli_in_d_mode_and_with_the_c_flag)
{
    struct gist_message data = row_message(row, GIST_DATA);
    data.header.context_free = true;
    inject(&data);
    cr_assert(row_refused(row, GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_C_FLAG));
    data.header.context_free = false;
    data.present &= ~(UINT32_C(1) << GIST_OBJECT_NLI);
    inject(&data);
    cr_assert(row_refused(row, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT));
}

Test(rejection, no_error_answers_a_response_or_an_error)
{
    VERIFIES("RFC5971-4.4.6-1a", "RFC5971-5.6-1");
    struct gist_message response = row_message(row, GIST_RESPONSE);
    inject(&response);
    REQUIRE("RFC5971-4.4.6-1a", row_seen_count(row, GIST_ERROR) == 0);
    struct gist_message error = {
        .header = {.version = 1, .type = GIST_ERROR, .hop_count = 0, .source_is_peer = true},
        .nli = row_message(row, GIST_QUERY).nli,
        .error = {.code = 5, .original = row_message(row, GIST_DATA).header}};
    gist_message_add(&error, GIST_OBJECT_NLI);
    gist_message_add(&error, GIST_OBJECT_ERROR);
    inject(&error);
    REQUIRE("RFC5971-5.6-1", row_seen_count(row, GIST_ERROR) == 0);
}

Test(rejection, header_errors_quote_nothing_that_follows)
{
    VERIFIES("RFC5971-A.4.4.1-1");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.reply_requested = false;
    inject(&query);
    REQUIRE("RFC5971-A.4.4.1-1",
        row_refused(row, GIST_COMMON_HEADER_PARSE_ERROR, GIST_INVALID_R_FLAG) &&
            !row_error(row)->message.error.has_mri &&
            !row_error(row)->message.error.has_session_id);
}

Test(rejection, object_type_errors_name_the_object)
{
    VERIFIES("RFC5971-A.4.1-2a");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.present &= ~(UINT32_C(1) << GIST_OBJECT_QUERY_COOKIE);
    inject(&query);
    cr_assert(row_refused(row, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT));
    const struct gist_error_data *error = &row_error(row)->message.error;
    REQUIRE("RFC5971-A.4.1-2a", error->info_count == 1 && error->infos.octets[1] == 3 &&
                                    error->infos.octets[5] == GIST_OBJECT_QUERY_COOKIE);
}

Test(rejection, session_identifier_zero_makes_no_state)
{
    struct gist_message query = row_message(row, GIST_QUERY);
    memset(&query.session_id, 0, sizeof(query.session_id));
    inject(&query);
    cr_assert(row_refused(row, GIST_OBJECT_VALUE_ERROR, GIST_VALUE_NOT_SUPPORTED));
    cr_assert_eq(row->nodes[1].asked, 0);
}

Test(rejection, invented_cookies_in_silence)
{
    VERIFIES("RFC5971-8.5-4", "RFC5971-5.7.1-13");
    struct gist_message confirm = row_message(row, GIST_CONFIRM);
    inject(&confirm);
    REQUIRE("RFC5971-8.5-4", row_seen_count(row, GIST_ERROR) == 0);
    REQUIRE("RFC5971-5.7.1-13", gist_node_counters(row->nodes[1].gist).routing_states == 0);
}

Test(rejection, invented_cookies_aloud_when_configured)
{
    struct gist_node_config config = row_config();
    config.answer_invalid_cookie = true;
    fixture_restart(2, &config);
    struct gist_message confirm = row_message(row, GIST_CONFIRM);
    inject(&confirm);
    cr_assert(row_refused(row, GIST_OBJECT_VALUE_ERROR, GIST_INVALID_COOKIE));
}

static bool spoil_response_cookie(struct row *of, struct seen *seen, uint8_t *octets)
{
    if (seen->message.header.type != GIST_RESPONSE)
        return false;
    of->spoiled++;
    octets[seen->message.query_cookie.octets - seen->octets] ^= 1;
    return false;
}

Test(rejection, a_response_with_a_wrong_query_cookie)
{
    VERIFIES("RFC5971-4.4.1-11");
    row->spoil = spoil_response_cookie;
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 400);
    cr_assert_eq(row->spoiled, 1);
    REQUIRE("RFC5971-4.4.1-11", row_seen_count(row, GIST_CONFIRM) == 0);
}

static bool spoil_confirm_cookie(struct row *of, struct seen *seen, uint8_t *octets)
{
    if (gist_message_has(&seen->message, GIST_OBJECT_RESPONDER_COOKIE) &&
        seen->message.header.type == GIST_CONFIRM && of->spoiled++ == 0)
        octets[seen->message.responder_cookie.octets - seen->octets + 20] ^= 1;
    return false;
}

Test(rejection, a_confirm_with_a_wrong_cookie_takes_its_new_association_down)
{
    VERIFIES("RFC5971-5.7.1-13", "RFC5971-5.7.1-15");
    row->spoil = spoil_confirm_cookie;
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 400);
    REQUIRE("RFC5971-5.7.1-13", gist_node_counters(row->nodes[1].gist).routing_states == 0);
    REQUIRE("RFC5971-5.7.1-15", gist_node_counters(row->nodes[1].gist).associations == 0);
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

static bool spoil_confirm_proposal(struct row *of, struct seen *seen, uint8_t *octets)
{
    if (gist_message_has(&seen->message, GIST_OBJECT_STACK_PROPOSAL) &&
        seen->message.header.type == GIST_CONFIRM && of->spoiled++ == 0)
        octets[seen->message.stack_proposal.profiles.octets - seen->octets + 1] = 77;
    return false;
}

Test(rejection, a_confirm_whose_proposal_was_changed)
{
    VERIFIES("RFC5971-5.7.1-13", "RFC5971-5.7.1-15");
    row->spoil = spoil_confirm_proposal;
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 400);
    REQUIRE("RFC5971-5.7.1-13", gist_node_counters(row->nodes[1].gist).routing_states == 0);
    REQUIRE("RFC5971-5.7.1-15", gist_node_counters(row->nodes[1].gist).associations == 0);
}

/* The Confirm that node 0 would send for a Query of its own, seen on the wire. */
static struct gist_message captured_confirm(struct seen *kept)
{
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 400);
    cr_assert_not_null(row_seen(row, GIST_CONFIRM, 0));
    *kept = *row_seen(row, GIST_CONFIRM, 0);
    struct gist_message confirm;
    struct gist_fault fault;
    cr_assert(gist_message_parse(kept->octets, kept->length, &confirm, &fault));
    gist_node_destroy(row->nodes[0].gist);
    row->nodes[0].gist = row->nodes[0].place->node = NULL;
    network_run_for(row->network, 40000); /* the state ends, the cookie still holds */
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
    return confirm;
}

Test(rejection, a_confirm_in_d_mode_where_a_stack_was_offered)
{
    static struct seen kept;
    struct gist_message confirm = captured_confirm(&kept);
    inject(&confirm);
    cr_assert(row_refused(row, GIST_INCORRECT_ENCAPSULATION, 0));
}

static gist_association_id connect_to_node_1(void)
{
    struct gist_endpoint endpoint = {row->nodes[1].address, 4000};
    gist_association_id id = network_connect(row->nodes[0].place, &endpoint);
    network_run_for(row->network, 20);
    return id;
}

static void write_message(gist_association_id id, const struct gist_message *message)
{
    uint8_t octets[1024];
    size_t length = gist_message_write(message, octets, sizeof(octets));
    network_write(row->nodes[0].place, id, octets, length);
    network_run_for(row->network, 20);
}

Test(rejection, a_first_confirm_without_hold_time)
{
    VERIFIES("RFC5971-4.4.5-7");
    static struct seen kept;
    struct gist_message confirm = captured_confirm(&kept);
    confirm.present &= ~(UINT32_C(1) << GIST_OBJECT_STACK_CONFIGURATION);
    write_message(connect_to_node_1(), &confirm);
    REQUIRE("RFC5971-4.4.5-7", row_refused(row, GIST_OBJECT_TYPE_ERROR, GIST_MISSING_OBJECT));
}

Test(rejection, garbage_ends_its_own_association_only)
{
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 100);
    gist_association_id id = connect_to_node_1();
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).associations, 2);
    uint8_t garbage[64];
    memset(garbage, 0xee, sizeof(garbage));
    garbage[2] = 0;
    garbage[3] = 2;
    network_write(row->nodes[0].place, id, garbage, sizeof(garbage));
    network_run_for(row->network, 100);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).associations, 1);
    row_send(row, 0, &mri, &session, "again", true);
    network_run_for(row->network, 100);
    cr_assert_eq(row->nodes[1].heard_count, 2);
}

Test(rejection, data_over_an_association_of_somebody_else)
{
    VERIFIES("RFC5971-4.3.2-11");
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 100);
    struct gist_message data = row_message(row, GIST_DATA);
    data.present &= ~(UINT32_C(1) << GIST_OBJECT_NLI);
    write_message(connect_to_node_1(), &data);
    REQUIRE("RFC5971-4.3.2-11", row_refused(row, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0));
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

Test(rejection, hello_requests_are_answered_with_their_id)
{
    VERIFIES("RFC5971-5.1-20b");
    struct gist_message hello = {.header = {.version = 1,
                                     .hop_count = 1,
                                     .type = GIST_MA_HELLO,
                                     .source_is_peer = true,
                                     .reply_requested = true},
        .hello_id = 0xdecaf};
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    row->nodes[1].gist->config.association_confirm_ms = 120000; /* longer than it takes to idle */
    gist_association_id id = connect_to_node_1();
    write_message(id, &hello);
    REQUIRE("RFC5971-5.1-20b", row_seen_count(row, GIST_MA_HELLO) == 2);
    const struct gist_message *reply = &row_seen(row, GIST_MA_HELLO, 1)->message;
    REQUIRE("RFC5971-5.1-20b", reply->hello_id == 0xdecaf && !reply->header.reply_requested);
    network_run_for(row->network, 35000); /* now Idle */
    size_t before = row_seen_count(row, GIST_MA_HELLO);
    write_message(id, &hello);
    REQUIRE("RFC5971-5.1-20b", row_seen_count(row, GIST_MA_HELLO) == before + 2);
    REQUIRE("RFC5971-5.1-20b", row_seen(row, GIST_MA_HELLO, before + 1)->from == 1);
    REQUIRE(
        "RFC5971-5.1-20b", row_seen(row, GIST_MA_HELLO, before + 1)->message.hello_id == 0xdecaf);
}

Test(rejection, endpoint_found_ends_the_search_at_once)
{
    struct gist_node_config config = row_config();
    fixture_restart(2, &config);
    row->nodes[1].place->node = NULL;
    row_send(row, 0, &mri, &session, "hello", true);
    struct gist_message error = {
        .header = {.version = 1, .hop_count = 1, .type = GIST_ERROR, .source_is_peer = true},
        .error = {.error_class = 4,
            .code = GIST_ENDPOINT_FOUND,
            .has_mri = true,
            .has_session_id = true,
            .mri = mri,
            .session_id = session,
            .original = row_message(row, GIST_QUERY).header}};
    gist_message_add(&error, GIST_OBJECT_ERROR);
    row_inject(row, 0, &error, row->nodes[1].address, false);
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_NO_NEXT_NODE);
}

Test(rejection, without_the_magic_number_nothing_happens)
{
    struct gist_arrival arrival = {.source = {row->nodes[0].address, 270}, .q_mode = true};
    const uint8_t octets[12] = {0x4e, 0x04, 0xbd, 0xa6};
    for (size_t length = 0; length <= sizeof(octets); length++)
        network_inject(row->nodes[1].place, &arrival, octets, length);
    cr_assert_eq(row->seen_count, 0);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).messages_rejected, 13);
}

Test(rejection, a_payload_in_a_query_is_not_vouched_for_by_the_state_that_there_is)
{
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 100);
    struct gist_message query = row_message(row, GIST_QUERY);
    gist_message_add(&query, GIST_OBJECT_NSLP_DATA);
    inject(&query);
    network_run_for(row->network, 20);
    for (size_t i = 1; i < row->nodes[1].heard_count; i++) {
        cr_assert_not(row->nodes[1].heard[i].received.routing_state_validated);
        cr_assert_eq(row->nodes[1].heard[i].received.sii_handle, 0);
    }
    cr_assert_eq(row->nodes[1].heard_count, 2);
}

Test(rejection, data_in_d_mode_of_somebody_who_is_not_the_peer)
{
    row_send(row, 0, &mri, &session, "hello", true);
    network_run_for(row->network, 100);
    struct gist_message data = row_message(row, GIST_DATA);
    data.nli.interface_address = gist_address_v4(0xc0000263);
    row_inject(row, 1, &data, gist_address_v4(0xc0000263), false);
    network_run_for(row->network, 20);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

Test(rejection, hellos_keep_no_association_that_nothing_was_confirmed_on)
{
    struct gist_message hello = {
        .header = {.version = 1, .hop_count = 1, .type = GIST_MA_HELLO, .source_is_peer = true}};
    gist_message_add(&hello, GIST_OBJECT_HELLO_ID);
    gist_association_id id = connect_to_node_1();
    for (int seconds = 0; seconds < 120; seconds += 10) {
        write_message(id, &hello);
        network_run_for(row->network, 10000);
    }
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).associations, 0);
}

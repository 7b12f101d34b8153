/* core/gist: what comes from somebody else, or too late, changes nothing. RFC 5971 4.4.6, 7.2.1,
 * 8.1, 8.3, 8.5. */
#include "core/gist/state/node_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

TestSuite(forgery, .init = fixture_start, .fini = fixture_stop);

static void send(bool reliable)
{
    fixture_send("text", reliable);
    network_run_for(row->network, 200);
}

static size_t states(size_t node)
{
    return gist_node_counters(row->nodes[node].gist).routing_states;
}

static struct gist_address stranger(void)
{
    return gist_address_v4(0xc0000263);
}

/* An Error that a node could have sent about this flow's Data, from this address. */
static void inject_no_routing_state(size_t to, const struct gist_mri *about, struct gist_address by)
{
    struct gist_message error = {
        .header = {.version = 1, .hop_count = 5, .type = GIST_ERROR, .source_is_peer = true},
        .nli = {.validity_ms = 1000, .interface_address = by},
        .error = {.error_class = 2,
            .code = GIST_NO_ROUTING_STATE,
            .has_session_id = true,
            .session_id = session,
            .has_mri = true,
            .mri_understood = true,
            .mri = *about,
            .original = {.version = 1, .hop_count = 5, .nslp_id = 33, .type = GIST_DATA}},
    };
    gist_message_add(&error, GIST_OBJECT_NLI);
    gist_message_add(&error, GIST_OBJECT_ERROR);
    row_inject(row, to, &error, by, false);
}

/* The responding node gives its state up at such an Error, so it shows whether one counted. */
static void expect_error_ignored(bool reliable, struct gist_address by, const char *why)
{
    struct gist_mri back = gist_mri_reversed(&mri);
    send(reliable);
    cr_assert_eq(states(1), 1);
    inject_no_routing_state(1, &back, by);
    cr_assert_eq(states(1), 1, "%s", why);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 0);
}

Test(forgery, an_error_beside_the_association_ends_no_state_that_uses_it)
{
    expect_error_ignored(true, row->nodes[0].address, "it names the peer's address");
}

Test(forgery, an_error_of_somebody_who_is_not_the_peer_ends_no_state)
{
    expect_error_ignored(false, stranger(), "it comes from a stranger");
}

Test(forgery, the_peers_own_error_does)
{
    struct gist_mri back = gist_mri_reversed(&mri);
    send(false);
    inject_no_routing_state(1, &back, row->nodes[0].address);
    cr_assert_eq(states(1), 0);
}

static struct seen held;

static bool hold_confirm_and_drop_the_rest(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)octets;
    if (seen->message.header.type == GIST_CONFIRM) {
        held = *seen;
        of->spoiled++;
    }
    return of->spoiled > 0;
}

static void let_the_confirm_arrive_after(uint64_t delay_ms)
{
    row->spoil = hold_confirm_and_drop_the_rest;
    send(false);
    cr_assert_eq(row->spoiled, 1);
    network_run_for(row->network, delay_ms);
    row->spoil = NULL;
    cr_assert_eq(states(1), 0);
    row_inject_octets(row, 1, held.octets, held.length, row->nodes[0].address, false);
}

Test(forgery, a_confirm_that_comes_soon_makes_state)
{
    let_the_confirm_arrive_after(1000);
    cr_assert_eq(states(1), 1);
}

Test(forgery, a_confirm_kept_until_its_secret_was_replaced_makes_none)
{
    VERIFIES("RFC5971-5.7.1-13");
    let_the_confirm_arrive_after(1000000);
    REQUIRE("RFC5971-5.7.1-13", states(1) == 0);
}

static bool hold_response(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)octets;
    if (seen->message.header.type != GIST_RESPONSE || of->spoiled > 0)
        return false;
    held = *seen;
    of->spoiled++;
    return true;
}

Test(forgery, a_response_from_another_address_than_it_names_makes_no_peer)
{
    VERIFIES("RFC5971-7.2.1-6a", "RFC5971-7.2.1-6b");
    row->spoil = hold_response;
    send(false);
    cr_assert_eq(row->spoiled, 1);
    cr_assert_eq(states(0), 1);
    row_inject_octets(row, 0, held.octets, held.length, stranger(), false);
    REQUIRE("RFC5971-7.2.1-6a", row_seen_count(row, GIST_CONFIRM) == 0);
    REQUIRE("RFC5971-7.2.1-6b", states(0) == 0);
}

/* Another node behind the same address ----------------------------------------------------------
 */

static void inject_data(const char *identity, size_t length, struct gist_address by)
{
    struct gist_message data = row_message(row, GIST_DATA);
    data.nli.interface_address = row->nodes[0].address;
    data.nli.peer_identity = (struct gist_octets){(const uint8_t *)identity, length};
    row_inject(row, 1, &data, by, false);
}

Test(forgery, data_count_from_the_peers_identity_at_its_address_only)
{
    send(false);
    size_t heard = row->nodes[1].heard_count;
    inject_data("node-1", 6, row->nodes[0].address);
    inject_data("node-", 5, row->nodes[0].address);
    inject_data("node-00", 7, row->nodes[0].address);
    inject_data("", 0, row->nodes[0].address);
    inject_data("node-0", 6, stranger());
    cr_assert_eq(row->nodes[1].heard_count, heard);
    inject_data("node-0", 6, row->nodes[0].address);
    cr_assert_eq(row->nodes[1].heard_count, heard + 1);
}

static bool change_identity(struct row *of, struct seen *seen, uint8_t *octets)
{
    enum { IDENTITY_OFFSET = 12 };
    if (seen->message.header.type != GIST_RESPONSE || seen->d_mode)
        return false;
    octets[seen->message.objects[GIST_OBJECT_NLI].octets - seen->octets + IDENTITY_OFFSET] ^= 1;
    of->spoiled++;
    return false;
}

Test(forgery, a_response_over_an_association_is_from_the_node_at_its_other_end)
{
    VERIFIES("RFC5971-7.2.1-6a");
    send(true);
    row->spoil = change_identity;
    session = row_session(2);
    send(true);
    cr_assert_gt(row->spoiled, 0);
    REQUIRE("RFC5971-7.2.1-6a", row_seen_count(row, GIST_CONFIRM) == 1);
    cr_assert_eq(row->nodes[1].heard_count, 1);
}

static bool drop_all(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    (void)seen;
    (void)octets;
    return true;
}

/* A Query of the flow and session by somebody else, behind the same address. */
static struct gist_message query_of_another(void)
{
    static const uint8_t cookie[GIST_QUERY_COOKIE_LENGTH] = "another";
    struct gist_message query = row_seen(row, GIST_QUERY, 0)->message;
    query.nli.peer_identity = (struct gist_octets){(const uint8_t *)"other", 5};
    query.query_cookie = (struct gist_octets){cookie, sizeof(cookie)};
    return query;
}

Test(forgery, a_query_of_another_does_not_end_the_state_for_want_of_its_confirm)
{
    struct gist_node_config *config = &row->nodes[1].gist->config;
    config->query_attempts_max = 2;
    send(false);
    size_t responses = row_seen_count(row, GIST_RESPONSE);
    struct gist_message query = query_of_another();
    row_inject(row, 1, &query, row->nodes[0].address, true);
    network_run_for(row->network, 8 * config->query_timer_ms);
    cr_assert_eq(row_seen_count(row, GIST_RESPONSE), responses + 1, "once");
    cr_assert_eq(states(1), 1);
    cr_assert_eq(row->nodes[1].notifications[GIST_NOTIFY_ROUTE_DELETED], 0);
}

Test(forgery, a_query_of_another_does_not_lengthen_the_wait_for_the_peers_confirm)
{
    struct gist_node_config *config = &row->nodes[1].gist->config;
    config->query_attempts_max = 2;
    send(false);
    row->spoil = drop_all;
    struct gist_message own = row_seen(row, GIST_QUERY, 0)->message;
    struct gist_message query = query_of_another();
    row_inject(row, 1, &own, row->nodes[0].address, true);
    for (unsigned i = 0; i < 40; i++) {
        row_inject(row, 1, &query, row->nodes[0].address, true);
        network_run_for(row->network, config->query_timer_ms / 10);
    }
    cr_assert_eq(states(1), 0, "6.3, rule 9, for the peer's own");
}

Test(forgery, what_is_repeated_for_want_of_a_confirm_answers_the_peers_query)
{
    send(false);
    row->spoil = drop_all;
    struct gist_message own = row_seen(row, GIST_QUERY, 0)->message;
    struct gist_message query = query_of_another();
    row_inject(row, 1, &own, row->nodes[0].address, true);
    row_inject(row, 1, &query, row->nodes[0].address, true);
    size_t responses = row_seen_count(row, GIST_RESPONSE);
    network_run_for(row->network, row->nodes[1].gist->config.query_timer_ms + 1);
    cr_assert_eq(row_seen_count(row, GIST_RESPONSE), responses + 1);
    struct gist_octets cookie = row_seen(row, GIST_RESPONSE, responses)->message.query_cookie;
    cr_assert_arr_eq(cookie.octets, own.query_cookie.octets, own.query_cookie.length);
}

Test(forgery, a_confirm_of_another_that_fails_its_checks_ends_no_state)
{
    send(false);
    struct gist_message query = query_of_another();
    struct gist_message confirm = row_seen(row, GIST_CONFIRM, 0)->message;
    uint8_t cookie[64] = {1};
    row_inject(row, 1, &query, row->nodes[0].address, true);
    confirm.responder_cookie = (struct gist_octets){cookie, confirm.responder_cookie.length};
    confirm.nli.peer_identity = query.nli.peer_identity;
    row_inject(row, 1, &confirm, row->nodes[0].address, false);
    cr_assert_eq(states(1), 1);
}

/* core/gist: what a node does with messages before its machines see them. RFC 5971 4.3.4, 4.4.1,
 * 4.4.3, 6.1, 7.2.1. */
#include "core/gist/message/message_build.h"
#include "core/gist/message/mri_object.h"
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

TestSuite(node_rules, .init = fixture_start, .fini = fixture_stop);

/* A Query on its way to the last of three nodes, at the middle one, which declines. */
static void decline(const struct gist_message *query)
{
    uint8_t payload[512] = {0x4e, 0x04, 0xbd, 0xa5};
    size_t length = gist_message_write(query, payload + GIST_MAGIC_LENGTH, 500);
    struct gist_arrival arrival = {.source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[2].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 60,
        .q_mode = true};
    row->nodes[1].peering = GIST_FORWARD;
    network_inject(row->nodes[1].place, &arrival, payload, GIST_MAGIC_LENGTH + length);
}

static uint64_t forwarded(void)
{
    return gist_node_counters(row->nodes[1].gist).queries_forwarded;
}

Test(node_rules, a_query_goes_on_while_it_has_hops_left)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.hop_count = 1;
    decline(&query);
    cr_assert_eq(row->nodes[1].asked, 1);
    cr_assert(row_refused(row, GIST_HOP_LIMIT_EXCEEDED, 0));
    cr_assert_eq(forwarded(), 0);
    query.header.hop_count = 2;
    decline(&query);
    cr_assert_eq(forwarded(), 1);
    cr_assert_eq(row_seen_count(row, GIST_ERROR), 1);
}

Test(node_rules, a_query_for_flows_to_anywhere_does_not_go_on)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri.destination_prefix = 1;
    decline(&query);
    cr_assert_eq(forwarded(), 1);
    query.mri.destination_prefix = 0;
    decline(&query);
    cr_assert(row_refused(row, GIST_MRI_VALIDATION_FAILURE, GIST_MRI_TOO_WILD));
    cr_assert_eq(forwarded(), 1);
    query.mri = (struct gist_mri){.mrm = GIST_MRM_LOOSE_END,
        .source = row->nodes[0].address,
        .destination = row->nodes[2].address};
    decline(&query);
    cr_assert_eq(forwarded(), 2, "the loose-end method has no prefixes");
}

/* 4.4.3: what is not connected yet carries no Response. */
Test(node_rules, a_response_waits_for_no_connection)
{
    struct gist_node *node = row->nodes[1].gist;
    struct gist_nli nli = {.interface_address = row->nodes[0].address,
        .peer_identity = {(const uint8_t *)"node-0", 6}};
    struct gist_association *association = gist_association_create(node, GIST_STACK_TCP);
    cr_assert(gist_association_bind(node, association, &nli, 30000));
    fixture_send("hello", true);
    network_run_for(row->network, 100);
    cr_assert(fixture_heard(1, 0, "hello"));
    const struct seen *response = row_seen(row, GIST_RESPONSE, 0);
    cr_assert(response && response->d_mode);
    cr_assert(gist_message_has(&response->message, GIST_OBJECT_STACK_PROPOSAL));
}

static bool drop_responses(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of, (void)octets;
    return seen->message.header.type == GIST_RESPONSE;
}

/* Node 0's Query was answered, and the Response that this returns was lost. */
static struct gist_message lose_response(void)
{
    row->spoil = drop_responses;
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    row->spoil = NULL;
    cr_assert_eq(row_seen_count(row, GIST_RESPONSE), 1);
    return row_seen(row, GIST_RESPONSE, 0)->message;
}

/* Whether a Confirm follows; a Response that is not taken counts as rejected, and no more. */
static bool is_taken(const struct gist_message *response)
{
    uint64_t rejected = gist_node_counters(row->nodes[0].gist).messages_rejected;
    row_inject(row, 0, response, row->nodes[1].address, false);
    bool taken = row_seen_count(row, GIST_CONFIRM) > 0;
    cr_assert_eq(
        gist_node_counters(row->nodes[0].gist).messages_rejected - rejected, taken ? 0 : 1);
    cr_assert_eq(row_seen_count(row, GIST_ERROR), 0);
    return taken;
}

Test(node_rules, a_response_counts_with_a_cookie_of_ours_and_no_other)
{
    uint8_t octets[GIST_QUERY_COOKIE_LENGTH + 4] = {0};
    struct gist_message response = lose_response();
    struct gist_octets own = response.query_cookie;
    cr_assert_eq(own.length, GIST_QUERY_COOKIE_LENGTH);
    response.query_cookie = (struct gist_octets){octets, GIST_QUERY_COOKIE_LENGTH};
    cr_assert_not(is_taken(&response), "zero is the cookie of no Query");
    memcpy(octets, own.octets, own.length);
    response.query_cookie.length = GIST_QUERY_COOKIE_LENGTH + 4;
    cr_assert_not(is_taken(&response), "too long");
    response.query_cookie.length = GIST_QUERY_COOKIE_LENGTH - 4;
    cr_assert_not(is_taken(&response), "too short");
    octets[GIST_QUERY_COOKIE_LENGTH - 1] ^= 1;
    response.query_cookie.length = GIST_QUERY_COOKIE_LENGTH;
    cr_assert_not(is_taken(&response), "one bit");
    octets[GIST_QUERY_COOKIE_LENGTH - 1] ^= 1;
    cr_assert(is_taken(&response));
}

Test(node_rules, a_response_for_a_session_that_is_not_there_is_dropped)
{
    struct gist_message response = lose_response();
    response.session_id = row_session(2);
    cr_assert_not(is_taken(&response));
    response.session_id = session;
    response.mri = gist_mri_reversed(&response.mri);
    cr_assert_not(is_taken(&response), "the wrong direction");
}

/* 7.2.1: the peer behind a NAT names the flow as it saw it; ours comes back in another object. */
Test(node_rules, a_response_from_behind_a_nat_finds_the_flow_that_was_asked_for)
{
    uint8_t value[4 + GIST_MRI_VALUE_MAX] = {0};
    struct gist_message response = lose_response();
    struct wire_writer writer = wire_writer_over(value + 4, GIST_MRI_VALUE_MAX);
    gist_mri_write(&writer, &mri);
    response.mri.source = gist_address_v4(0xc6336407);
    cr_assert_not(is_taken(&response), "without the object");
    value[0] = (uint8_t)(wire_written(&writer) / 4);
    response.nat_traversal.value = (struct gist_octets){value, 4 + wire_written(&writer)};
    gist_message_add(&response, GIST_OBJECT_NAT_TRAVERSAL);
    cr_assert(is_taken(&response));
}

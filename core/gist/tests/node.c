/* core/gist: a node's life, the bounds of its configuration, its entrances, and its service. RFC
 * 5971 4.3.3, 6.1, Appendix B. */
#include "core/gist/message/message_build.h"
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;

static void start(void)
{
    fixture_start();
    node = row->nodes[0].gist;
}

TestSuite(node, .init = start, .fini = fixture_stop);

/* Life ------------------------------------------------------------------------------------------
 */

static struct gist_node_config bounded(const struct gist_node_config *config)
{
    fixture_restart(1, config);
    return row->nodes[0].gist->config;
}

Test(node, a_configuration_out_of_range_is_taken_as_the_nearest_in_it)
{
    static const struct {
        uint8_t attempts, attempts_taken;
        uint32_t t1_ms, t1_taken_ms, t2_ms, t2_taken_ms;
        uint32_t validity_ms, validity_taken_ms, hold_ms, hold_taken_ms;
    } rows[] = {
        {6, 6, 500, 500, 32000, 32000, 30000, 30000, 30000, 30000},
        {0, 8, 0, 1, 0, 1, 0, 1, 0, 1},
        {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
        {8, 8, 700, 700, 699, 700, 2, 2, 2, 2},
        {9, 8, 700, 700, 700, 700, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX},
        {255, 8, UINT32_MAX, UINT32_MAX, 0, UINT32_MAX, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_node_config config = row_config();
        config.query_attempts_max = rows[i].attempts;
        config.query_timer_ms = rows[i].t1_ms;
        config.query_timer_max_ms = rows[i].t2_ms;
        config.routing_state_validity_ms = rows[i].validity_ms;
        config.association_hold_ms = rows[i].hold_ms;
        struct gist_node_config taken = bounded(&config);
        cr_assert_eq(taken.query_attempts_max, rows[i].attempts_taken, "row %zu", i);
        cr_assert_eq(taken.query_timer_ms, rows[i].t1_taken_ms, "row %zu", i);
        cr_assert_eq(taken.query_timer_max_ms, rows[i].t2_taken_ms, "row %zu", i);
        cr_assert_eq(taken.routing_state_validity_ms, rows[i].validity_taken_ms, "row %zu", i);
        cr_assert_eq(taken.association_hold_ms, rows[i].hold_taken_ms, "row %zu", i);
    }
}

Test(node, another_configuration_counts_at_once_but_the_node_stays_who_it_is)
{
    const struct gist_node_config before = node->config;
    struct gist_node_config config = before;
    config.routing_state_validity_ms = 0;
    config.routing_states_max = 3;
    config.queued_octets_max = 4096;
    config.datagrams_per_second = 5;
    config.datagram_burst = 2;
    config.nslp_id = 99;
    config.udp_port = config.association_port = 1;
    config.router_alert_v4 = config.router_alert_v6 = 1;
    config.peer_identity_length = 1;
    config.peer_identity[0] = '?';
    gist_node_configure(node, node->now_ms, &config);
    cr_assert_eq(node->config.routing_state_validity_ms, 1, "out of range");
    cr_assert_eq(node->config.routing_states_max, 3);
    cr_assert_eq(node->queued.octets_max, 4096);
    cr_assert(base_token_bucket_take(&node->bucket, node->now_ms));
    cr_assert(base_token_bucket_take(&node->bucket, node->now_ms));
    cr_assert_not(base_token_bucket_take(&node->bucket, node->now_ms));
    cr_assert_eq(node->config.nslp_id, before.nslp_id);
    cr_assert_eq(node->config.udp_port, before.udp_port);
    cr_assert_eq(node->config.association_port, before.association_port);
    cr_assert_eq(node->config.router_alert_v4, before.router_alert_v4);
    cr_assert_eq(node->config.router_alert_v6, before.router_alert_v6);
    cr_assert_eq(node->config.peer_identity_length, before.peer_identity_length);
    cr_assert_arr_eq(node->config.peer_identity, before.peer_identity, before.peer_identity_length);
}

Test(node, a_peer_identity_is_no_longer_than_it_can_be)
{
    static const size_t lengths[] = {0, 1, GIST_PEER_IDENTITY_MAX, GIST_PEER_IDENTITY_MAX + 1};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct gist_node_config config = row_config();
        struct gist_seams seams = network_seams(row->nodes[0].place);
        config.peer_identity_length = lengths[i];
        struct gist_node *made = gist_node_create(&config, &seams, NETWORK_START_MS);
        size_t expected = lengths[i] < GIST_PEER_IDENTITY_MAX ? lengths[i] : GIST_PEER_IDENTITY_MAX;
        cr_assert_eq(made->config.peer_identity_length, expected, "row %zu", i);
        gist_node_destroy(made);
    }
}

Test(node, the_defaults_are_those_of_the_text)
{
    struct gist_node_config config = gist_node_config_default();
    cr_assert_eq(config.nslp_id, 33);
    cr_assert(config.router_alert_v4 == 65 && config.router_alert_v6 == 68);
    cr_assert_eq(config.udp_port, 270);
    cr_assert_eq(config.association_port, 0);
    cr_assert_eq(config.routing_state_validity_ms, 30000);
    cr_assert_eq(config.association_hold_ms, 30000);
    cr_assert_eq(config.query_timer_ms, 500);
    cr_assert_eq(config.query_timer_max_ms, 64 * config.query_timer_ms);
    cr_assert_eq(config.query_attempts_max, 6);
    cr_assert_eq(config.cookie_rollover_ms, 30000);
    cr_assert(config.flow_source_address && config.ingress_filter);
    cr_assert_not(config.answer_invalid_cookie);
    cr_assert_eq(config.routing_states_max, 100000);
    cr_assert_eq(config.associations_max, 1000);
    cr_assert_eq(config.queued_octets_max, 16 << 20);
}

static size_t draws_until_failure;

static bool draw(void *context, uint8_t *octets, size_t length)
{
    (void)context;
    memset(octets, 0x5a, length);
    return draws_until_failure == 0 || --draws_until_failure > 0;
}

Test(node, without_randomness_none_is_made_and_nothing_is_left)
{
    struct gist_node_config config = row_config();
    struct gist_seams seams = network_seams(row->nodes[0].place);
    struct network_memory *memory = network_memory(row->network);
    size_t before = memory->outstanding;
    seams.crypto.random = draw;
    for (size_t failing = 1; failing <= 2; failing++) {
        draws_until_failure = failing;
        cr_assert_null(gist_node_create(&config, &seams, NETWORK_START_MS), "draw %zu", failing);
        cr_assert_eq(memory->outstanding, before, "draw %zu", failing);
    }
    gist_node_destroy(NULL);
}

Test(node, its_end_closes_associations_and_reports_nothing)
{
    fixture_send("hello", true);
    network_run_for(row->network, 100);
    fixture_send("more", true);
    session = row_session(2);
    fixture_send("waits", true);
    cr_assert_eq(network_streams(row->nodes[0].place), 1);
    struct row_node before = row->nodes[0];
    gist_node_destroy(node);
    row->nodes[0].gist = row->nodes[0].place->node = NULL;
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
    cr_assert_eq(row->nodes[0].told_count, before.told_count);
    cr_assert_eq(
        memcmp(row->nodes[0].notifications, before.notifications, sizeof(before.notifications)), 0);
}

/* Entrances -------------------------------------------------------------------------------------
 */

Test(node, a_payload_without_the_magic_number_is_rejected)
{
    static const uint8_t magics[][GIST_MAGIC_LENGTH] = {
        {0x4e, 0x04, 0xbd, 0xa4}, {0xa5, 0xbd, 0x04, 0x4e}, {0}, {0x4e, 0x04, 0xbd, 0xa5}};
    struct gist_arrival arrival = {.source = {row->nodes[1].address, GIST_PORT}};
    struct gist_message data = row_message(row, GIST_DATA);
    uint8_t payload[512];
    size_t length = gist_message_write(&data, payload + GIST_MAGIC_LENGTH, 500);
    uint64_t rejected = 0;
    for (size_t i = 0; i < 4; i++) {
        memcpy(payload, magics[i], GIST_MAGIC_LENGTH);
        for (size_t cut = 0; cut <= GIST_MAGIC_LENGTH; cut++)
            gist_node_receive_datagram(node, network_now_ms(row->network), &arrival, payload, cut);
        rejected += GIST_MAGIC_LENGTH + 1;
        gist_node_receive_datagram(
            node, network_now_ms(row->network), &arrival, payload, GIST_MAGIC_LENGTH + length);
        rejected += i < 3;
        struct gist_counters counters = gist_node_counters(node);
        cr_assert_eq(counters.messages_rejected - counters.errors_sent, rejected, "row %zu", i);
        cr_assert_eq(counters.messages_parsed, i == 3, "row %zu", i);
    }
}

static void never_close(void *context, gist_association_id id)
{
    (void)context;
    cr_assert_fail("the transport is told of %u, which it has told of", id);
}

Test(node, connections_are_accepted_where_they_are_offered)
{
    struct gist_endpoint peer = {row->nodes[1].address, 40000},
                         local = {row->nodes[0].address, 4000};
    uint64_t now_ms = network_now_ms(row->network);
    gist_association_id id =
        gist_node_association_accepted(node, now_ms, GIST_STACK_TCP, &peer, &local, 6);
    cr_assert_neq(id, 0);
    cr_assert_eq(gist_association_find(node, id)->interface, 6);
    cr_assert_eq(gist_association_find(node, id)->state, GIST_CONNECTED);
    node->config.associations_max = 1;
    struct gist_nli nli = {
        .peer_identity = {(const uint8_t *)"peer", 4}, .interface_address = peer.address};
    cr_assert(gist_association_bind(node, gist_association_find(node, id), &nli, 1000));
    cr_assert_eq(gist_node_association_accepted(node, now_ms, GIST_STACK_TCP, &peer, &local, 6), 0);
    node->config.associations_max = 2;
    node->config.association_port = 0;
    cr_assert_eq(gist_node_association_accepted(node, now_ms, GIST_STACK_TCP, &peer, &local, 6), 0);
    cr_assert_eq(gist_node_counters(node).associations, 1);
    node->transport.association_close = never_close;
    gist_node_association_closed(node, now_ms, id);
    cr_assert_eq(gist_node_counters(node).associations, 0);
}

Test(node, what_comes_for_an_unknown_association_is_ignored)
{
    static const uint8_t octets[] = {1, 1, 0, 0, 0, 0, 5, 128};
    uint64_t now_ms = network_now_ms(row->network);
    gist_node_association_connected(node, now_ms, 99, 1);
    gist_node_association_received(node, now_ms, 99, octets, sizeof(octets));
    gist_node_association_closed(node, now_ms, 99);
    struct gist_counters counters = gist_node_counters(node);
    cr_assert_eq(counters.messages_parsed + counters.messages_rejected + counters.errors_sent, 0);
}

Test(node, a_connection_that_opens_tells_its_interface)
{
    fixture_send("hello", true);
    network_run_for(row->network, 12);
    struct gist_association *association =
        gist_routing_state_find(node, &mri, &session)->association;
    cr_assert_eq(association->interface, 0);
    gist_node_association_connected(node, network_now_ms(row->network), association->id, 8);
    cr_assert_eq(association->interface, 8);
    cr_assert_eq(association->state, GIST_CONNECTED);
}

/* Service ---------------------------------------------------------------------------------------
 */

static struct gist_send_request request_of(size_t length)
{
    static const uint8_t data[GIST_OBJECT_VALUE_MAX + 8];
    return (struct gist_send_request){.data = data,
        .length = length,
        .session_id = session,
        .mri = mri,
        .attributes = {.reliable = true}};
}

static enum gist_send_result send(const struct gist_send_request *request)
{
    return gist_send_message(node, network_now_ms(row->network), request);
}

static void without_data(struct gist_send_request *request)
{
    request->data = NULL;
}

static void without_version(struct gist_send_request *request)
{
    request->mri.source.version = request->mri.destination.version = 0;
}

static void of_two_versions(struct gist_send_request *request)
{
    request->mri.destination.version = 6;
}

static void secured(struct gist_send_request *request)
{
    request->attributes.secure = true;
}

static void without_session(struct gist_send_request *request)
{
    request->session_id = (struct gist_session_id){{0}};
}

static void upstream(struct gist_send_request *request)
{
    request->mri.upstream = true;
}

static void to_itself(struct gist_send_request *request)
{
    request->mri.destination = row->nodes[0].address;
}

static void explicitly_to_nobody(struct gist_send_request *request)
{
    request->sii_handle = 12345;
}

static void nothing(struct gist_send_request *request)
{
    (void)request;
}

Test(node, what_cannot_be_sent_is_refused_and_leaves_no_state)
{
    static const struct {
        size_t length;
        void (*change)(struct gist_send_request *request);
        enum gist_send_result result;
    } rows[] = {
        {0, nothing, GIST_SEND_INVALID},
        {5, nothing, GIST_SEND_INVALID},
        {4, without_data, GIST_SEND_INVALID},
        {4, without_version, GIST_SEND_INVALID},
        {4, of_two_versions, GIST_SEND_INVALID},
        {4, secured, GIST_SEND_INVALID},
        {4, without_session, GIST_SEND_INVALID},
        {GIST_OBJECT_VALUE_MAX / 4 * 4 + 4, nothing, GIST_SEND_TOO_LARGE},
        {4, upstream, GIST_SEND_NO_ROUTE},
        {4, to_itself, GIST_SEND_TO_SELF},
        {4, explicitly_to_nobody, GIST_SEND_NO_ROUTE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_send_request request = request_of(rows[i].length);
        rows[i].change(&request);
        cr_assert_eq(send(&request), rows[i].result, "row %zu", i);
        cr_assert_eq(gist_node_counters(node).routing_states, 0, "row %zu", i);
        cr_assert_eq(row->seen_count, 0, "row %zu", i);
    }
    struct gist_send_request longest = request_of(GIST_OBJECT_VALUE_MAX / 4 * 4);
    cr_assert_eq(send(&longest), GIST_SENT);
}

static bool no_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context, (void)destination, (void)route;
    return false;
}

Test(node, what_cannot_even_begin_leaves_no_state_and_is_reported_by_its_result_only)
{
    struct gist_send_request request = request_of(4);
    request.handle = 9;
    node->queued.octets_max = 3;
    cr_assert_eq(send(&request), GIST_SEND_NO_MEMORY);
    cr_assert_eq(gist_node_counters(node).routing_states, 0);
    node->queued.octets_max = 4;
    node->transport.route = no_route;
    cr_assert_eq(send(&request), GIST_SEND_NO_ROUTE);
    cr_assert_eq(gist_node_counters(node).routing_states, 0);
    cr_assert_eq(node->queued.octets, 0);
    cr_assert_eq(row->nodes[0].told_count, 0);
}

/* 5.3.3, 4.3.3: what half a datagram cannot hold asks for an association from the first Query on.
 */
Test(node, what_is_reliable_or_long_asks_for_an_association_at_once)
{
    static const struct {
        size_t length;
        bool reliable, asks;
    } rows[] = {
        {4, true, true},
        {4, false, false},
        {GIST_D_MODE_LENGTH_MAX / 2, false, false},
        {GIST_D_MODE_LENGTH_MAX / 2 + 4, false, true},
    };
    for (uint8_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_send_request request = request_of(rows[i].length);
        request.attributes.reliable = rows[i].reliable;
        request.session_id = row_session(i);
        cr_assert_eq(send(&request), GIST_SENT);
        const struct gist_message *query = &row_seen(row, GIST_QUERY, i)->message;
        cr_assert_eq(
            gist_message_has(query, GIST_OBJECT_STACK_PROPOSAL), rows[i].asks, "row %d", i);
    }
}

Test(node, a_state_lifetime_is_for_state_that_this_node_asked_for)
{
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    struct gist_mri back = gist_mri_reversed(&mri);
    uint64_t now_ms = network_now_ms(row->network);
    gist_set_state_lifetime(row->nodes[1].gist, now_ms, &back, &session, 0);
    gist_invalidate_routing_state(
        row->nodes[1].gist, now_ms, &back, &session, GIST_ROUTING_TENTATIVE);
    struct gist_session_id unknown = row_session(9);
    gist_set_state_lifetime(node, now_ms, &mri, &unknown, 0);
    gist_invalidate_routing_state(node, now_ms, &mri, &unknown, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 100);
    cr_assert_eq(gist_node_counters(node).routing_states, 1);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 1);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 1);
    gist_invalidate_routing_state(
        node, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 2);
}

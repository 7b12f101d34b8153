/* core/gist: datagrams under the rate limit, and Queries sent on. RFC 5971 4.3.4, 5.3.1, 5.3.3. */
#include "core/gist/transport/datagram.h"
#include "core/gist/message/message_build.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;
static struct gist_endpoint peer;
static bool again; /* Queries were sent before */

/* Two at once, and one each 100 ms. */
static void start(void)
{
    struct gist_node_config config = row_config();
    config.datagrams_per_second = 10;
    config.datagram_burst = 2;
    config.interface_queries_per_second = 0; /* an eighth of so little would be none */
    fixture_start();
    fixture_restart(2, &config);
    node = row->nodes[0].gist;
    peer = (struct gist_endpoint){row->nodes[1].address, GIST_PORT};
}

TestSuite(datagram, .init = start, .fini = fixture_stop);

static bool send(enum gist_message_type type, uint8_t session_number)
{
    struct gist_message message = row_message(row, type);
    struct gist_query_route route = {.source = row->nodes[0].address,
        .destination = row->nodes[1].address,
        .source_port = GIST_PORT,
        .ip_ttl = 64};
    message.session_id = row_session(session_number);
    if (type == GIST_QUERY)
        return gist_datagram_query(node, &route, &message, again);
    return gist_datagram_send(node, &peer, &message);
}

static void run_for(uint64_t duration_ms)
{
    /* The deadline of what was held back outside of a turn. */
    gist_node_tick(node, network_now_ms(row->network));
    network_run_for(row->network, duration_ms);
}

/* 5.3.3: what answers strangers is dropped, and what another Query will do for; all else waits. */
Test(datagram, above_the_limit_messages_wait_or_are_dropped_and_told)
{
    VERIFIES("RFC5971-5.3.3-12a", "RFC5971-5.3.3-12b");
    static const struct {
        enum gist_message_type type;
        bool again, waits;
    } rows[] = {{GIST_CONFIRM, false, true}, {GIST_DATA, false, true}, {GIST_QUERY, false, true},
        {GIST_QUERY, true, false}, {GIST_RESPONSE, false, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        node->bucket = base_token_bucket_full(10, 2, network_now_ms(row->network));
        uint64_t dropped = gist_node_counters(node).datagrams_dropped;
        unsigned told = row->nodes[0].notifications[GIST_NOTIFY_COMMUNICATION_FAILURE];
        row->seen_count = 0;
        again = rows[i].again;
        cr_assert(send(rows[i].type, 1) && send(rows[i].type, 1), "row %zu", i);
        cr_assert_eq(row->seen_count, 2, "row %zu", i);
        REQUIRE("RFC5971-5.3.3-12a", send(rows[i].type, 1) == rows[i].waits);
        cr_assert_eq(row->seen_count, 2, "row %zu", i);
        cr_assert_eq(
            gist_node_counters(node).datagrams_dropped - dropped, !rows[i].waits, "row %zu", i);
        told = row->nodes[0].notifications[GIST_NOTIFY_COMMUNICATION_FAILURE] - told;
        REQUIRE("RFC5971-5.3.3-12b", told == !rows[i].waits);
        run_for(1000);
        cr_assert_geq(row_seen_count(row, rows[i].type), rows[i].waits ? 3 : 2, "row %zu", i);
        cr_assert_eq(node->queued.octets, 0, "row %zu", i);
    }
}

Test(datagram, an_error_that_is_dropped_is_told_of_what_it_is_about)
{
    while (base_token_bucket_take(&node->bucket, network_now_ms(row->network)))
        ;
    struct gist_message data = row_message(row, GIST_DATA);
    data.nli.interface_address = row->nodes[1].address;
    unsigned *told = &row->nodes[0].notifications[GIST_NOTIFY_COMMUNICATION_FAILURE];
    row_inject(row, 0, &data, row->nodes[1].address, false);
    cr_assert_eq(*told, 1);
    data.header.type = 77;
    row_inject(row, 0, &data, row->nodes[1].address, false);
    cr_assert_eq(*told, 1, "of nothing that it knows");
    cr_assert_eq(gist_node_counters(node).datagrams_dropped, 2);
    cr_assert_eq(row->seen_count, 0);
}

/* Each Query brings a Confirm and Data with it, which must not wait behind other Queries. */
Test(datagram, queries_wait_behind_the_others)
{
    cr_assert(send(GIST_DATA, 1) && send(GIST_DATA, 2));
    cr_assert(send(GIST_QUERY, 3) && send(GIST_QUERY, 4));
    cr_assert(send(GIST_CONFIRM, 5) && send(GIST_DATA, 6));
    row->seen_count = 0;
    run_for(250);
    cr_assert_eq(row_seen_count(row, GIST_CONFIRM), 1);
    cr_assert_eq(row_seen_count(row, GIST_DATA), 1);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 0);
    run_for(250);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 2);
}

Test(datagram, what_waits_goes_in_order_at_the_rate_and_nothing_overtakes_it)
{
    uint64_t start_ms = network_now_ms(row->network);
    for (uint8_t i = 0; i < 5; i++)
        cr_assert(send(GIST_DATA, i));
    run_for(250);
    cr_assert(send(GIST_DATA, 5));
    node->bucket = base_token_bucket_full(10, 1, network_now_ms(row->network));
    cr_assert(send(GIST_DATA, 6), "there is room, and others wait");
    run_for(2000);
    cr_assert_eq(row_seen_count(row, GIST_DATA), 7);
    static const uint64_t at_ms[] = {0, 0, 100, 200};
    for (uint8_t i = 0; i < 7; i++) {
        const struct seen *seen = row_seen(row, GIST_DATA, i);
        struct gist_session_id id = row_session(i);
        cr_assert(gist_session_id_equal(&seen->message.session_id, &id), "%d", i);
        if (i < 4)
            cr_assert_eq(seen->time_ms - start_ms, at_ms[i], "%d", i);
    }
}

Test(datagram, what_waits_has_its_bounds)
{
    cr_assert(send(GIST_DATA, 1) && send(GIST_DATA, 2) && send(GIST_DATA, 3));
    node->queued.octets_max = node->queued.octets;
    cr_assert_not(send(GIST_DATA, 4));
    cr_assert_eq(gist_node_counters(node).datagrams_dropped, 1);
    cr_assert_eq(node->queued.octets, node->queued.octets_max);
}

/* 4.3.3: 512 octets, so that no datagram is cut. */
Test(datagram, none_is_longer_than_d_mode_allows)
{
    VERIFIES("RFC5971-4.3.3-5");
    static const uint8_t data[GIST_D_MODE_LENGTH_MAX];
    struct gist_message message = row_message(row, GIST_DATA);
    uint8_t octets[2 * GIST_D_MODE_LENGTH_MAX];
    size_t overhead = gist_message_build(&message, octets, sizeof(octets)) - 4;
    message.nslp_data = (struct gist_octets){data, GIST_D_MODE_LENGTH_MAX - overhead};
    cr_assert(gist_datagram_send(node, &peer, &message));
    cr_assert_eq(row->seen_count, 1);
    cr_assert_eq(row->seen[0].length, GIST_D_MODE_LENGTH_MAX);
    message.nslp_data.length += 4;
    REQUIRE("RFC5971-4.3.3-5", !gist_datagram_send(node, &peer, &message));
    cr_assert_eq(row->seen_count, 1);
    cr_assert_eq(gist_node_counters(node).datagrams_dropped, 0);
}

static struct {
    uint8_t payload[64];
    size_t length;
    const struct gist_arrival *arrival;
} forwarded;

static bool note_forwarded(
    void *context, const struct gist_arrival *arrival, const uint8_t *payload, size_t length)
{
    (void)context;
    forwarded.arrival = arrival;
    forwarded.length = length;
    memcpy(forwarded.payload, payload, length < 64 ? length : 64);
    return true;
}

Test(datagram, a_query_goes_on_as_it_came_with_its_hop_count)
{
    static const uint8_t octets[] = {1, 9, 0, 1, 0, 33, 0, 0x80, 0xde, 0xad, 0xbe, 0xef};
    static const uint8_t payload[] = {
        0x4e, 0x04, 0xbd, 0xa5, 1, 8, 0, 1, 0, 33, 0, 0x80, 0xde, 0xad, 0xbe, 0xef};
    struct gist_arrival arrival = {.ip_ttl = 60};
    struct gist_reception reception = {
        .octets = octets, .length = sizeof(octets), .received_hop_count = 9, .arrival = &arrival};
    node->transport.forward_query = note_forwarded;
    cr_assert(gist_datagram_forward(node, &reception, 8));
    cr_assert_eq(forwarded.arrival, &arrival);
    cr_assert_eq(forwarded.length, sizeof(payload));
    cr_assert_arr_eq(forwarded.payload, payload, sizeof(payload));
}

Test(datagram, a_query_that_the_scratch_cannot_hold_does_not_go_on)
{
    static uint8_t octets[GIST_SCRATCH_LENGTH];
    struct gist_reception reception = {
        .octets = octets, .length = GIST_SCRATCH_LENGTH - GIST_MAGIC_LENGTH + 1};
    node->transport.forward_query = note_forwarded;
    cr_assert_not(gist_datagram_forward(node, &reception, 8));
    cr_assert_null(forwarded.arrival);
    cr_assert_eq(forwarded.length, 0);
    reception.length--;
    cr_assert(gist_datagram_forward(node, &reception, 8));
    cr_assert_eq(forwarded.length, GIST_SCRATCH_LENGTH);
}

/* Datagrams that leave at once: the burst, whatever the rate. */
static unsigned sent_at_once(uint32_t per_second, uint32_t burst)
{
    struct gist_node_config config = row_config();
    unsigned count = 0;
    config.datagrams_per_second = per_second;
    config.datagram_burst = burst;
    fixture_restart(2, &config);
    node = row->nodes[0].gist;
    while (count < 50 && send(GIST_RESPONSE, 1))
        count++;
    return count;
}

Test(datagram, a_burst_is_as_long_as_it_is_configured)
{
    cr_assert_eq(sent_at_once(1, 3), 3);
    cr_assert_eq(sent_at_once(1, 11), 11);
    cr_assert_eq(sent_at_once(1000, 11), 11);
    cr_assert_eq(sent_at_once(0, 3), 50, "there is no limit");
}

/* core/gist: Queries that go on as they came. RFC 5971 4.3.2, 4.3.4, A.2.1. */
#include "core/gist/message/message_build.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

enum { HOP_COUNT_OFFSET = 1, UNKNOWN_OBJECT_LENGTH = 8, UNKNOWN_MRM = 200 };

static void start(void)
{
    struct gist_node_config config = row_config();
    fixture_start();
    fixture_restart(3, &config);
    row->nodes[1].peering = GIST_FORWARD;
}

TestSuite(forwarding, .init = start, .fini = fixture_stop);

/* A Query from node 0 comes to node 1 on its way to node 2. */
static void pass_by(const uint8_t *octets, size_t length)
{
    uint8_t payload[1024] = {0x4e, 0x04, 0xbd, 0xa5};
    memcpy(payload + GIST_MAGIC_LENGTH, octets, length);
    struct gist_arrival arrival = {
        .source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[2].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 63,
        .q_mode = true,
    };
    network_inject(row->nodes[1].place, &arrival, payload, GIST_MAGIC_LENGTH + length);
}

/* A Query with all that it may have, and at its end an object of a type that nobody knows, to be
 * kept (AB=10). */
static size_t write_full_query(uint8_t *octets, size_t capacity)
{
    static const uint8_t unknown[UNKNOWN_OBJECT_LENGTH] = {
        0x80 | 0x0f, 0x0f, 0, 1, 'k', 'e', 'e', 'p'};
    struct gist_message query = row_message(row, GIST_QUERY);
    query.nslp_data = (struct gist_octets){(const uint8_t *)"payload of it", 12};
    gist_message_add(&query, GIST_OBJECT_NSLP_DATA);
    size_t length = gist_message_write(&query, octets, capacity - sizeof(unknown));
    memcpy(octets + length, unknown, sizeof(unknown));
    octets[3] += sizeof(unknown) / 4;
    return length + sizeof(unknown);
}

Test(forwarding, a_declined_query_goes_on_octet_for_octet_but_for_its_hop_count)
{
    VERIFIES("RFC5971-4.3.2-6a", "RFC5971-4.3.2-6b", "RFC5971-A.2.1-3");
    uint8_t octets[512];
    size_t length = write_full_query(octets, sizeof(octets));
    pass_by(octets, length);
    cr_assert_eq(row->nodes[1].asked, 1);
    cr_assert_eq(row_seen_count(row, GIST_QUERY), 1);
    const struct seen *onward = row_seen(row, GIST_QUERY, 0);
    cr_assert(onward->from == 1 && onward->to == 2);
    REQUIRE("RFC5971-A.2.1-3",
        onward->length == length &&
            memcmp(onward->octets + length - UNKNOWN_OBJECT_LENGTH,
                octets + length - UNKNOWN_OBJECT_LENGTH, UNKNOWN_OBJECT_LENGTH) == 0);
    octets[HOP_COUNT_OFFSET]--;
    REQUIRE("RFC5971-4.3.2-6a", memcmp(onward->octets, octets, GIST_COMMON_HEADER_LENGTH) == 0);
    REQUIRE("RFC5971-4.3.2-6b", memcmp(onward->octets, octets, length) == 0);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
}

/* What nobody here can read is no reason to hold a Query for another application up. */
Test(forwarding, a_query_with_an_unknown_routing_method_passes_by)
{
    VERIFIES("RFC5971-4.3.4-12");
    uint8_t octets[512];
    struct gist_message query = row_message(row, GIST_QUERY);
    query.header.nslp_id = 34;
    size_t length = gist_message_write(&query, octets, sizeof(octets));
    octets[GIST_COMMON_HEADER_LENGTH + GIST_OBJECT_HEADER_LENGTH] = UNKNOWN_MRM;
    pass_by(octets, length);
    REQUIRE("RFC5971-4.3.4-12", row_seen_count(row, GIST_QUERY) == 1);
    REQUIRE("RFC5971-4.3.4-12", row_error(row) == NULL);
    octets[HOP_COUNT_OFFSET]--;
    cr_assert_arr_eq(row_seen(row, GIST_QUERY, 0)->octets, octets, length);
}

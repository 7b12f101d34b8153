/* core/gist: which Queries can have come by their flow's path. RFC 5971 5.8.1.2, 5.8.1.3, 7.2.1,
 * 7.4. */
#include "core/gist/message/message_build.h"
#include "core/gist/tests/fixture.h"

TestSuite(query_path, .init = fixture_start, .fini = fixture_stop);

static void inject(const struct gist_message *message)
{
    row_inject(row, 1, message, row->nodes[0].address, true);
}

Test(query_path, a_query_that_a_nat_has_touched)
{
    VERIFIES("RFC5971-7.2.1-1", "RFC5971-7.2.1-2", "RFC5971-7.2.1-3");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.nli.interface_address = gist_address_v4(0xc6336401);
    inject(&query);
    REQUIRE("RFC5971-7.2.1-1", row->nodes[1].asked == 0);
    REQUIRE("RFC5971-7.2.1-2", row_refused(row, GIST_OBJECT_TYPE_ERROR, GIST_UNTRANSLATED_OBJECT));
    REQUIRE("RFC5971-7.2.1-3", row_error(row)->to == 0);
}

Test(query_path, an_upstream_query_from_afar)
{
    VERIFIES("RFC5971-5.8.1.3-10");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri.upstream = true;
    inject(&query);
    REQUIRE("RFC5971-5.8.1.3-10", row_refused(row, GIST_INVALID_IP_LAYER_TTL, 0));
}

/* 5.8.1.3: 255 when it was sent, and at the most one router that does not know of GIST between. */
static bool upstream_query_is_taken(uint8_t ip_ttl)
{
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri = gist_mri_reversed(&query.mri);
    query.nli.interface_address = row->nodes[1].address;
    uint8_t payload[512] = {0x4e, 0x04, 0xbd, 0xa5};
    size_t length = gist_message_build(&query, payload + 4, sizeof(payload) - 4);
    struct gist_arrival arrival = {.source = {row->nodes[1].address, GIST_PORT},
        .destination = {row->nodes[0].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = ip_ttl,
        .q_mode = true};
    size_t before = row_seen_count(row, GIST_RESPONSE);
    network_inject(row->nodes[0].place, &arrival, payload, 4 + length);
    return row_seen_count(row, GIST_RESPONSE) > before;
}

Test(query_path, an_upstream_query_shows_by_its_ttl_that_it_is_from_near)
{
    VERIFIES("RFC5971-5.8.1.3-10");
    REQUIRE("RFC5971-5.8.1.3-10", upstream_query_is_taken(255));
    REQUIRE("RFC5971-5.8.1.3-10", upstream_query_is_taken(254));
    REQUIRE("RFC5971-5.8.1.3-10", !upstream_query_is_taken(253));
}

Test(query_path, a_query_whose_flow_has_another_ip_version)
{
    VERIFIES("RFC5971-7.4-2");
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri.source.version = query.mri.destination.version = 6;
    query.mri.source_prefix = query.mri.destination_prefix = 128;
    inject(&query);
    REQUIRE(
        "RFC5971-7.4-2", row_refused(row, GIST_MRI_VALIDATION_FAILURE, GIST_IP_VERSION_MISMATCH));
}

/* A Query that came to the middle node from node 0, for a flow from this address. */
static void inject_query_for_flow_from(struct gist_address source, uint8_t prefix)
{
    struct gist_message query = row_message(row, GIST_QUERY);
    query.mri.source = source;
    query.mri.source_prefix = prefix;
    inject(&query);
}

Test(query_path, a_query_for_a_flow_that_comes_from_elsewhere)
{
    VERIFIES("RFC5971-5.8.1.2-6");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    inject_query_for_flow_from(row->nodes[2].address, 32);
    REQUIRE("RFC5971-5.8.1.2-6", row->nodes[1].asked == 0);
    REQUIRE("RFC5971-5.8.1.2-6",
        row_refused(row, GIST_MRI_VALIDATION_FAILURE, GIST_INGRESS_FILTER_FAILURE));
    inject_query_for_flow_from(row->nodes[0].address, 30); /* node 2 is in there */
    REQUIRE("RFC5971-5.8.1.2-6", row->nodes[1].asked == 0);
    inject_query_for_flow_from(row->nodes[0].address, 32);
    cr_assert_eq(row->nodes[1].asked, 1);
    inject_query_for_flow_from(row->nodes[0].address, 0);
    cr_assert_eq(row->nodes[1].asked, 2, "a flow from anywhere may come from here");
}

Test(query_path, no_query_by_where_its_flow_comes_from_when_told_so)
{
    struct gist_node_config config = row_config();
    config.ingress_filter = false;
    fixture_restart(3, &config);
    inject_query_for_flow_from(row->nodes[2].address, 32);
    cr_assert_eq(row->nodes[1].asked, 1);
}

/* Neither the first nor the last address of all is asked for its interface. */
Test(query_path, a_flow_from_anywhere_comes_in_anywhere)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    inject_query_for_flow_from(row->nodes[2].address, 0);
    cr_assert_eq(row->nodes[1].asked, 1);
    inject_query_for_flow_from(row->nodes[2].address, 1);
    cr_assert_eq(row->nodes[1].asked, 1, "half of all addresses are not anywhere");
}

/* The first address of a prefix comes in here, and the last one does not; or the other way. */
Test(query_path, both_ends_of_a_prefix_count)
{
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    struct gist_address first = gist_address_v4(0xcb007100), last = gist_address_v4(0xcb0071ff);
    struct network_place *place = row->nodes[1].place;
    inject_query_for_flow_from(first, 24);
    cr_assert_eq(row->nodes[1].asked, 1, "by the default route, both come in here");
    network_give_route(place, last, 32, row->nodes[2].place, 2, row->nodes[1].address);
    inject_query_for_flow_from(first, 24);
    cr_assert_eq(row->nodes[1].asked, 1, "the last does not");
    inject_query_for_flow_from(first, 25);
    cr_assert_eq(row->nodes[1].asked, 2, "the last is not in it");
    network_give_route(place, first, 32, row->nodes[2].place, 2, row->nodes[1].address);
    inject_query_for_flow_from(first, 25);
    cr_assert_eq(row->nodes[1].asked, 2, "the first does not");
}

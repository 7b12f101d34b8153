/* core/gist: the order of the checks before Data are delivered, and messages that bypass routing
 * state. RFC 5971 4.3.2, 4.3.3, 7.1.4, 7.1.5. */
#include "core/gist/state/association.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

enum { SETTLED_MS = 200 };

TestSuite(delivery, .init = fixture_start, .fini = fixture_stop);

static void settle(void)
{
    network_run_for(row->network, SETTLED_MS);
}

static const struct seen *last(enum gist_message_type type)
{
    return row_seen(row, type, row_seen_count(row, type) - 1);
}

static struct gist_association *association_at(size_t node)
{
    struct gist_mri towards = node == 0 ? mri : gist_mri_reversed(&mri);
    return gist_routing_state_find(row->nodes[node].gist, &towards, &session)->association;
}

/* The order of the checks ------------------------------------------------------------------------
 */

/* Node 1 has lost its state, and the association is still there. */
Test(delivery, over_an_association_the_wrong_one_is_told_before_missing_state)
{
    VERIFIES("RFC5971-4.3.2-10", "RFC5971-4.3.2-11");
    fixture_send("hello", true);
    settle();
    struct gist_mri back = gist_mri_reversed(&mri);
    gist_routing_state_destroy(row->nodes[1].gist,
        gist_routing_state_find(row->nodes[1].gist, &back, &session), GIST_STATUS_NO_NEXT_NODE);
    fixture_send("lost", true);
    settle();
    REQUIRE("RFC5971-4.3.2-10", row_refused(row, GIST_INCORRECTLY_DELIVERED_MESSAGE, 0));
    REQUIRE("RFC5971-4.3.2-11", row->nodes[1].heard_count == 1);
    cr_assert_not(last(GIST_ERROR)->d_mode);
}

Test(delivery, in_d_mode_only_the_state_counts)
{
    VERIFIES("RFC5971-4.4.6-3");
    struct gist_message data = row_message(row, GIST_DATA);
    row_inject(row, 1, &data, row->nodes[0].address, false);
    settle();
    REQUIRE("RFC5971-4.4.6-3", row_refused(row, GIST_NO_ROUTING_STATE, 0));
}

/* By SII-Handle ----------------------------------------------------------------------------------
 */

static enum gist_send_result send_to(gist_sii_handle handle, const struct gist_session_id *about)
{
    struct gist_send_request request = {.data = (const uint8_t *)"text",
        .length = 4,
        .session_id = *about,
        .mri = gist_mri_reversed(&mri),
        .attributes = {.reliable = true},
        .sii_handle = handle};
    return gist_send_message(row->nodes[1].gist, network_now_ms(row->network), &request);
}

/* A session that neither end has state for. */
Test(delivery, by_a_handle_needs_no_routing_state_at_either_end)
{
    VERIFIES("RFC5971-7.1.4-3b", "RFC5971-7.1.4-4", "RFC5971-7.1.4-5");
    fixture_send("hello", true);
    settle();
    gist_sii_handle handle = row->nodes[1].heard[0].received.sii_handle;
    struct gist_session_id unknown = row_session(9);
    const struct seen *sent = &row->seen[row->seen_count];
    cr_assert_eq(send_to(handle, &unknown), GIST_SENT);
    settle();
    REQUIRE("RFC5971-7.1.4-4", sent->message.header.type == GIST_DATA);
    REQUIRE("RFC5971-7.1.4-3b", sent->message.header.explicitly_routed);
    REQUIRE("RFC5971-7.1.4-5", fixture_heard(0, 0, "text"));
    const struct gist_received *received = &row->nodes[0].heard[0].received;
    REQUIRE("RFC5971-7.1.4-5", received->explicitly_routed && !received->routing_state_validated);
    cr_assert(gist_session_id_equal(&received->session_id, &unknown));
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(gist_node_counters(row->nodes[i].gist).routing_states, 1);
}

/* The flow has moved to node 2, and the handle still leads to node 1. */
Test(delivery, by_a_handle_goes_to_its_peer_whatever_the_state_says)
{
    VERIFIES("RFC5971-7.1.4-3a");
    struct gist_node_config config = row_config();
    fixture_restart(3, &config);
    row->nodes[1].replies = true;
    fixture_send("hello", true);
    settle();
    gist_sii_handle before = row->nodes[0].heard[0].received.sii_handle;
    row->nodes[1].replies = false;
    row->nodes[1].place->intercepts = false;
    gist_invalidate_routing_state(
        row->nodes[0].gist, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    settle();
    struct gist_send_request request = {.data = (const uint8_t *)"over",
        .length = 4,
        .session_id = session,
        .mri = mri,
        .attributes = {.reliable = true},
        .sii_handle = before};
    cr_assert_eq(
        gist_send_message(row->nodes[0].gist, network_now_ms(row->network), &request), GIST_SENT);
    settle();
    REQUIRE("RFC5971-7.1.4-3a", fixture_heard(1, 1, "over"));
    REQUIRE("RFC5971-7.1.4-3a", row->nodes[2].heard_count == 0);
}

/* By size ----------------------------------------------------------------------------------------
 */

static enum gist_send_result send_unreliably(size_t length)
{
    static const uint8_t data[1024];
    struct gist_send_request request = {
        .data = data, .length = length, .session_id = session, .mri = mri};
    return gist_send_message(row->nodes[0].gist, network_now_ms(row->network), &request);
}

/* The first message leaves state without association; the long one makes it. */
Test(delivery, what_is_too_long_for_a_datagram_goes_over_an_association)
{
    VERIFIES("RFC5971-4.3.3-3");
    cr_assert_eq(send_unreliably(16), GIST_SENT);
    settle();
    cr_assert_null(association_at(0));
    size_t overhead = last(GIST_DATA)->length - 16;
    cr_assert_eq(send_unreliably(576 - 64 - overhead), GIST_SENT);
    settle();
    cr_assert(last(GIST_DATA)->d_mode && last(GIST_DATA)->length == 576 - 64);
    REQUIRE("RFC5971-4.3.3-3", send_unreliably(576 - 64 - overhead + 4) == GIST_SENT);
    settle();
    REQUIRE("RFC5971-4.3.3-3", row->nodes[1].heard_count == 3);
    REQUIRE("RFC5971-4.3.3-3", !last(GIST_DATA)->d_mode);
    cr_assert_not_null(association_at(0));
}

Test(delivery, to_oneself_is_refused)
{
    VERIFIES("RFC5971-4.3.3-1b");
    mri.destination = row->nodes[0].address;
    REQUIRE(
        "RFC5971-4.3.3-1b", row_send(row, 0, &mri, &session, "text", true) == GIST_SEND_TO_SELF);
    REQUIRE(
        "RFC5971-4.3.3-1b", row_send(row, 0, &mri, &session, "text", false) == GIST_SEND_TO_SELF);
}

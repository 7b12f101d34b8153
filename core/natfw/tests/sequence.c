/* Message sequence numbers at NI, NF and NR. RFC 5973 3.5, RFC 1982. */
#include "core/natfw/session/sequence.h"
#include "core/natfw/tests/bench.h"

TestSuite(sequence, .init = bench_start_default, .fini = bench_stop);

static struct natfw_open open_request(void)
{
    return (struct natfw_open){
        .rule = {.action = NATFW_ALLOW, .flow = bench_flow()}, .lifetime_s = 60, .refresh = true};
}

Test(sequence, comparison_survives_the_wrap_around)
{
    VERIFIES("RFC5973-3.5-4");
    REQUIRE("RFC5973-3.5-4", natfw_sequence_is_newer(0, UINT32_MAX));
    REQUIRE("RFC5973-3.5-4", natfw_sequence_is_newer(5, 0xfffffff0));
    REQUIRE("RFC5973-3.5-4", !natfw_sequence_is_newer(UINT32_MAX, 0));
    REQUIRE("RFC5973-3.5-4", !natfw_sequence_is_newer(7, 7));
}

Test(sequence, a_distance_of_half_the_range_is_not_newer)
{
    cr_assert_not(natfw_sequence_is_newer(0x80000000, 0));
    cr_assert_not(natfw_sequence_is_newer(0, 0x80000000));
}

Test(sequence, the_initiator_sets_a_random_first_number)
{
    VERIFIES("RFC5973-3.5-1a", "RFC5973-3.5-2a");
    struct natfw_open open = open_request();
    struct gist_session_id id;
    (void)natfw_node_open(bench.node, bench.now_ms, &open, &id);
    const struct bench_sent *first = bench_last(false);
    REQUIRE("RFC5973-3.5-1a", first && first->well_formed);
    REQUIRE("RFC5973-3.5-1a", natfw_message_has(&first->message, NATFW_MSN));
    uint32_t first_number = first->message.sequence_number;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    REQUIRE("RFC5973-3.5-2a", bench_last(false)->message.sequence_number != first_number);
}

Test(sequence, the_initiator_counts_up_by_one_within_a_session)
{
    VERIFIES("RFC5973-3.5-3", "RFC5973-3.5-2b");
    struct natfw_open open = open_request();
    struct gist_session_id id;
    cr_assert_eq(natfw_node_open(bench.node, bench.now_ms, &open, &id), NATFW_OK);
    uint32_t number = bench_last(false)->message.sequence_number;
    cr_assert_eq(natfw_node_change(bench.node, bench.now_ms, &id, &open), NATFW_OK);
    REQUIRE("RFC5973-3.5-2b", bench_last(false)->message.sequence_number != number);
    REQUIRE("RFC5973-3.5-3", bench_last(false)->message.sequence_number == number + 1);
    cr_assert_eq(natfw_node_close(bench.node, bench.now_ms, &id), NATFW_OK);
    REQUIRE("RFC5973-3.5-3", bench_last(false)->message.sequence_number == number + 2);
}

Test(sequence, after_the_largest_number_comes_zero)
{
    VERIFIES("RFC5973-3.5-i4");
    REQUIRE("RFC5973-3.5-i4", natfw_sequence_next(UINT32_MAX) == 0);
}

Test(sequence, a_forwarder_passes_the_number_on_unchanged)
{
    VERIFIES("RFC5973-3.5-1b");
    struct natfw_message create = bench_create(60, 0x1234);
    bench_receive(1, false, &create);
    const struct bench_sent *sent = bench_last(false);
    REQUIRE("RFC5973-3.5-1b", sent && sent->message.sequence_number == 0x1234);
}

Test(sequence, a_forwarders_own_answer_repeats_the_number)
{
    VERIFIES("RFC5973-3.5-5");
    bench.remember_result = NATFW_MIDDLEBOX_CONFLICT;
    struct natfw_message create = bench_create(60, 0x1234);
    bench_receive(1, false, &create);
    const struct bench_sent *sent = bench_last(true);
    REQUIRE("RFC5973-3.5-5", sent && sent->message.sequence_number == 0x1234);
}

Test(sequence, a_responders_answer_repeats_the_number)
{
    VERIFIES("RFC5973-3.5-5");
    bench.flow_ends_here = true;
    struct natfw_message create = bench_create(60, 0x1234);
    bench_receive(1, false, &create);
    const struct bench_sent *sent = bench_last(true);
    REQUIRE("RFC5973-3.5-5", sent && sent->message.sequence_number == 0x1234);
}

static void a_request_that_is_not_newer_is_discarded(uint32_t number)
{
    struct natfw_message create = bench_create(60, 100);
    struct natfw_message success = bench_success(60, 100);
    bench_receive(1, false, &create);
    if (!bench.flow_ends_here)
        bench_receive(1, true, &success);
    bench_forget_sent();
    struct natfw_message stale = bench_create(0, number);
    bench_receive(1, false, &stale);
    stale = bench_create(50, number);
    bench_receive(1, false, &stale);
    REQUIRE("RFC5973-3.5-6", bench.sent_count == 0);
    REQUIRE("RFC5973-3.5-6", bench_state(1, NATFW_ESTABLISHED));
}

Test(sequence, a_forwarder_discards_a_duplicate)
{
    VERIFIES("RFC5973-3.5-6");
    a_request_that_is_not_newer_is_discarded(100);
    REQUIRE("RFC5973-3.5-6", bench_rule_acts(1));
}

Test(sequence, a_forwarder_discards_an_older_request)
{
    VERIFIES("RFC5973-3.5-6");
    a_request_that_is_not_newer_is_discarded(99);
}

Test(sequence, a_responder_discards_a_duplicate)
{
    VERIFIES("RFC5973-3.5-6");
    bench.flow_ends_here = true;
    a_request_that_is_not_newer_is_discarded(100);
}

Test(sequence, a_forwarder_stores_the_newer_number)
{
    VERIFIES("RFC5973-3.5-7");
    struct natfw_message create = bench_create(60, 100);
    bench_receive(1, false, &create);
    struct natfw_message newer = bench_create(60, 102);
    bench_receive(1, false, &newer);
    bench_forget_sent();
    struct natfw_message between = bench_create(60, 101);
    bench_receive(1, false, &between);
    REQUIRE("RFC5973-3.5-7", bench.sent_count == 0);
    struct natfw_message success = bench_success(60, 102);
    bench_receive(1, true, &success);
    REQUIRE("RFC5973-3.5-7", bench_state(1, NATFW_ESTABLISHED));
}

Test(sequence, a_responder_stores_the_newer_number)
{
    VERIFIES("RFC5973-3.5-7");
    bench.flow_ends_here = true;
    struct natfw_message create = bench_create(60, 100);
    bench_receive(1, false, &create);
    struct natfw_message newer = bench_create(60, 102);
    bench_receive(1, false, &newer);
    bench_forget_sent();
    struct natfw_message between = bench_create(60, 101);
    bench_receive(1, false, &between);
    REQUIRE("RFC5973-3.5-7", bench.sent_count == 0);
}

Test(sequence, a_request_that_fails_authentication_leaves_the_number_alone)
{
    VERIFIES("RFC5973-3.5-i7");
    struct natfw_message create = bench_create(60, 100);
    bench_receive(1, false, &create);
    bench.authentication = NATFW_AUTHENTICATION_FAILED;
    struct natfw_message forged = bench_create(60, 200);
    bench_receive(1, false, &forged);
    bench.authentication = NATFW_NO_CODE;
    bench_forget_sent();
    struct natfw_message next = bench_create(60, 101);
    bench_receive(1, false, &next);
    REQUIRE("RFC5973-3.5-i7", bench_count(false) == 1);
}

Test(sequence, a_response_to_an_older_request_changes_nothing)
{
    struct natfw_message create = bench_create(60, 100);
    bench_receive(1, false, &create);
    struct natfw_message newer = bench_create(60, 101);
    bench_receive(1, false, &newer);
    struct natfw_message late = bench_success(60, 100);
    bench_receive(1, true, &late);
    cr_assert(bench_state(1, NATFW_PENDING));
    cr_assert_not(bench_rule_acts(1));
}

/* core/natfw: what is passed on keeps counting down the hops of GIST. RFC 5971 4.3.3, RFC 5973
 * 3.7.1. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(hop_count, .init = bench_start_default, .fini = bench_stop);

/* A message with so many hops left comes, and what it makes this node send carries as many. */
static void expect_hops_kept(bool upstream, const struct natfw_message *message, uint8_t hop_count)
{
    uint8_t octets[512];
    size_t length = natfw_message_write(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.hop_count = hop_count;
    bench_forget_sent();
    bench_receive_as(&received);
    cr_assert_eq(bench.sent_count, 1, "%u hops", hop_count);
    cr_assert(bench.sent[0].request.has_hop_count);
    cr_assert_eq(bench.sent[0].request.hop_count, hop_count);
    cr_assert_eq(bench.sent[0].request.mri.upstream, upstream);
}

Test(hop_count, what_is_passed_on_keeps_its_hop_count)
{
    static const uint8_t hop_counts[] = {1, 2, 30, 254};
    for (size_t i = 0; i < sizeof(hop_counts); i++) {
        struct natfw_message create = bench_create(60, 1), refresh = bench_create(60, 2);
        struct natfw_message success = bench_success(60, 1);
        struct natfw_message refusal = bench_response(NATFW_RESOURCES_UNAVAILABLE, 2);
        struct natfw_message notify = bench_notify(NATFW_SESSION_TERMINATED);
        expect_hops_kept(false, &create, hop_counts[i]);
        expect_hops_kept(true, &success, hop_counts[i]);
        expect_hops_kept(false, &refresh, hop_counts[i]);
        expect_hops_kept(true, &refusal, hop_counts[i]);
        expect_hops_kept(true, &notify, hop_counts[i]);
    }
}

static void receive_spent(bool upstream, const struct natfw_message *message)
{
    uint8_t octets[512];
    size_t length = natfw_message_write(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    received.hop_count = 0;
    bench_receive_as(&received);
}

Test(hop_count, a_create_without_hops_left_is_answered_5_07)
{
    struct natfw_message create = bench_create(60, 1), refresh = bench_create(60, 2);
    receive_spent(false, &create);
    cr_assert_eq(bench_count(false), 0);
    cr_assert(bench_answered(true, 5, 0x07, 0));
    cr_assert_not(bench_knows(1));
    cr_assert_eq(bench_rules(), 0);
    bench_establish(1);
    receive_spent(false, &refresh);
    cr_assert_eq(bench_count(false), 0);
    cr_assert(bench_answered(true, 5, 0x07, 0));
    cr_assert(bench_rule_acts(1));
}

Test(hop_count, a_deletion_without_hops_left_ends_the_session_and_goes_no_further)
{
    bench_establish(1);
    struct natfw_message deletion = bench_create(0, 2);
    receive_spent(false, &deletion);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_not(bench_knows(1));
    receive_spent(false, &deletion);
    cr_assert_eq(bench.sent_count, 0);
}

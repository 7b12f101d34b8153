/* What is dropped without an answer, and that the observer hears why. RFC 5973 3.1, 3.2.7, 3.7.1.
 */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/bench.h"

TestSuite(discarded, .init = bench_start_default, .fini = bench_stop);

/* One event for session 1 gives this reason, and nothing is sent. */
static void expect_discarded(const char *why)
{
    struct gist_session_id id = bench_session(1);
    cr_assert(bench_told(NATFW_EVENT_DISCARDED, &id, why), "not told: %s", why);
    cr_assert_eq(bench.sent_count, 0, "sent: %s", why);
}

static void receive_changed(const struct natfw_message *message, bool upstream,
    void (*change)(struct gist_received *received))
{
    uint8_t octets[128];
    size_t length = natfw_message_write(message, octets, sizeof(octets));
    struct gist_received received = bench_received(1, upstream, octets, length);
    change(&received);
    bench_receive_as(&received);
}

static void against_its_flow(struct gist_received *received)
{
    received->mri.upstream = true;
}

static void by_another_method(struct gist_received *received)
{
    received->mri.mrm = GIST_MRM_LOOSE_END;
}

static void outside_the_association(struct gist_received *received)
{
    received->attributes.reliable = false;
}

static void explicitly_from_a_stranger(struct gist_received *received)
{
    received->routing_state_validated = received->peer_was_queried = false;
    bench_name_peer(received, 77);
}

static void within_a_query(struct gist_received *received)
{
    received->routing_state_check = true;
}

static void towards_the_responder(struct gist_received *received)
{
    received->mri.upstream = false;
}

Test(discarded, a_create_that_does_not_travel_with_its_flow)
{
    struct natfw_message create = bench_create(60, 1);
    receive_changed(&create, false, against_its_flow);
    expect_discarded("a CREATE that does not travel with its flow");
    receive_changed(&create, false, by_another_method);
    cr_assert_eq(bench_times(NATFW_EVENT_DISCARDED), 2);
    expect_discarded("a CREATE that does not travel with its flow");
    cr_assert_not(bench_knows(1));
}

Test(discarded, a_request_outside_the_sessions_association)
{
    bench_establish(1);
    struct natfw_message create = bench_create(60, 2);
    receive_changed(&create, false, outside_the_association);
    expect_discarded("a request outside the session's association");
}

Test(discarded, a_request_whose_number_is_not_newer)
{
    static const uint32_t numbers[] = {5, 4, 0x80000005};
    bench_request(60, 5);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        bench_forget_sent();
        bench_request(60, numbers[i]);
        expect_discarded("its sequence number is not newer");
        cr_assert_eq(bench_times(NATFW_EVENT_DISCARDED), i + 1);
    }
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(discarded, a_message_of_a_node_that_is_no_peer)
{
    bench_establish(1);
    struct natfw_message create = bench_create(0, 2);
    receive_changed(&create, false, explicitly_from_a_stranger);
    expect_discarded("a message from a node that is no peer of the session");
    cr_assert(bench_knows(1));
}

Test(discarded, a_message_inside_a_query)
{
    struct natfw_message create = bench_create(60, 1);
    receive_changed(&create, false, within_a_query);
    expect_discarded("a message inside a Query");
    cr_assert_not(bench_knows(1));
}

Test(discarded, a_response_that_no_request_waits_for)
{
    bench_respond(NATFW_ALL_PROCESSED, 1);
    expect_discarded("a RESPONSE without a session");
    bench_establish(1);
    bench_respond(NATFW_ALL_PROCESSED, 1);
    expect_discarded("a RESPONSE to no current request");
    bench_request(60, 2);
    bench_forget_sent();
    bench_respond(NATFW_POLICY_CONFLICT, 1);
    expect_discarded("a RESPONSE to no current request");
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(discarded, a_response_of_class_1)
{
    bench_request(60, 1);
    bench_forget_sent();
    bench_respond(NATFW_ROUTE_CHANGE, 1);
    expect_discarded("a RESPONSE of class 1");
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(discarded, a_response_on_its_way_to_the_responder)
{
    bench_request(60, 1);
    bench_forget_sent();
    struct natfw_message success = bench_success(60, 1);
    receive_changed(&success, true, towards_the_responder);
    expect_discarded("a RESPONSE on its way to the responder");
    cr_assert(bench_state(1, NATFW_PENDING));
}

Test(discarded, a_response_to_a_responder)
{
    bench.flow_ends_here = true;
    bench_request(60, 1);
    bench_forget_sent();
    size_t before = bench_times(NATFW_EVENT_DISCARDED);
    bench_respond(NATFW_POLICY_CONFLICT, 1);
    cr_assert_eq(bench_times(NATFW_EVENT_DISCARDED), before + 1);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert(bench_state(1, NATFW_ESTABLISHED));
}

Test(discarded, an_answer_with_a_fault)
{
    static const uint8_t response_of_nothing[] = {3, 0, 0, 0};
    bench_receive_octets(1, true, response_of_nothing, sizeof(response_of_nothing));
    expect_discarded("a malformed RESPONSE or NOTIFY");
}

Test(discarded, a_query_without_a_message_is_no_message)
{
    bench_receive_octets(1, false, NULL, 0);
    cr_assert_eq(bench.sent_count, 0);
    cr_assert_eq(bench.event_count, 0);
}

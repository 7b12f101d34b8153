/* core/gist: a Response whose stacks the querying node has none of. RFC 5971 5.1, 5.5, 5.7.1. */
#include "core/gist/tests/fixture.h"

enum { UNKNOWN_PROTOCOL = 77, LAYER_OFFSET = 1 };

TestSuite(stack_choice, .init = fixture_start, .fini = fixture_stop);

static bool offer_another_protocol(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of;
    const struct gist_message *message = &seen->message;
    if (message->header.type != GIST_RESPONSE ||
        !gist_message_has(message, GIST_OBJECT_STACK_PROPOSAL))
        return false;
    octets[message->stack_proposal.profiles.octets - seen->octets + LAYER_OFFSET] =
        UNKNOWN_PROTOCOL;
    octets[message->stack_configuration.options.octets - seen->octets] = UNKNOWN_PROTOCOL;
    return false;
}

Test(stack_choice, without_a_common_stack_the_confirm_is_a_datagram_and_messages_fail)
{
    VERIFIES("RFC5971-5.1-11b", "RFC5971-5.1-13");
    row->spoil = offer_another_protocol;
    fixture_send("first", true);
    fixture_send("second", true);
    network_run_for(row->network, 100);
    REQUIRE("RFC5971-5.1-11b", row_seen_count(row, GIST_CONFIRM) == 1);
    const struct seen *confirm = row_seen(row, GIST_CONFIRM, 0);
    REQUIRE("RFC5971-5.1-13", confirm->d_mode);
    cr_assert(gist_message_has(&confirm->message, GIST_OBJECT_RESPONDER_COOKIE));
    cr_assert_not(gist_message_has(&confirm->message, GIST_OBJECT_STACK_PROPOSAL));
    cr_assert_eq(row->nodes[0].told_count, 2);
    for (size_t i = 0; i < 2; i++)
        cr_assert_eq(row->nodes[0].told[i].status, GIST_STATUS_CONNECT_FAILED);
    cr_assert_eq(network_streams(row->nodes[0].place), 0);
    cr_assert_eq(row->nodes[0].notifications[GIST_NOTIFY_ROUTING_STATUS_GOOD], 0);
}

Test(stack_choice, the_responder_refuses_such_a_confirm_and_installs_nothing)
{
    row->spoil = offer_another_protocol;
    fixture_send("first", true);
    network_run_for(row->network, 100);
    cr_assert(row_refused(row, GIST_INCORRECT_ENCAPSULATION, 0));
    cr_assert_eq(row_seen_count(row, GIST_ERROR), 1);
    cr_assert_eq(gist_node_counters(row->nodes[1].gist).routing_states, 0);
    cr_assert_eq(row->nodes[1].heard_count, 0);
}

/* The next message tries again, and gets through where the peer has come to offer what both have.
 */
Test(stack_choice, the_next_message_asks_again)
{
    row->spoil = offer_another_protocol;
    fixture_send("first", true);
    network_run_for(row->network, 100);
    fixture_send("second", true);
    network_run_for(row->network, 100);
    cr_assert_eq(row->nodes[0].told_count, 2);
    row->spoil = NULL;
    fixture_send("third", true);
    network_run_for(row->network, 200);
    cr_assert_eq(row->nodes[0].told_count, 2);
    cr_assert(fixture_heard(1, 0, "third"));
}

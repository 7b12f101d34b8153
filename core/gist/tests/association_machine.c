/* core/gist: the machine of a messaging association, in each state with each event. RFC 5971 6.4,
 * Figure 9. */
#include "core/gist/transport/association_machine.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/outcome.h"

#include <string.h>

enum { EVENT_COUNT = GIST_ER_MA_FAILURE + 1, HELLO_ID = 77 };

static struct gist_node *node;
static struct gist_association *association;

TestSuite(association_machine, .init = fixture_start, .fini = fixture_stop);

static void watch(void)
{
    struct base_timer *timers[] = {&association->connecting, &association->send_hello,
        &association->no_hello, &association->unused};
    outcome_watch(0, timers, 4);
}

/* The association that node 0 opened, in a state of the machine, a while ago. Confirm and Data wait
 * for its connection. */
static void reach(enum gist_association_state wanted)
{
    struct gist_node_config config = row_config();
    fixture_restart(2, &config);
    node = row->nodes[0].gist;
    fixture_send("hello", true);
    network_run_for(row->network, wanted == GIST_AWAITING_CONNECTION ? 12 : 200);
    struct gist_routing_state *state = gist_routing_state_find(node, &mri, &session);
    cr_assert(state && state->association);
    association = state->association;
    if (wanted == GIST_IDLE) {
        gist_association_event(node, association, GIST_TG_MA_IDLE, 0);
        network_run_for(row->network, 200);
    }
    cr_assert_eq(association->state, wanted);
}

/* Nobody at this node uses it any more. */
static void leave_unused(void)
{
    gist_routing_state_use_association(node, association->users, NULL);
    cr_assert_null(association->users);
    network_run_for(row->network, 2);
}

/* The timers are that of the connection, SendHello, NoHello, and the one that brings tg_MAIdle
 * where nobody uses the association. */
static const struct row_of_figure {
    enum gist_association_state from;
    enum gist_association_event event;
    uint32_t hello_id;
    enum gist_association_state to;
    const char *used, *unused; /* outcomes */
} rows[] = {
    {GIST_AWAITING_CONNECTION, GIST_TG_CONNECTED, 0, GIST_CONNECTED, "-*--CD", "-*-*CD"},
    {GIST_AWAITING_CONNECTION, GIST_ER_MA_CONNECT, 0, GIST_ASSOCIATION_DEATH, "----sf", "----s"},
    {GIST_CONNECTED, GIST_TG_RAW_DATA, 0, GIST_CONNECTED, "-*--", "-*-*"},
    {GIST_CONNECTED, GIST_RX_MESSAGE, 0, GIST_CONNECTED, "-=--", "-=-*"},
    {GIST_CONNECTED, GIST_RX_MA_HELLO, 0, GIST_CONNECTED, "-=--", "-=-="},
    {GIST_CONNECTED, GIST_RX_MA_HELLO, HELLO_ID, GIST_CONNECTED, "-*--H", "-*-=H"},
    {GIST_CONNECTED, GIST_TO_SEND_HELLO, 0, GIST_CONNECTED, "-*--H", "-*-=H"},
    {GIST_CONNECTED, GIST_TG_MA_IDLE, 0, GIST_IDLE, "--*-", "--*="},
    {GIST_CONNECTED, GIST_ER_MA_FAILURE, 0, GIST_ASSOCIATION_DEATH, "----f", "----"},
    {GIST_IDLE, GIST_TG_RAW_DATA, 0, GIST_CONNECTED, "-*--", "-*-*"},
    {GIST_IDLE, GIST_RX_MESSAGE, 0, GIST_CONNECTED, "-*--", "-*-*"},
    {GIST_IDLE, GIST_RX_MA_HELLO, 0, GIST_IDLE, "--*-", "--*="},
    {GIST_IDLE, GIST_RX_MA_HELLO, HELLO_ID, GIST_IDLE, "--*-H", "--*=H"},
    {GIST_IDLE, GIST_TO_NO_HELLO, 0, GIST_ASSOCIATION_DEATH, "----f", "----"},
    {GIST_IDLE, GIST_ER_MA_FAILURE, 0, GIST_ASSOCIATION_DEATH, "----f", "----"},
};

/* The row that fits; what has none changes nothing. */
static struct row_of_figure expected(
    enum gist_association_state from, enum gist_association_event event, uint32_t hello_id)
{
    static const char *const unchanged[][2] = {
        {"=---", "=--="}, {"-=--", "-=-="}, {"--=-", "--=="}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].from == from && rows[i].event == event &&
            (event != GIST_RX_MA_HELLO || rows[i].hello_id == hello_id))
            return rows[i];
    return (struct row_of_figure){
        from, event, hello_id, from, unchanged[from][0], unchanged[from][1]};
}

static void expect(const struct row_of_figure *wanted, bool used)
{
    reach(wanted->from);
    if (!used)
        leave_unused();
    watch();
    gist_association_event(node, association, wanted->event, wanted->hello_id);
    cr_assert_eq(association->state, wanted->to, "%d, %d: to %d", wanted->from, wanted->event,
        association->state);
    cr_assert_eq(association->dead, wanted->to == GIST_ASSOCIATION_DEATH);
    const char *got = outcome();
    cr_assert_str_eq(
        got, used ? wanted->used : wanted->unused, "%d, %d: %s", wanted->from, wanted->event, got);
}

Test(association_machine, each_event_leads_to_its_state_and_does_what_its_rule_says)
{
    for (unsigned from = 0; from < GIST_ASSOCIATION_DEATH; from++) {
        for (unsigned event = 0; event < EVENT_COUNT; event++) {
            for (uint32_t hello_id = 0; hello_id <= HELLO_ID; hello_id += HELLO_ID) {
                struct row_of_figure wanted = expected(from, event, hello_id);
                wanted.hello_id = hello_id;
                expect(&wanted, true);
                expect(&wanted, false);
            }
        }
    }
}

Test(association_machine, an_answer_to_a_hello_has_its_id_and_asks_for_none)
{
    static const enum gist_association_state states[] = {GIST_CONNECTED, GIST_IDLE};
    for (size_t i = 0; i < 2; i++) {
        reach(states[i]);
        gist_association_event(node, association, GIST_RX_MA_HELLO, HELLO_ID);
        const struct seen *hello = row_seen(row, GIST_MA_HELLO, 0);
        cr_assert(hello && hello->parsed && !hello->d_mode);
        cr_assert_eq(hello->message.hello_id, HELLO_ID);
        cr_assert_not(hello->message.header.reply_requested);
    }
}

/* What waits for a connection that never comes fails otherwise than what was under way. */
Test(association_machine, its_end_is_told_by_what_it_was)
{
    static const struct {
        enum gist_association_state from;
        enum gist_message_status status;
    } cases[] = {
        {GIST_AWAITING_CONNECTION, GIST_STATUS_CONNECT_FAILED},
        {GIST_CONNECTED, GIST_STATUS_ASSOCIATION_LOST},
        {GIST_IDLE, GIST_STATUS_ASSOCIATION_LOST},
    };
    for (size_t i = 0; i < 3; i++) {
        struct gist_outgoing waits = {.data = (const uint8_t *)"text", .length = 4, .handle = 9};
        reach(cases[i].from);
        cr_assert(gist_queue_put(&node->queued, &association->queue, &waits));
        gist_association_fail(node, association);
        const struct row_node *heard = &row->nodes[0];
        cr_assert_gt(heard->told_count, 0, "row %zu", i);
        cr_assert_eq(heard->told[heard->told_count - 1].handle, 9, "row %zu", i);
        cr_assert_eq(heard->told[heard->told_count - 1].status, cases[i].status, "row %zu", i);
        cr_assert_eq(gist_node_counters(node).associations, 0);
        cr_assert_eq(node->queued.octets, 0, "row %zu", i);
    }
}

static bool refuse_write(
    void *context, gist_association_id id, const uint8_t *octets, size_t length)
{
    (void)context, (void)id, (void)octets, (void)length;
    return false;
}

Test(association_machine, what_cannot_be_written_ends_it)
{
    static const struct {
        enum gist_association_state from;
        enum gist_association_event event;
        uint32_t hello_id;
    } cases[] = {
        {GIST_AWAITING_CONNECTION, GIST_TG_CONNECTED, 0},
        {GIST_CONNECTED, GIST_TO_SEND_HELLO, 0},
        {GIST_CONNECTED, GIST_RX_MA_HELLO, HELLO_ID},
        {GIST_IDLE, GIST_RX_MA_HELLO, HELLO_ID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reach(cases[i].from);
        node->transport.association_write = refuse_write;
        watch();
        gist_association_event(node, association, cases[i].event, cases[i].hello_id);
        cr_assert(association->dead, "row %zu", i);
        cr_assert_eq(strncmp(outcome(), "----", 4), 0, "row %zu: nothing runs any more", i);
        network_run_for(row->network, 100);
        cr_assert_eq(network_streams(row->nodes[0].place), 0, "row %zu: it is closed", i);
    }
}

Test(association_machine, a_message_that_cannot_be_written_is_refused)
{
    struct gist_message data = row_message(row, GIST_DATA);
    reach(GIST_CONNECTED);
    watch();
    cr_assert(gist_association_send(node, association, &data, 0, NULL));
    node->transport.association_write = refuse_write;
    cr_assert_not(gist_association_send(node, association, &data, 0, NULL));
    cr_assert_not(
        gist_association_send(node, association, &data, 0, NULL), "when it is dead as well");
    cr_assert_str_eq(outcome(), "----Df");
}

Test(association_machine, periods_are_those_of_both_ends)
{
    reach(GIST_AWAITING_CONNECTION);
    uint64_t opened_ms = network_now_ms(row->network) - 2;
    cr_assert_eq(association->connecting.deadline_ms, opened_ms + 30000);
    reach(GIST_CONNECTED);
    association->peer_hold_ms = 8000;
    watch();
    struct gist_routing_state *user = association->users;
    gist_routing_state_use_association(node, user, NULL);
    cr_assert_eq(association->unused.deadline_ms, node->now_ms + 30000);
    gist_routing_state_use_association(node, user, association);
    cr_assert_not(association->unused.running);
    gist_association_event(node, association, GIST_TG_RAW_DATA, 0);
    cr_assert_geq(association->send_hello.deadline_ms, node->now_ms + 4000);
    cr_assert_leq(association->send_hello.deadline_ms, node->now_ms + 6000);
    gist_association_event(node, association, GIST_TG_MA_IDLE, 0);
    cr_assert_eq(association->no_hello.deadline_ms, node->now_ms + 30000);
    outcome();
}

/* Who has confirmed nothing yet does not keep it by Hellos; it is answered all the same. */
Test(association_machine, a_stranger_does_not_keep_it)
{
    reach(GIST_CONNECTED);
    association =
        gist_association_accept(node, GIST_STACK_TCP, &(struct gist_address){.version = 4}, 1);
    cr_assert(association && !association->peer && association->state == GIST_CONNECTED);
    cr_assert(association->unused.running, "it ends unless a Confirm comes");
    gist_association_event(node, association, GIST_TG_MA_IDLE, 0);
    network_run_for(row->network, 5);
    watch();
    gist_association_event(node, association, GIST_RX_MA_HELLO, 0);
    cr_assert_str_eq(outcome(), "--==");
}

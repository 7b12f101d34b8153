/* core/gist: the machine of a node that queries, in each state with each event. RFC 5971 6.2,
 * Figure 7. */
#include "core/gist/machines/querying_machine.h"
#include "core/gist/tests/outcome.h"

#include <string.h>

enum { EVENT_COUNT = GIST_TO_EXPIRE_RNODE + 1, GONE = GIST_QUERYING_AWAITING_REFRESH + 1 };

static struct gist_node *node;
static struct gist_octets identity = {(const uint8_t *)"node-1", 6}; /* of the peer */
static struct gist_routing_state *state;

TestSuite(querying_machine, .init = fixture_start, .fini = fixture_stop);

static bool drop_responses(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of, (void)octets;
    return seen->message.header.type == GIST_RESPONSE;
}

/* Node 0 in a state of the machine, a while ago. A message waits in Awaiting Response. */
static void reach(unsigned wanted)
{
    struct gist_node_config config = row_config();
    fixture_restart(2, &config);
    node = row->nodes[0].gist;
    if (wanted == GIST_QUERYING_AWAITING_RESPONSE)
        row->spoil = drop_responses;
    fixture_send("hello", false);
    network_run_for(row->network, 100);
    row->spoil = drop_responses;
    if (wanted == GIST_QUERYING_AWAITING_REFRESH)
        gist_invalidate_routing_state(
            node, network_now_ms(row->network), &mri, &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 100);
    state = gist_routing_state_find(node, &mri, &session);
    cr_assert(state && state->state == wanted);
}

static void watch(void)
{
    struct base_timer *timers[] = {&state->handshake.timer, &state->validity, &state->inactive};
    outcome_watch(0, timers, 3);
}

/* What node 1 might have sent, with all that the rules look at. */
static struct gist_message message_from_peer(enum gist_message_type type)
{
    struct gist_message message = row_message(row, type);
    message.mri = gist_mri_reversed(&mri);
    message.nli.interface_address = row->nodes[1].address;
    message.nli.validity_ms = 30000;
    message.nli.peer_identity = identity;
    message.header.reply_requested = type == GIST_RESPONSE;
    message.responder_cookie = (struct gist_octets){(const uint8_t *)"cook", 4};
    if (type == GIST_RESPONSE)
        gist_message_add(&message, GIST_OBJECT_RESPONDER_COOKIE);
    return message;
}

static const char *happen(enum gist_event_kind kind, bool reliable, enum gist_send_result *result)
{
    static const enum gist_message_type types[EVENT_COUNT] = {
        GIST_QUERY, GIST_RESPONSE, GIST_CONFIRM, GIST_DATA};
    struct gist_arrival arrival = {
        .source = {row->nodes[1].address, 271}, .interface = 4, .ip_ttl = 63};
    struct gist_reception reception = {
        .message = message_from_peer(types[kind]), .arrival = &arrival};
    struct gist_outgoing outgoing = {
        .data = (const uint8_t *)"text", .length = 4, .handle = 8, .reliable = reliable};
    struct gist_event event = {
        .kind = kind, .reception = &reception, .outgoing = &outgoing, .result = GIST_SEND_INVALID};
    gist_querying_event(node, state, &event);
    *result = event.result;
    return outcome();
}

/* The timers are No_Response, Refresh_QNode and Inactive_QNode. */
static const struct row_of_figure {
    unsigned from;
    enum gist_event_kind event;
    unsigned to;
    const char *outcome;
} rows[] = {
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TG_NSLP_DATA, GIST_QUERYING_AWAITING_RESPONSE, "=--"},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TO_NO_RESPONSE, GIST_QUERYING_AWAITING_RESPONSE, "*--Q"},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_ER_NO_RSM, GIST_QUERYING_AWAITING_RESPONSE, "*--Q"},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_RX_RESPONSE, GIST_QUERYING_ESTABLISHED, "-**CDg"},
    {GIST_QUERYING_AWAITING_RESPONSE, GIST_TO_INACTIVE_QNODE, GONE, "---sd"},
    {GIST_QUERYING_ESTABLISHED, GIST_ER_NO_RSM, GIST_QUERYING_AWAITING_RESPONSE, "*-=Q"},
    {GIST_QUERYING_ESTABLISHED, GIST_RX_RESPONSE, GIST_QUERYING_ESTABLISHED, "-*=C"},
    {GIST_QUERYING_ESTABLISHED, GIST_TG_NSLP_DATA, GIST_QUERYING_ESTABLISHED, "-=*D"},
    {GIST_QUERYING_ESTABLISHED, GIST_TO_INACTIVE_QNODE, GONE, "---d"},
    {GIST_QUERYING_ESTABLISHED, GIST_RX_DATA, GIST_QUERYING_ESTABLISHED, "-=*h"},
    {GIST_QUERYING_ESTABLISHED, GIST_TO_REFRESH_QNODE, GIST_QUERYING_AWAITING_REFRESH, "*-=Q"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TO_NO_RESPONSE, GIST_QUERYING_AWAITING_REFRESH, "*-=Q"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_ER_NO_RSM, GIST_QUERYING_AWAITING_RESPONSE, "*-=Q"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_RX_RESPONSE, GIST_QUERYING_ESTABLISHED, "-*=C"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TG_NSLP_DATA, GIST_QUERYING_AWAITING_REFRESH, "=-*D"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_TO_INACTIVE_QNODE, GONE, "---d"},
    {GIST_QUERYING_AWAITING_REFRESH, GIST_RX_DATA, GIST_QUERYING_AWAITING_REFRESH, "=-*h"},
};

/* The row that fits; what has none changes nothing. */
static struct row_of_figure expected(unsigned from, enum gist_event_kind event)
{
    static const char *const unchanged[] = {"=--", "-==", "=-="};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].from == from && rows[i].event == event)
            return rows[i];
    return (struct row_of_figure){from, event, from, unchanged[from]};
}

Test(querying_machine, each_event_leads_to_its_state_and_does_what_its_rule_says)
{
    for (unsigned from = 0; from < GONE; from++) {
        for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
            struct row_of_figure wanted = expected(from, kind);
            enum gist_send_result result;
            reach(from);
            watch();
            const char *got = happen(kind, false, &result);
            cr_assert_str_eq(got, wanted.outcome, "%u, %u: %s", from, kind, got);
            state = gist_routing_state_find(node, &mri, &session);
            unsigned to = state ? state->state : GONE;
            cr_assert_eq(to, wanted.to, "%u, %u: to %u", from, kind, to);
            if (kind == GIST_TG_NSLP_DATA)
                cr_assert_eq(result, GIST_SENT);
        }
    }
}

/* Rule 5 where only an association would do: a handshake makes one, unless one goes on already. */
Test(querying_machine, what_needs_an_association_waits_for_a_handshake)
{
    static const struct {
        unsigned from, to;
        const char *outcome;
    } cases[] = {
        {GIST_QUERYING_AWAITING_RESPONSE, GIST_QUERYING_AWAITING_RESPONSE, "=--"},
        {GIST_QUERYING_ESTABLISHED, GIST_QUERYING_AWAITING_REFRESH, "*-*Q"},
        {GIST_QUERYING_AWAITING_REFRESH, GIST_QUERYING_AWAITING_REFRESH, "=-*"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum gist_send_result result;
        reach(cases[i].from);
        watch();
        const char *got = happen(GIST_TG_NSLP_DATA, true, &result);
        cr_assert_str_eq(got, cases[i].outcome, "row %zu: %s", i, got);
        cr_assert_eq(state->state, cases[i].to, "row %zu", i);
        cr_assert_eq(result, GIST_SENT, "row %zu", i);
        row->spoil = NULL;
        network_run_for(row->network, 1000);
        cr_assert(fixture_heard(1, row->nodes[1].heard_count - 1, "text"), "row %zu", i);
        cr_assert(row->nodes[1].heard[row->nodes[1].heard_count - 1].received.attributes.reliable);
    }
}

/* Rule 2, when there were Queries enough: known state is told of, a first handshake only of its
 * messages. */
Test(querying_machine, the_last_query_without_an_answer_ends_the_state)
{
    static const struct {
        unsigned from;
        const char *outcome;
    } cases[] = {
        {GIST_QUERYING_AWAITING_RESPONSE, "---s"},
        {GIST_QUERYING_AWAITING_REFRESH, "---d"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum gist_send_result result;
        reach(cases[i].from);
        state->handshake.attempts = node->config.query_attempts_max;
        watch();
        const char *got = happen(GIST_TO_NO_RESPONSE, false, &result);
        cr_assert_str_eq(got, cases[i].outcome, "row %zu: %s", i, got);
        cr_assert_null(gist_routing_state_find(node, &mri, &session));
    }
}

Test(querying_machine, periods_are_those_of_the_configuration)
{
    enum gist_send_result result;
    uint64_t now_ms;
    reach(GIST_QUERYING_ESTABLISHED);
    now_ms = network_now_ms(row->network);
    watch();
    happen(GIST_RX_DATA, false, &result);
    cr_assert_eq(state->inactive.deadline_ms, now_ms + GIST_INACTIVE_MS);
    watch();
    happen(GIST_TO_REFRESH_QNODE, false, &result);
    cr_assert_eq(state->handshake.timer.deadline_ms, now_ms + 500);
    watch();
    happen(GIST_TO_NO_RESPONSE, false, &result);
    cr_assert_eq(state->handshake.timer.deadline_ms, now_ms + 1000);
    watch();
    happen(GIST_RX_RESPONSE, false, &result);
    cr_assert_geq(state->validity.deadline_ms, now_ms + 15000);
    cr_assert_leq(state->validity.deadline_ms, now_ms + 22500);
}

/* Rule 4: the Response tells who the peer is, and where it can be reached. */
Test(querying_machine, a_response_tells_of_the_peer)
{
    for (unsigned from = 0; from < GONE; from++) {
        enum gist_send_result result;
        reach(from);
        watch();
        happen(GIST_RX_RESPONSE, false, &result);
        cr_assert_eq(state->interface, 4, "%u", from);
        cr_assert_eq(state->peer_port, 271, "%u", from);
        cr_assert(gist_address_equal(&state->peer->address, &row->nodes[1].address), "%u", from);
        cr_assert_eq(state->peer->identity_length, 6, "%u: that of the NLI", from);
        cr_assert(gist_address_equal(&state->own_address, &row->nodes[0].address), "%u", from);
    }
}

Test(querying_machine, a_response_without_memory_for_its_peer_ends_the_state)
{
    static const size_t told[] = {1, 0, 0}; /* of the message that waits */
    for (unsigned from = 0; from < GONE; from++) {
        enum gist_send_result result;
        reach(from);
        identity.octets = (const uint8_t *)"another";
        struct network_memory *memory = network_memory(row->network);
        memory->fail_at = memory->allocations + 1;
        watch();
        happen(GIST_RX_RESPONSE, false, &result);
        cr_assert_eq(row->nodes[0].told_count, told[from], "%u", from);
        cr_assert_null(gist_routing_state_find(node, &mri, &session));
    }
}

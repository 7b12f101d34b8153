/* core/gist: the machine of a node that answers, in each state with each event. RFC 5971 6.3,
 * Figure 8. */
#include "core/gist/machines/responding_machine.h"
#include "core/gist/tests/outcome.h"

#include <string.h>

enum { EVENT_COUNT = GIST_TO_EXPIRE_RNODE + 1, GONE = GIST_RESPONDING_AWAITING_REFRESH + 1 };

static struct gist_node *node;
static struct gist_octets identity = {(const uint8_t *)"node-0", 6}; /* of the peer */
static struct gist_routing_state *state;
static struct gist_mri towards_peer;
static struct gist_event event;

TestSuite(responding_machine, .init = fixture_start, .fini = fixture_stop);

static bool drop_confirms(struct row *of, struct seen *seen, uint8_t *octets)
{
    (void)of, (void)octets;
    return seen->message.header.type == GIST_CONFIRM;
}

/* What node 0 might have sent, with all that the rules look at, and with Data. */
static void happen(enum gist_event_kind kind, bool reliable)
{
    static const enum gist_message_type types[EVENT_COUNT] = {
        GIST_QUERY, GIST_RESPONSE, GIST_CONFIRM, GIST_DATA};
    struct gist_arrival arrival = {.source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[1].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 63};
    struct gist_reception reception = {
        .message = row_message(row, types[kind]), .arrival = &arrival};
    struct gist_cookie_content cookie = {.interface = 4, .ip_distance = 6};
    struct gist_outgoing outgoing = {
        .data = (const uint8_t *)"text", .length = 4, .handle = 8, .reliable = reliable};
    reception.message.nli.peer_identity = identity;
    gist_message_add(&reception.message, GIST_OBJECT_NSLP_DATA);
    event = (struct gist_event){.kind = kind,
        .reception = &reception,
        .cookie = &cookie,
        .outgoing = &outgoing,
        .result = GIST_SEND_INVALID};
    gist_responding_event(node, state, &event);
}

static void watch(void)
{
    struct base_timer *timers[] = {&state->handshake.timer, &state->validity};
    outcome_watch(1, timers, 2);
}

/* Confirms make the machines of this node, so that Birth and Awaiting Confirm are made here by
 * hand. A message waits in the latter. */
static void be_born(unsigned wanted)
{
    state = gist_routing_state_create(node, GIST_RESPONDING, &towards_peer, &session);
    cr_assert_not_null(state);
    gist_responding_start(state);
    if (wanted == GIST_RESPONDING_BIRTH)
        return;
    struct gist_nli nli = row_message(row, GIST_QUERY).nli;
    nli.peer_identity = identity;
    cr_assert(gist_routing_state_set_peer(node, state, &nli));
    state->own_address = row->nodes[1].address;
    state->peer_port = GIST_PORT;
    watch();
    happen(GIST_RX_QUERY, false);
    happen(GIST_TG_NSLP_DATA, false);
    cr_assert_str_eq(outcome(), "*-Rh");
}

/* Node 1 in a state of the machine, a while ago. */
static void reach(unsigned wanted)
{
    struct gist_node_config config = row_config();
    fixture_restart(2, &config);
    node = row->nodes[1].gist;
    towards_peer = gist_mri_reversed(&mri);
    if (wanted < GIST_RESPONDING_ESTABLISHED) {
        be_born(wanted);
    } else {
        fixture_send("hello", false);
        network_run_for(row->network, 100);
        row->spoil = drop_confirms;
    }
    if (wanted == GIST_RESPONDING_AWAITING_REFRESH)
        gist_invalidate_routing_state(row->nodes[0].gist, network_now_ms(row->network), &mri,
            &session, GIST_ROUTING_TENTATIVE);
    network_run_for(row->network, 100);
    state = gist_routing_state_find(node, &towards_peer, &session);
    cr_assert(state && state->state == wanted);
}

/* The timers are No_Confirm and Expire_RNode. */
static const struct row_of_figure {
    unsigned from;
    enum gist_event_kind event;
    unsigned to;
    const char *outcome;
} rows[] = {
    {GIST_RESPONDING_BIRTH, GIST_RX_QUERY, GIST_RESPONDING_AWAITING_CONFIRM, "*-Rh"},
    {GIST_RESPONDING_BIRTH, GIST_RX_CONFIRM, GIST_RESPONDING_ESTABLISHED, "-*hg"},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_QUERY, GIST_RESPONDING_AWAITING_CONFIRM, "*-Rh"},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_DATA, GIST_RESPONDING_AWAITING_CONFIRM, "=-E"},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_RX_CONFIRM, GIST_RESPONDING_ESTABLISHED, "-*Dh"},
    {GIST_RESPONDING_AWAITING_CONFIRM, GIST_TO_NO_CONFIRM, GIST_RESPONDING_AWAITING_CONFIRM, "*-R"},
    {GIST_RESPONDING_ESTABLISHED, GIST_RX_DATA, GIST_RESPONDING_ESTABLISHED, "-=h"},
    {GIST_RESPONDING_ESTABLISHED, GIST_TG_NSLP_DATA, GIST_RESPONDING_ESTABLISHED, "-=D"},
    {GIST_RESPONDING_ESTABLISHED, GIST_RX_QUERY, GIST_RESPONDING_AWAITING_REFRESH, "*=Rh"},
    {GIST_RESPONDING_ESTABLISHED, GIST_ER_NO_RSM, GONE, "--d"},
    {GIST_RESPONDING_ESTABLISHED, GIST_TO_EXPIRE_RNODE, GONE, "--d"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TG_NSLP_DATA, GIST_RESPONDING_AWAITING_REFRESH, "==D"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_QUERY, GIST_RESPONDING_AWAITING_REFRESH, "*=Rh"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_DATA, GIST_RESPONDING_AWAITING_REFRESH, "==h"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_RX_CONFIRM, GIST_RESPONDING_ESTABLISHED, "-*h"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TO_NO_CONFIRM, GIST_RESPONDING_AWAITING_REFRESH, "*=R"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_ER_NO_RSM, GONE, "--d"},
    {GIST_RESPONDING_AWAITING_REFRESH, GIST_TO_EXPIRE_RNODE, GONE, "--d"},
};

/* The row that fits; what has none changes nothing, nor does what only waits. */
static struct row_of_figure expected(unsigned from, enum gist_event_kind kind)
{
    static const char *const unchanged[] = {"--", "=-", "-=", "=="};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i].from == from && rows[i].event == kind)
            return rows[i];
    return (struct row_of_figure){from, kind, from, unchanged[from]};
}

Test(responding_machine, each_event_leads_to_its_state_and_does_what_its_rule_says)
{
    for (unsigned from = 0; from < GONE; from++) {
        for (unsigned kind = 0; kind < EVENT_COUNT; kind++) {
            struct row_of_figure wanted = expected(from, kind);
            reach(from);
            watch();
            happen(kind, false);
            const char *got = outcome();
            cr_assert_str_eq(got, wanted.outcome, "%u, %u: %s", from, kind, got);
            state = gist_routing_state_find(node, &towards_peer, &session);
            unsigned to = state ? state->state : GONE;
            cr_assert_eq(to, wanted.to, "%u, %u: to %u", from, kind, to);
            if (kind == GIST_TG_NSLP_DATA && from != GIST_RESPONDING_BIRTH)
                cr_assert_eq(event.result, GIST_SENT, "%u", from);
        }
    }
}

/* Rule 7. */
/* It needs an association, and the Confirm came without one. */
Test(responding_machine, what_waited_for_the_confirm_and_cannot_go_is_told)
{
    reach(GIST_RESPONDING_AWAITING_CONFIRM);
    watch();
    happen(GIST_TG_NSLP_DATA, true);
    cr_assert_eq(row->nodes[1].told_count, 0);
    happen(GIST_RX_CONFIRM, false);
    outcome();
    cr_assert_eq(row->nodes[1].told_count, 1);
    cr_assert_eq(row->nodes[1].told[0].handle, 8);
    cr_assert_eq(row->nodes[1].told[0].status, GIST_STATUS_CONNECT_FAILED);
}

Test(responding_machine, what_waits_for_the_confirm_has_its_bounds)
{
    reach(GIST_RESPONDING_AWAITING_CONFIRM);
    node->queued.octets_max = node->queued.octets;
    watch();
    happen(GIST_TG_NSLP_DATA, false);
    cr_assert_str_eq(outcome(), "=-");
    cr_assert_eq(event.result, GIST_SEND_NO_MEMORY);
}

static bool refuse_datagram(
    void *context, const struct gist_endpoint *peer, const uint8_t *payload, size_t length)
{
    (void)context, (void)peer, (void)payload, (void)length;
    return false;
}

/* Rule 3. An association is the querying node's to open, 5.7.2. */
Test(responding_machine, the_application_hears_at_once_what_cannot_be_sent)
{
    for (unsigned from = GIST_RESPONDING_ESTABLISHED; from < GONE; from++) {
        reach(from);
        watch();
        happen(GIST_TG_NSLP_DATA, true);
        cr_assert_eq(event.result, GIST_SEND_NO_ROUTE, "needs an association");
        node->transport.send_datagram = refuse_datagram;
        happen(GIST_TG_NSLP_DATA, false);
        cr_assert_eq(event.result, GIST_SEND_NO_MEMORY, "the transport refuses it");
        outcome();
    }
}

/* Rules 1 and 9: as many as there are Queries of a handshake. */
Test(responding_machine, the_last_response_without_a_confirm_ends_the_state)
{
    reach(GIST_RESPONDING_ESTABLISHED);
    watch();
    happen(GIST_RX_QUERY, false);
    for (int i = 1; i < 6; i++)
        happen(GIST_TO_NO_CONFIRM, false);
    cr_assert_str_eq(outcome(), "*=RRRRRRh");
    watch();
    happen(GIST_TO_NO_CONFIRM, false);
    cr_assert_str_eq(outcome(), "--d");
    cr_assert_null(gist_routing_state_find(node, &towards_peer, &session));
}

/* Rules 2 and 8: the Confirm tells who the peer is, its cookie how the Query came. */
Test(responding_machine, a_confirm_tells_of_the_peer)
{
    static const unsigned from[] = {GIST_RESPONDING_BIRTH, GIST_RESPONDING_AWAITING_REFRESH};
    for (size_t i = 0; i < 2; i++) {
        reach(from[i]);
        watch();
        happen(GIST_RX_CONFIRM, false);
        outcome();
        cr_assert_eq(state->interface, 4);
        cr_assert_eq(state->ip_distance, 6);
        cr_assert_eq(state->peer_port, GIST_PORT);
        cr_assert(gist_address_equal(&state->peer->address, &row->nodes[0].address));
        cr_assert(gist_address_equal(&state->own_address, &row->nodes[1].address));
    }
}

Test(responding_machine, a_confirm_without_memory_for_its_peer_ends_the_state)
{
    static const unsigned from[] = {GIST_RESPONDING_BIRTH, GIST_RESPONDING_AWAITING_REFRESH};
    for (size_t i = 0; i < 2; i++) {
        identity.octets = (const uint8_t *)"node-0";
        reach(from[i]);
        identity.octets = (const uint8_t *)"another";
        struct network_memory *memory = network_memory(row->network);
        memory->fail_at = memory->allocations + 1;
        watch();
        happen(GIST_RX_CONFIRM, false);
        outcome();
        cr_assert_null(gist_routing_state_find(node, &towards_peer, &session));
    }
}

Test(responding_machine, periods_are_those_of_the_configuration)
{
    reach(GIST_RESPONDING_ESTABLISHED);
    uint64_t now_ms = network_now_ms(row->network);
    watch();
    happen(GIST_RX_QUERY, false);
    cr_assert_eq(state->handshake.timer.deadline_ms, now_ms + 500);
    happen(GIST_TO_NO_CONFIRM, false);
    cr_assert_eq(state->handshake.timer.deadline_ms, now_ms + 1000);
    happen(GIST_RX_QUERY, false);
    cr_assert_eq(state->handshake.timer.deadline_ms, now_ms + 500);
    happen(GIST_RX_CONFIRM, false);
    cr_assert_eq(state->validity.deadline_ms, now_ms + 30000);
    outcome();
}

/* core/gist: what reaches the application: messages with all that the encapsulation tells of them,
 * notifications and statuses. RFC 5971 4.3.2, B.2 to B.4. */
#include "core/gist/state/upcall.h"
#include "core/gist/state/association.h"
#include "core/gist/state/message_status.h"
#include "core/gist/state/routing_state.h"
#include "core/gist/tests/fixture.h"

static struct gist_node *node;
static struct gist_peer *peers[2];

static struct gist_peer *peer_named(const char *identity, struct gist_address address)
{
    struct gist_nli nli = {
        .interface_address = address, .peer_identity = {(const uint8_t *)identity, 3}};
    struct gist_peer *peer = gist_peer_acquire(node, &nli);
    cr_assert_not_null(peer);
    return peer;
}

static void start(void)
{
    fixture_start();
    node = row->nodes[0].gist;
    peers[0] = peer_named("one", gist_address_v4(0xc6336401));
    peers[1] = peer_named("two", gist_address_v4(0xc6336402));
}

static void stop(void)
{
    gist_peer_release(node, peers[0]);
    gist_peer_release(node, peers[1]);
    fixture_stop();
}

TestSuite(upcall, .init = start, .fini = stop);

static const struct gist_received *deliver(
    const struct gist_reception *reception, struct gist_routing_state *state)
{
    struct row_node *hearer = &row->nodes[0];
    hearer->heard_count = 0;
    cr_assert_eq(gist_deliver(node, reception, state, false), GIST_PEER);
    cr_assert_eq(hearer->heard_count, 1);
    return &hearer->heard[0].received;
}

/* Where a message says nothing of something, the routing state may. */
Test(upcall, tells_how_a_message_came_in)
{
    enum { D_MODE = 1, C_MODE = 2, STATE = 4 };
    static const struct {
        unsigned from;
        uint32_t by_arrival, by_association; /* interfaces; the state has 3 */
        uint32_t interface;
        uint8_t ip_ttl, ip_distance;
        gist_association_id association;
    } rows[] = {
        {0, 0, 0, 0, 0, 0, 0},
        {STATE, 0, 0, 3, 0, 4, 0},
        {D_MODE, 7, 0, 7, 61, 0, 0},
        {D_MODE, 0, 0, 0, 61, 0, 0},
        {D_MODE | STATE, 7, 0, 7, 61, 4, 0},
        {D_MODE | STATE, 0, 0, 3, 61, 4, 0},
        {C_MODE, 0, 9, 9, 0, 0, 5},
        {C_MODE, 0, 0, 0, 0, 0, 5},
        {C_MODE | STATE, 0, 9, 9, 0, 4, 5},
        {C_MODE | STATE, 0, 0, 3, 0, 4, 5},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_arrival arrival = {.interface = rows[i].by_arrival, .ip_ttl = 61};
        struct gist_association association = {.id = 5, .interface = rows[i].by_association};
        struct gist_routing_state state = {.interface = 3, .ip_distance = 4};
        struct gist_reception reception = {.message = row_message(row, GIST_DATA),
            .arrival = rows[i].from & D_MODE ? &arrival : NULL,
            .association = rows[i].from & C_MODE ? &association : NULL};
        const struct gist_received *received =
            deliver(&reception, rows[i].from & STATE ? &state : NULL);
        cr_assert_eq(received->interface, rows[i].interface, "row %zu", i);
        cr_assert_eq(received->ip_ttl, rows[i].ip_ttl, "row %zu", i);
        cr_assert_eq(received->ip_distance, rows[i].ip_distance, "row %zu", i);
        cr_assert_eq(received->association, rows[i].association, "row %zu", i);
        cr_assert_eq(received->attributes.reliable, rows[i].association != 0, "row %zu", i);
        cr_assert_not(received->attributes.secure, "row %zu", i);
    }
}

/* The peer of the routing state, else that of the association, else what the NLI says. Nothing
 * shows who sent a Query. */
Test(upcall, tells_the_peer_as_far_as_something_vouches_for_it)
{
    static const struct {
        enum gist_message_type type;
        int of_state, of_association; /* peers; -1: none, -2: no state, no association */
        int peer;                     /* -1: the NLI */
        bool validated;
    } rows[] = {
        {GIST_DATA, 0, 1, 0, true},
        {GIST_DATA, 0, -2, 0, true},
        {GIST_DATA, -1, 1, 1, true},
        {GIST_DATA, -2, 1, 1, false},
        {GIST_DATA, -2, -1, -1, false},
        {GIST_DATA, -2, -2, -1, false},
        {GIST_CONFIRM, 0, 1, 0, true},
        {GIST_QUERY, 0, 1, -1, false},
        {GIST_QUERY, -2, -2, -1, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_routing_state state = {
            .peer = rows[i].of_state >= 0 ? peers[rows[i].of_state] : NULL};
        struct gist_association association = {
            .id = 5, .peer = rows[i].of_association >= 0 ? peers[rows[i].of_association] : NULL};
        struct gist_reception reception = {.message = row_message(row, rows[i].type),
            .association = rows[i].of_association > -2 ? &association : NULL};
        const struct gist_received *received =
            deliver(&reception, rows[i].of_state > -2 ? &state : NULL);
        const struct gist_peer *peer = rows[i].peer >= 0 ? peers[rows[i].peer] : NULL;
        const struct gist_address *address = peer ? &peer->address : &row->nodes[0].address;
        cr_assert_eq(received->sii_handle, peer ? peer->sii_handle : 0, "row %zu", i);
        cr_assert(gist_address_equal(&received->peer, address), "row %zu", i);
        cr_assert_eq(received->routing_state_validated, rows[i].validated, "row %zu", i);
        cr_assert_eq(received->peer_identity_length, peer ? 3 : 0, "row %zu", i);
        cr_assert(!peer || memcmp(received->peer_identity, peer->identity, 3) == 0, "row %zu", i);
    }
}

Test(upcall, tells_whether_our_own_query_found_the_peer)
{
    static const struct {
        enum gist_message_type type;
        enum gist_role role;
        bool queried;
    } rows[] = {{GIST_DATA, GIST_QUERYING, true}, {GIST_DATA, GIST_RESPONDING, false},
        {GIST_CONFIRM, GIST_RESPONDING, false}, {GIST_QUERY, GIST_QUERYING, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_routing_state state = {.peer = peers[0], .role = rows[i].role};
        struct gist_reception reception = {.message = row_message(row, rows[i].type)};
        cr_assert_eq(deliver(&reception, &state)->peer_was_queried, rows[i].queried, "row %zu", i);
    }
    struct gist_reception explicit = {.message = row_message(row, GIST_DATA)};
    cr_assert_not(deliver(&explicit, NULL)->peer_was_queried);
}

Test(upcall, a_message_that_names_no_sender_comes_from_nobody)
{
    struct gist_reception reception = {.message = row_message(row, GIST_DATA)};
    reception.message.present = 0;
    const struct gist_received *received = deliver(&reception, NULL);
    cr_assert_eq(received->peer.version, 0);
    cr_assert_eq(received->sii_handle, 0);
    cr_assert_null(received->data);
    cr_assert_eq(received->length, 0);
}

Test(upcall, hands_on_what_the_message_says)
{
    for (unsigned i = 0; i < 2; i++) {
        struct gist_reception reception = {.message = row_message(row, GIST_DATA)};
        reception.message.header.explicitly_routed = i == 1;
        reception.message.header.hop_count = 17;
        reception.message.header.nslp_id = 34;
        reception.message.mri.upstream = i == 1;
        const struct gist_received *received = deliver(&reception, NULL);
        cr_assert_eq(received->explicitly_routed, i == 1);
        cr_assert_eq(received->hop_count, 17);
        cr_assert_eq(received->nslp_id, 34);
        cr_assert_eq(received->length, 4);
        cr_assert_arr_eq(row->nodes[0].heard[0].data, "data", 4);
        cr_assert(gist_mri_equal(&received->mri, &reception.message.mri));
        cr_assert(gist_session_id_equal(&received->session_id, &session));
        cr_assert_not(received->routing_state_check);
    }
}

Test(upcall, brings_the_applications_answer_back)
{
    static const enum gist_peering answers[] = {GIST_PEER, GIST_FORWARD};
    struct gist_reception reception = {.message = row_message(row, GIST_QUERY)};
    for (size_t i = 0; i < 2; i++) {
        row->nodes[0].peering = answers[i];
        cr_assert_eq(gist_deliver(node, &reception, NULL, true), answers[i]);
        cr_assert(row->nodes[0].last_asked.routing_state_check);
    }
    cr_assert_eq(row->nodes[0].heard_count, 0);
}

static struct {
    uint64_t now_ms;
    struct gist_mri mri;
    struct gist_session_id session_id;
    enum gist_notification notification;
    size_t count;
} notified;

static void note(void *context, uint64_t now_ms, const struct gist_mri *of,
    const struct gist_session_id *session_id, enum gist_notification notification)
{
    (void)context;
    notified.now_ms = now_ms;
    notified.mri = *of;
    notified.session_id = *session_id;
    notified.notification = notification;
    notified.count++;
}

Test(upcall, notifies_of_a_flow_and_its_session)
{
    static const enum gist_notification all[] = {GIST_NOTIFY_ROUTING_STATUS_GOOD,
        GIST_NOTIFY_ROUTE_DELETED, GIST_NOTIFY_COMMUNICATION_FAILURE};
    struct gist_routing_state state = {.mri = gist_mri_reversed(&mri), .session_id = session};
    node->application.network_notification = note;
    for (size_t i = 0; i < 3; i++) {
        gist_notify(node, &state, all[i]);
        cr_assert_eq(notified.count, i + 1);
        cr_assert_eq(notified.notification, all[i]);
        cr_assert_eq(notified.now_ms, node->now_ms);
        cr_assert(gist_mri_equal(&notified.mri, &state.mri));
        cr_assert(gist_session_id_equal(&notified.session_id, &session));
    }
    node->application.network_notification = NULL;
    gist_notify(node, &state, GIST_NOTIFY_ROUTE_DELETED);
    cr_assert_eq(notified.count, 3);
}

Test(upcall, reports_a_status_to_who_asked_for_one)
{
    gist_report_status(node, GIST_NO_HANDLE, GIST_STATUS_NO_NEXT_NODE);
    cr_assert_eq(row->nodes[0].told_count, 0);
    gist_report_status(node, 9, GIST_STATUS_ASSOCIATION_LOST);
    cr_assert_eq(row->nodes[0].told_count, 1);
    cr_assert_eq(row->nodes[0].told[0].handle, 9);
    cr_assert_eq(row->nodes[0].told[0].status, GIST_STATUS_ASSOCIATION_LOST);
    node->application.message_status = NULL;
    gist_report_status(node, 9, GIST_STATUS_ASSOCIATION_LOST);
    cr_assert_eq(row->nodes[0].told_count, 1);
}

static struct gist_message_queue queue;
static gist_message_handle reported[8];
static size_t reported_count;

static bool put(gist_message_handle handle)
{
    struct gist_outgoing message = {.data = (const uint8_t *)"text", .length = 4, .handle = handle};
    return gist_queue_put(&node->queued, &queue, &message);
}

/* An application that sends again, once, what has failed. */
static void send_again(
    void *context, uint64_t now_ms, gist_message_handle handle, enum gist_message_status status)
{
    (void)context, (void)now_ms, (void)status;
    if (reported_count < 8)
        reported[reported_count++] = handle;
    if (handle < 100)
        cr_assert(put(handle + 100));
}

Test(upcall, a_queue_fails_once_and_in_order_whatever_is_put_in_meanwhile)
{
    node->application.message_status = send_again;
    node->queued.octets_max = 12;
    cr_assert(put(1) && put(GIST_NO_HANDLE) && put(3));
    gist_queue_fail(node, &queue, GIST_STATUS_CONNECT_FAILED);
    cr_assert_eq(reported_count, 2);
    cr_assert(reported[0] == 1 && reported[1] == 3);
    cr_assert_eq(node->queued.octets, 8, "two that were put in from within");
    cr_assert_eq(queue.first->message.handle, 101);
    gist_queue_clear(&node->queued, &queue);
}

/* core/gist: what answers a Query, and what is kept of it. RFC 5971 5.1, 5.2.2, 7.2.1, 8.5. */
#include "core/gist/transport/response_message.h"
#include "core/gist/tests/fixture.h"

#include <string.h>

static struct gist_node *node;
static struct gist_arrival arrival;
static struct gist_reception query;

/* A Query of node 0 at node 1. */
static void start(void)
{
    fixture_start();
    node = row->nodes[1].gist;
    arrival = (struct gist_arrival){.source = {row->nodes[0].address, GIST_PORT},
        .destination = {row->nodes[1].address, GIST_PORT},
        .interface = 1,
        .ip_ttl = 64,
        .q_mode = true};
    query = (struct gist_reception){.message = row_message(row, GIST_QUERY), .arrival = &arrival};
    query.message.nli.peer_identity = (struct gist_octets){(const uint8_t *)"peer", 4};
}

TestSuite(response_message, .init = start, .fini = fixture_stop);

static const struct gist_message *answer(struct gist_routing_state *state)
{
    row->seen_count = 0;
    cr_assert(gist_send_response(node, &query, NULL, state));
    cr_assert_eq(row->seen_count, 1);
    cr_assert(row->seen[0].parsed && row->seen[0].to == 0);
    return &row->seen[0].message;
}

/* 5.2.2: the hops between the TTL that was sent and the one that came; zero where it shows none. */
Test(response_message, tells_how_many_hops_the_query_took)
{
    static const struct {
        bool upstream;
        uint8_t sent, came, told, kept;
    } rows[] = {
        {false, 64, 64, 0, 0},
        {false, 64, 63, 1, 1},
        {false, 64, 1, 63, 63},
        {false, 255, 1, 254, 254},
        {false, 63, 64, 0, 0},
        {false, 1, 255, 0, 0},
        {false, 0, 0, 0, 0},
        {false, 0, 64, 0, 0},
        {true, 3, 60, 0, 3},
        {true, 0, 60, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        query.message.mri.upstream = rows[i].upstream;
        query.message.nli.ip_ttl = rows[i].sent;
        arrival.ip_ttl = rows[i].came;
        const struct gist_message *response = answer(NULL);
        cr_assert_eq(response->nli.ip_ttl, rows[i].told, "row %zu", i);
        struct gist_cookie_binding binding = {
            &query.message.nli, &query.message.mri, &query.message.session_id, 33};
        struct gist_cookie_content content;
        cr_assert(gist_responder_cookie_verify(&node->secrets, &node->crypto, &binding,
                      response->responder_cookie, &content),
            "row %zu", i);
        cr_assert_eq(content.ip_distance, rows[i].kept, "row %zu", i);
        cr_assert_eq(content.interface, 1, "row %zu", i);
        cr_assert_not(content.stack_offered, "row %zu", i);
    }
}

/* 7.2.1: it is how the node that asked recognises its own flow. */
Test(response_message, brings_a_nat_traversal_object_back_as_it_came)
{
    static const uint8_t value[] = {0, 1, 1, 0, 0, 2, 0, 0, 0, 2, 0xca, 0xfe};
    cr_assert_not(gist_message_has(answer(NULL), GIST_OBJECT_NAT_TRAVERSAL));
    query.message.nat_traversal.value = (struct gist_octets){value, sizeof(value)};
    gist_message_add(&query.message, GIST_OBJECT_NAT_TRAVERSAL);
    row->seen_count = 0;
    cr_assert(gist_send_response(node, &query, NULL, NULL));
    const struct seen *seen = &row->seen[0];
    bool found = false;
    for (size_t at = 0; at + sizeof(value) <= seen->length; at++)
        found = found || memcmp(seen->octets + at, value, sizeof(value)) == 0;
    cr_assert(found);
}

static bool no_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    (void)context, (void)key, (void)data, (void)length, (void)mac;
    return false;
}

static bool no_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context, (void)destination, (void)route;
    return false;
}

Test(response_message, without_a_cookie_or_an_address_of_its_own_none_leaves)
{
    struct gist_transport transport = node->transport;
    node->transport.route = no_route;
    cr_assert_not(gist_send_response(node, &query, NULL, NULL));
    node->transport = transport;
    node->crypto.mac = no_mac;
    cr_assert_not(gist_send_response(node, &query, NULL, NULL));
    cr_assert_eq(row->seen_count, 0);
}

static struct gist_routing_state *state_of_peer(void)
{
    struct gist_mri towards_peer = gist_mri_reversed(&mri);
    struct gist_routing_state *state =
        gist_routing_state_create(node, GIST_RESPONDING, &towards_peer, &session);
    cr_assert(state && gist_routing_state_set_peer(node, state, &query.message.nli));
    state->peer_port = GIST_PORT;
    return state;
}

Test(response_message, is_sent_again_octet_for_octet)
{
    struct gist_routing_state *state = state_of_peer();
    cr_assert_not(gist_send_response_again(node, state), "before the first");
    answer(state);
    cr_assert(gist_send_response_again(node, state));
    cr_assert_eq(row->seen_count, 2);
    cr_assert_eq(row->seen[0].length, row->seen[1].length);
    cr_assert_arr_eq(row->seen[0].octets, row->seen[1].octets, row->seen[0].length);
    cr_assert(row->seen[1].d_mode && row->seen[1].to == 0);
}

Test(response_message, the_last_one_is_kept_and_those_before_are_released)
{
    struct gist_routing_state *state = state_of_peer();
    struct network_memory *memory = network_memory(row->network);
    answer(state);
    size_t outstanding = memory->outstanding;
    query.message.query_cookie.octets = (const uint8_t *)"efgh";
    answer(state);
    cr_assert_eq(memory->outstanding, outstanding);
    cr_assert(gist_send_response_again(node, state));
    cr_assert_arr_eq(row->seen[1].message.query_cookie.octets, "efgh", 4);
    cr_assert_eq(memory->wrong_lengths, 0);
}

Test(response_message, without_memory_it_leaves_and_is_not_sent_again)
{
    struct gist_routing_state *state = state_of_peer();
    struct network_memory *memory = network_memory(row->network);
    answer(state);
    memory->fail_at = memory->allocations + 1;
    memory->fail_from_then = true;
    row->seen_count = 0;
    cr_assert(gist_send_response(node, &query, NULL, state));
    cr_assert_eq(row_seen_count(row, GIST_RESPONSE), 1);
    cr_assert_not(gist_send_response_again(node, state));
    cr_assert_null(state->handshake.response);
    cr_assert_eq(state->handshake.response_length, 0);
}

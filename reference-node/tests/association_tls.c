/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Associations over TLS: the core hears of a peer once it is authenticated, who floods us with
 * handshakes has its share of them, and what is sent arrives whole. RFC 5971 5.7.3. */
#include "reference-node/tests/association_bench.h"
#include "reference-node/tests/tls_bench.h"
#include "reference-node/tls/tls_session.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MUCH = 1 << 20, OUTBOUND = 100 };

static struct authority authority;
static char *authority_text;
static SSL_CTX *ours;
static const struct config_tls database;

static SSL_CTX *context_of(struct authority *signer)
{
    const struct subject subject = {.common_names = {"nf.example.com"}};
    struct issued other = authority_issue(signer, &subject);
    struct tls_end end = {.texts = {other.certificate, other.key, authority_text}};
    SSL_CTX *context = bench_context_without_a_word(&end);
    issued_free(&other);
    return context;
}

static void start(void)
{
    authority = authority_create("Ours");
    authority_text = authority_pem(&authority);
    ours = context_of(&authority);
}

static void stop(void)
{
    SSL_CTX_free(ours);
    free(authority_text);
    authority_free(&authority);
}

TestSuite(association_tls, .init = start, .fini = stop);

static void secure(struct node *node)
{
    SSL_CTX_up_ref(ours);
    association_socket_secure(node->associations, ours, &database);
}

static void stop_node(struct node *node)
{
    association_socket_destroy(node->associations);
    node->associations = NULL;
    event_base_loop(node->base, EVLOOP_NONBLOCK);
    event_base_free(node->base);
}

/* A peer of whichever credentials; its socket is the SSL's. */
static SSL *tls_peer(SSL_CTX *context)
{
    SSL *ssl = tls_session_connect(context, &database, &(struct gist_address){.version = 4});
    int descriptor = peer_connect_to(SECURE_PORT);
    cr_assert(SSL_set_fd(ssl, descriptor) == 1);
    SSL_set_connect_state(ssl);
    return ssl;
}

static void free_peer(SSL *ssl)
{
    close(SSL_get_fd(ssl));
    SSL_free(ssl);
}

Test(association_tls, carries_octets_both_ways_and_says_goodbye)
{
    struct node node;
    char heard[8] = "";
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(ours);
    TURN_UNTIL(&node, SSL_do_handshake(peer) == 1 && node.accepted == 1);
    cr_assert_eq(node.last_stack, GIST_STACK_TLS_TCP);
    cr_assert(association_socket_tls(node.associations, 1));
    cr_assert(SSL_write(peer, "hello", 5) == 5);
    TURN_UNTIL(&node, node.received == 5);
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"world", 5));
    TURN_UNTIL(&node, SSL_read(peer, heard, sizeof(heard)) == 5);
    cr_assert_str_eq(heard, "world");
    association_socket_close(node.associations, 1);
    TURN_UNTIL(&node, SSL_read(peer, heard, sizeof(heard)) == 0);
    cr_assert_eq(SSL_get_error(peer, 0), SSL_ERROR_ZERO_RETURN, "it was cut off");
    free_peer(peer);
    stop_node(&node);
}

Test(association_tls, tells_of_a_peer_that_ends_it)
{
    struct node node;
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(ours), *rude = tls_peer(ours);
    TURN_UNTIL(
        &node, SSL_do_handshake(peer) == 1 && SSL_do_handshake(rude) == 1 && node.accepted == 2);
    SSL_write(peer, "last", 4);
    SSL_shutdown(peer);
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert_eq(node.received, 4);
    free_peer(rude);
    TURN_UNTIL(&node, node.closed == 2);
    cr_assert(association_socket_count(node.associations) == 0);
    cr_assert_eq(association_socket_counters(node.associations).handshakes_failed, 0);
    free_peer(peer);
    stop_node(&node);
}

Test(association_tls, carries_much_at_the_pace_of_who_hears)
{
    static uint8_t block[MUCH], heard[MUCH];
    struct node node;
    size_t length = 0, sent = 0;
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(ours);
    TURN_UNTIL(&node, SSL_do_handshake(peer) == 1 && node.accepted == 1);
    for (size_t i = 0; i < MUCH; i++)
        block[i] = (uint8_t)(i * 31 >> 3) | 0x80;
    cr_assert(association_socket_write(node.associations, 1, block, MUCH));
    SSL_set_mode(peer, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    for (unsigned turns = 0; length < MUCH || node.received < MUCH; turns++) {
        cr_assert(turns < TURNS_MAX * 10, "%zu there, %zu here", length, node.received);
        int part = SSL_read(peer, heard + length, (int)(MUCH - length));
        length += part > 0 ? (size_t)part : 0;
        part = sent < MUCH ? SSL_write(peer, block + sent, (int)(MUCH - sent)) : 0;
        sent += part > 0 ? (size_t)part : 0;
        node_turn(&node);
    }
    cr_assert_eq(memcmp(heard, block, MUCH), 0);
    cr_assert_eq(node.received, MUCH);
    free_peer(peer);
    stop_node(&node);
}

Test(association_tls, hears_all_that_a_peer_said_while_it_paused_before_it_ended)
{
    static const uint8_t block[16000];
    struct node node;
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(ours);
    TURN_UNTIL(&node, SSL_do_handshake(peer) == 1 && node.accepted == 1);
    node.pauses = true;
    cr_assert(SSL_write(peer, block, sizeof(block)) == sizeof(block));
    TURN_UNTIL(&node, node.received > 0);
    cr_assert(SSL_write(peer, block, sizeof(block)) == sizeof(block));
    SSL_shutdown(peer);
    for (unsigned i = 0; i < 20; i++)
        node_turn(&node);
    cr_assert(node.received < 2 * sizeof(block) && node.closed == 0);
    node.pauses = false;
    node_go_on(&node);
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert_eq(node.received, 2 * sizeof(block));
    free_peer(peer);
    stop_node(&node);
}

Test(association_tls, tells_nothing_of_who_is_not_authenticated)
{
    struct node node;
    char octet;
    struct authority theirs = authority_create("Theirs");
    SSL_CTX *foreign = context_of(&theirs);
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(foreign);
    int plain = peer_connect_to(SECURE_PORT);
    cr_assert(send(plain, "hello there, no TLS at all", 26, 0) == 26);
    TURN_UNTIL(&node, SSL_read(peer, &octet, 1) <= 0 && SSL_get_error(peer, -1) == SSL_ERROR_SSL);
    TURN_UNTIL(&node, peer_has_ended(plain));
    cr_assert_eq(association_socket_counters(node.associations).handshakes_failed, 2);
    cr_assert(node.accepted == 0 && node.received == 0 && node.closed == 0);
    free_peer(peer);
    SSL_CTX_free(foreign);
    authority_free(&theirs);
    stop_node(&node);
}

Test(association_tls, tells_nothing_of_who_may_be_a_peer_for_no_flow)
{
    struct node node;
    char octet;
    node_start(&node);
    secure(&node);
    node.authorises_nobody = true;
    SSL *peer = tls_peer(ours);
    TURN_UNTIL(&node, SSL_read(peer, &octet, 1) == 0);
    cr_assert(node.accepted == 0 && association_socket_count(node.associations) == 0);
    cr_assert_eq(association_socket_counters(node.associations).peers_unauthorised, 1);
    free_peer(peer);
    stop_node(&node);
}

Test(association_tls, is_not_there_without_credentials)
{
    struct node node;
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = SECURE_PORT};
    node_start(&node);
    int peer = peer_connect_to(SECURE_PORT);
    TURN_UNTIL(&node, peer_has_ended(peer));
    cr_assert_not(association_socket_open(node.associations, OUTBOUND, GIST_STACK_TLS_TCP, &there));
    cr_assert(node.accepted == 0 && association_socket_count(node.associations) == 0);
    stop_node(&node);
}

Test(association_tls, is_opened_and_told_once_it_is_authenticated)
{
    struct node node;
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = SECURE_PORT};
    node_start(&node);
    secure(&node);
    cr_assert(association_socket_open(node.associations, OUTBOUND, GIST_STACK_TLS_TCP, &there));
    cr_assert(association_socket_write(node.associations, OUTBOUND, (const uint8_t *)"early", 5));
    TURN_UNTIL(&node, node.connected == 1 && node.accepted == 1 && node.received == 5);
    cr_assert(SSL_is_init_finished(association_socket_tls(node.associations, OUTBOUND)));
    stop_node(&node);
}

Test(association_tls, is_told_to_have_failed_where_the_server_is_not_whom_we_trust)
{
    struct node node;
    struct authority theirs = authority_create("Theirs");
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = SECURE_PORT};
    node_start(&node);
    association_socket_secure(node.associations, context_of(&theirs), &database);
    cr_assert(association_socket_open(node.associations, OUTBOUND, GIST_STACK_TLS_TCP, &there));
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert(node.connected == 0 && node.accepted == 0);
    authority_free(&theirs);
    stop_node(&node);
}

Test(association_tls, ends_handshakes_that_take_too_long)
{
    struct node node;
    node_prepare(&node);
    node.limits.connect_within_ms = 200;
    node_start_limited(&node);
    secure(&node);
    int peer = peer_connect_to(SECURE_PORT);
    TURN_UNTIL(&node, peer_has_ended(peer));
    cr_assert_eq(association_socket_counters(node.associations).handshakes_failed, 1);
    cr_assert(node.accepted == 0 && node.closed == 0);
    stop_node(&node);
}

/* How many of those that wait in silence are still connected. */
static unsigned count_silent(struct node *node, int *peers, unsigned count)
{
    unsigned open = 0;
    for (unsigned i = 0; i < 20; i++)
        node_turn(node);
    for (unsigned i = 0; i < count; i++)
        open += !peer_has_ended(peers[i]);
    return open;
}

Test(association_tls, leaves_a_stranger_few_handshakes_at_once_and_gives_them_back)
{
    enum { SILENT = 9 };
    int peers[SILENT];
    struct node node;
    node_start(&node);
    secure(&node);
    for (unsigned i = 0; i < SILENT; i++)
        peers[i] = peer_connect_to(SECURE_PORT);
    cr_assert_eq(count_silent(&node, peers, SILENT), 4);
    struct association_counters counters = association_socket_counters(node.associations);
    cr_assert(counters.handshakes == 4 && counters.handshakes_refused == SILENT - 4);
    for (unsigned i = 0; i < SILENT; i++)
        close(peers[i]);
    count_silent(&node, NULL, 0);
    for (unsigned i = 0; i < 4; i++) {
        peers[i] = peer_connect_to(SECURE_PORT);
        cr_assert_eq(count_silent(&node, peers + i, 1), 1, "%u", i);
    }
    stop_node(&node);
}

Test(association_tls, lets_known_peers_have_more_handshakes)
{
    enum { SILENT = 20 };
    int peers[SILENT];
    struct node node;
    node_start(&node);
    secure(&node);
    node.knows = true;
    for (unsigned i = 0; i < SILENT; i++)
        peers[i] = peer_connect_to(SECURE_PORT);
    cr_assert_eq(count_silent(&node, peers, SILENT), 16);
    stop_node(&node);
}

Test(association_tls, sends_what_was_written_though_it_is_closed_before_it_is_there)
{
    struct node node;
    struct gist_endpoint there = {.address = gist_address_v4(INADDR_LOOPBACK), .port = SECURE_PORT};
    node_start(&node);
    secure(&node);
    cr_assert(association_socket_open(node.associations, OUTBOUND, GIST_STACK_TLS_TCP, &there));
    cr_assert(association_socket_write(node.associations, OUTBOUND, (const uint8_t *)"early", 5));
    const SSL *ssl = association_socket_tls(node.associations, OUTBOUND);
    for (unsigned turns = 0; SSL_in_before(ssl); turns++) {
        cr_assert(turns < TURNS_MAX * 100, "it does not begin");
        event_base_loop(node.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    }
    cr_assert_not(SSL_is_init_finished(ssl));
    association_socket_close(node.associations, OUTBOUND);
    TURN_UNTIL(&node, node.received == 5);
    TURN_UNTIL(&node, node.closed == 1);
    cr_assert_eq(node.connected, 0);
    stop_node(&node);
}

Test(association_tls, gives_the_share_of_a_handshake_back_when_it_is_over)
{
    enum { PEERS = 7 };
    struct node node;
    SSL *peers[PEERS];
    node_prepare(&node);
    node.limits.connections_max = PEERS;
    node_start_limited(&node);
    secure(&node);
    for (unsigned i = 0; i < PEERS; i++) {
        peers[i] = tls_peer(ours);
        TURN_UNTIL(&node, SSL_do_handshake(peers[i]) == 1 && node.accepted == i + 1);
    }
    for (unsigned i = 0; i < PEERS; i++)
        free_peer(peers[i]);
    stop_node(&node);
}

Test(association_tls, sends_what_it_writes_before_it_closes_though_more_was_under_way)
{
    struct node node;
    char heard[8] = "";
    int length = 0;
    node_start(&node);
    secure(&node);
    SSL *peer = tls_peer(ours);
    TURN_UNTIL(&node, SSL_do_handshake(peer) == 1 && node.accepted == 1);
    cr_assert(SSL_write(peer, "w", 1) == 1);
    cr_assert(association_socket_write(node.associations, 1, (const uint8_t *)"1", 1));
    for (unsigned turns = 0; !(SSL_get_shutdown(peer) & SSL_RECEIVED_SHUTDOWN); turns++) {
        cr_assert(turns < TURNS_MAX);
        int part = SSL_read(peer, heard + length, (int)sizeof(heard) - length);
        length += part > 0 ? part : 0;
        node_turn(&node);
    }
    cr_assert_str_eq(heard, "1bye");
    free_peer(peer);
    stop_node(&node);
}

static unsigned chance(unsigned *state, unsigned below)
{
    *state = *state * 1103515245 + 12345;
    return (*state >> 16) % below;
}

enum { TALKERS = 12, ROUNDS = 8, SAID_MAX = 16000 };

/* Some say much at once and some little, and end after the last of it. */
static size_t say_all(struct node *node, SSL *peers[TALKERS], unsigned *state)
{
    static const uint8_t block[SAID_MAX];
    size_t said = 0;
    for (unsigned turn = 0; turn < ROUNDS * TALKERS; turn++) {
        SSL *peer = peers[turn % TALKERS];
        int length = 1 + (int)chance(state, chance(state, 3) ? 4000 : SAID_MAX);
        cr_assert_eq(SSL_write(peer, block, length), length);
        said += (size_t)length;
        if (turn / TALKERS == ROUNDS - 1) {
            SSL_shutdown(peer);
            free_peer(peer);
        }
        if (chance(state, 8) == 0)
            event_base_loop(node->base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    }
    return said;
}

Test(association_tls, hears_the_last_of_many_that_end_at_once)
{
    enum { TRIES = 8 }; /* as many handshakes as one may begin in a second */
    struct node node;
    node_prepare(&node);
    node.limits.connections_max = TALKERS;
    node_start_limited(&node);
    node.knows = true;
    secure(&node);
    for (unsigned try = 0, state = 1; try < TRIES; try++) {
        SSL *peers[TALKERS];
        node.received = node.closed = node.accepted = 0;
        for (unsigned i = 0; i < TALKERS; i++) {
            peers[i] = tls_peer(ours);
            TURN_UNTIL(&node, SSL_do_handshake(peers[i]) == 1 && node.accepted == i + 1);
        }
        size_t said = say_all(&node, peers, &state);
        TURN_UNTIL(&node, node.closed == TALKERS);
        cr_assert_eq(node.received, said, "%zu of %zu", node.received, said);
    }
    stop_node(&node);
}

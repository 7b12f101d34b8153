/* SPDX-License-Identifier: GPL-3.0-or-later */
/* natfwctl list and close --all of very many sessions: one JSON document, made in many turns of the
 * loop. */
#include "reference-node/control/commands.h"

#include "core/natfw/snapshot.h"
#include "reference-node/base/clock.h"
#include "reference-node/base/crypto_openssl.h"

#include <criterion/criterion.h>
#include <event2/buffer.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 20000, SOON_MS = 60000, TURNS_MAX = 100000 };

static struct {
    struct event_base *base;
    struct crypto_openssl *crypto;
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct pinholes *pinholes;
    struct commands *commands;
    struct control *control;
    char path[64];
    int client;
    uint64_t now_ms;
    unsigned turns;
    uint64_t turns_ns[2 * TURNS_MAX]; /* of the processor */
    uint64_t all_turns_ns;
    uint64_t longest_turn_ns;
} daemon_;

static void *allocate(void *context, size_t length)
{
    (void)context;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context;
    (void)length;
    free(memory);
}

static void ignore_event(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)context;
    (void)now_ms;
    (void)event;
}

static void ignore_deadline(void *context, uint64_t deadline_ms)
{
    (void)context;
    (void)deadline_ms;
}

static bool find_no_route(
    void *context, const struct gist_address *destination, struct gist_route *route)
{
    (void)context;
    (void)destination;
    (void)route;
    return false;
}

static bool is_local(void *context, const struct gist_address *address)
{
    (void)context;
    (void)address;
    return false;
}

static void connect_client(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", daemon_.path);
    daemon_.client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(connect(daemon_.client, (struct sockaddr *)&address, sizeof(address)) == 0);
}

static void start(void)
{
    struct natfw_node_config config = natfw_node_config_default();
    struct pinholes_listener nobody = {0};
    config.sessions_max = MANY;
    signal(SIGPIPE, SIG_IGN); /* as natfwd does */
    daemon_.now_ms = clock_now_ms();
    daemon_.base = event_base_new();
    daemon_.crypto = crypto_openssl_create();
    daemon_.pinholes = pinholes_create(NULL, 1, &nobody);
    struct natfw_seams seams = {.allocator = {.allocate = allocate, .release = release},
        .crypto = crypto_openssl_seam(daemon_.crypto),
        .middlebox = pinholes_middlebox(daemon_.pinholes),
        .observer = {.event = ignore_event},
        .set_deadline = ignore_deadline};
    daemon_.natfw = natfw_node_create(&config, &seams);
    struct gist_node_config gist_config = gist_node_config_default();
    struct gist_seams gist = {.allocator = seams.allocator,
        .crypto = seams.crypto,
        .transport = {.route = find_no_route,
            .is_local = is_local,
            .set_deadline = ignore_deadline},
        .application = natfw_node_application(daemon_.natfw)};
    daemon_.gist = gist_node_create(&gist_config, &gist, daemon_.now_ms);
    natfw_node_attach(daemon_.natfw, daemon_.gist, &gist.transport);
    struct commands_target target = {
        .base = daemon_.base, .natfw = daemon_.natfw, .pinholes = daemon_.pinholes};
    daemon_.commands = commands_create(&target);
    struct control_listener listener = {
        .context = daemon_.commands, .request = commands_request, .gone = commands_client_gone};
    snprintf(daemon_.path, sizeof(daemon_.path), "/tmp/natfwd-list-%d.sock", (int)getpid());
    daemon_.control = control_create(daemon_.base, daemon_.path, &listener);
    connect_client();
}

static void stop(void)
{
    control_destroy(daemon_.control);
    commands_destroy(daemon_.commands);
    gist_node_destroy(daemon_.gist);
    natfw_node_destroy(daemon_.natfw);
    pinholes_destroy(daemon_.pinholes);
    crypto_openssl_destroy(daemon_.crypto);
    event_base_free(daemon_.base);
    close(daemon_.client);
}

TestSuite(list, .init = start, .fini = stop);

/* Sessions that this node began, of which those with an even number end soon. */
static void add_sessions(unsigned count)
{
    struct natfw_snapshot snapshot = {.role = NATFW_INITIATOR,
        .rule = {.action = NATFW_ALLOW,
            .flow = {.source = gist_address_v4(0xc0000202),
                .destination = gist_address_v4(0xc6336402),
                .source_prefix = 32,
                .destination_prefix = 32,
                .has_protocol = true,
                .protocol = 17}},
        .lifetime_s = 3600};
    for (unsigned number = 0; number < count; number++) {
        snapshot.id = (struct gist_session_id){{1, (uint8_t)(number >> 8), (uint8_t)number}};
        snapshot.expires_ms = daemon_.now_ms + (number % 2 ? 3600000 : SOON_MS);
        cr_assert(natfw_node_restore(daemon_.natfw, daemon_.now_ms, &snapshot) == NATFW_OK);
    }
}

static void request(const char *command)
{
    cr_assert(send(daemon_.client, command, strlen(command), 0) > 0);
}

static void ask(void)
{
    request("{\"command\":\"list\"}\n");
}

static uint64_t processor_ns(void)
{
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

static void turn(void)
{
    uint64_t start_ns = processor_ns();
    event_base_loop(daemon_.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    uint64_t took_ns = processor_ns() - start_ns;
    cr_assert_lt(daemon_.turns, 2 * TURNS_MAX);
    daemon_.turns_ns[daemon_.turns++] = took_ns;
    daemon_.all_turns_ns += took_ns;
    if (took_ns > daemon_.longest_turn_ns)
        daemon_.longest_turn_ns = took_ns;
}

/* What the daemon says, up to the end of the line, or up to so many turns of its loop. */
static struct evbuffer *hear(unsigned turns_max)
{
    struct evbuffer *heard = evbuffer_new();
    for (unsigned turns = 0; turns < turns_max; turns++) {
        turn();
        while (evbuffer_read(heard, daemon_.client, -1) > 0)
            continue;
        if (evbuffer_search(heard, "\n", 1, NULL).pos >= 0)
            break;
    }
    return heard;
}

/* The sessions of a whole reply; its octets are gone afterwards. */
static size_t count_sessions(struct evbuffer *reply)
{
    json_error_t error;
    json_t *list = json_loadb((char *)evbuffer_pullup(reply, -1), evbuffer_get_length(reply),
        JSON_REJECT_DUPLICATES, &error);
    cr_assert(list, "%s at %d", error.text, error.position);
    cr_assert(json_is_true(json_object_get(list, "ok")));
    size_t count = json_array_size(json_object_get(list, "sessions"));
    for (size_t i = 0; i < count; i++)
        cr_assert(json_object_get(json_array_get(json_object_get(list, "sessions"), i), "session"));
    json_decref(list);
    evbuffer_free(reply);
    return count;
}

/* None for most of it all, and few for much of it: beside other work a turn may take longer. */
static void expect_short_turns(void)
{
    unsigned long_turns = 0;
    for (unsigned i = 0; i < daemon_.turns; i++)
        long_turns += daemon_.turns_ns[i] > daemon_.all_turns_ns / 20;
    cr_assert_leq(long_turns, 2);
    cr_assert_lt(daemon_.longest_turn_ns, daemon_.all_turns_ns / 3, "a turn of %u of %u us",
        (unsigned)(daemon_.longest_turn_ns / 1000), (unsigned)(daemon_.all_turns_ns / 1000));
}

Test(list, of_none_or_one_is_a_document_too)
{
    ask();
    cr_assert_eq(count_sessions(hear(TURNS_MAX)), 0);
    add_sessions(1);
    ask();
    cr_assert_eq(count_sessions(hear(TURNS_MAX)), 1);
}

Test(list, of_very_many_sessions_leaves_turns_to_others)
{
    add_sessions(MANY);
    ask();
    cr_assert_eq(count_sessions(hear(TURNS_MAX)), MANY);
    expect_short_turns();
}

Test(list, leaves_out_what_ends_meanwhile)
{
    add_sessions(MANY);
    ask();
    struct evbuffer *reply = hear(10);
    size_t early = evbuffer_get_length(reply);
    for (unsigned i = 0; i < MANY; i++) /* it ends some each time */
        natfw_node_tick(daemon_.natfw, daemon_.now_ms + SOON_MS + 1);
    struct evbuffer *rest = hear(TURNS_MAX);
    evbuffer_add_buffer(reply, rest);
    evbuffer_free(rest);
    size_t count = count_sessions(reply);
    cr_assert(early > 0 && count > MANY / 2 && count < MANY / 2 + 2000, "%zu sessions", count);
}

/* How many a whole reply says are closed. */
static json_int_t closed_by(struct evbuffer *reply)
{
    json_t *told = json_loadb((char *)evbuffer_pullup(reply, -1), evbuffer_get_length(reply),
        JSON_REJECT_DUPLICATES, NULL);
    cr_assert(told && json_is_true(json_object_get(told, "ok")));
    json_int_t count = json_integer_value(json_object_get(told, "closed"));
    json_decref(told);
    evbuffer_free(reply);
    return count;
}

Test(list, closing_none_or_very_many_leaves_turns_to_others)
{
    static const char close_all[] = "{\"command\":\"close\",\"all\":true}\n";
    request(close_all);
    cr_assert_eq(closed_by(hear(TURNS_MAX)), 0);
    add_sessions(MANY);
    request(close_all);
    cr_assert_eq(closed_by(hear(TURNS_MAX)), MANY);
    expect_short_turns();
}

/* Who closes them all and goes has closed those up to then; the others stay open. */
Test(list, closing_ends_with_who_asked_for_it)
{
    add_sessions(MANY);
    request("{\"command\":\"close\",\"all\":true}\n");
    for (unsigned turns = 0; turns < 10; turns++)
        turn();
    close(daemon_.client);
    for (unsigned turns = 0; turns < 10; turns++)
        turn();
    connect_client();
    request("{\"command\":\"close\",\"all\":true}\n");
    json_int_t rest = closed_by(hear(TURNS_MAX));
    cr_assert(rest > MANY / 2 && rest < MANY, "%d", (int)rest);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control socket: requests and replies in order, bounds, clients that misbehave. */
#include "reference-node/control/control.h"
#include "reference-node/base/loop.h"
#include "reference-node/control/commands.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

struct server {
    struct event_base *base;
    struct control *control;
    char path[64];
    struct control_client *waiting; /* asked for a reply that comes later */
    unsigned gone;
};

static void on_request(void *context, struct control_client *client, const json_t *request)
{
    struct server *server = context;
    if (json_object_get(request, "wait"))
        server->waiting = client;
    else
        control_reply(client, json_pack("{s:O}", "echo", json_object_get(request, "say")));
}

static void on_gone(void *context, struct control_client *client)
{
    struct server *server = context;
    server->gone++;
    if (server->waiting == client)
        server->waiting = NULL;
}

static void server_start_with(struct server *server, const struct control_listener *listener)
{
    signal(SIGPIPE, SIG_IGN); /* as natfwd does */
    memset(server, 0, sizeof(*server));
    snprintf(server->path, sizeof(server->path), "/tmp/natfwd-test-%d.sock", (int)getpid());
    server->base = event_base_new();
    server->control = control_create(server->base, server->path, listener);
    cr_assert(server->control);
}

static void server_start(struct server *server)
{
    struct control_listener listener = {.context = server, .request = on_request, .gone = on_gone};
    server_start_with(server, &listener);
}

static void server_stop(struct server *server)
{
    control_destroy(server->control);
    event_base_free(server->base);
    cr_assert(access(server->path, F_OK) < 0, "the socket stays behind");
}

static int client_connect(const struct server *server)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", server->path);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
    return client;
}

static void say(int client, const char *text)
{
    cr_assert(send(client, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* Runs the server for some turns of its loop. */
static void turns(struct server *server)
{
    for (unsigned i = 0; i < 20; i++)
        event_base_loop(server->base, EVLOOP_NONBLOCK);
}

static void require_heard(struct server *server, int client, const char *expected)
{
    char heard[1024] = "";
    turns(server);
    ssize_t length = recv(client, heard, sizeof(heard) - 1, 0);
    cr_assert(length >= 0, "nothing heard, not %s", expected);
    cr_assert(strcmp(heard, expected) == 0, "heard %s", heard);
}

Test(control, answers_each_request_of_each_client_in_order)
{
    struct server server;
    server_start(&server);
    int first = client_connect(&server), second = client_connect(&server);
    say(first, "{\"say\":1}\n{\"say\":2}\n{\"ot");
    say(second, "{\"say\":\"x\"}\n");
    require_heard(&server, first, "{\"echo\":1}\n{\"echo\":2}\n");
    require_heard(&server, second, "{\"echo\":\"x\"}\n");
    say(first, "her\":3, \"say\":4}\n");
    require_heard(&server, first, "{\"echo\":4}\n");
    server_stop(&server);
}

Test(control, answers_later_and_holds_the_next_request_until_then)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n{\"say\":2}\n");
    turns(&server);
    char heard[8];
    cr_assert(server.waiting && recv(client, heard, sizeof(heard), 0) < 0 && errno == EAGAIN);
    control_reply(server.waiting, json_pack("{s:i}", "late", 1));
    require_heard(&server, client, "{\"late\":1}\n{\"echo\":2}\n");
    server_stop(&server);
}

Test(control, answers_a_client_that_has_sent_its_last)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n");
    shutdown(client, SHUT_WR);
    turns(&server);
    cr_assert(server.waiting && server.gone == 0);
    control_reply(server.waiting, json_pack("{s:i}", "late", 1));
    require_heard(&server, client, "{\"late\":1}\n");
    require_heard(&server, client, "");
    cr_assert(server.gone == 1);
    server_stop(&server);
}

Test(control, tells_of_a_client_that_goes_while_it_waits)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n");
    turns(&server);
    cr_assert(server.waiting);
    close(client);
    turns(&server);
    cr_assert(!server.waiting && server.gone == 1);
    int next = client_connect(&server);
    say(next, "{\"say\":5}\n");
    require_heard(&server, next, "{\"echo\":5}\n");
    server_stop(&server);
}

static void tell(struct control_client *client, json_int_t number)
{
    json_t *news = json_pack("{s:I}", "news", number);
    control_tell(client, news);
    json_decref(news);
}

Test(control, tells_news_between_replies)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n");
    turns(&server);
    tell(server.waiting, 1);
    require_heard(&server, client, "{\"news\":1}\n");
    tell(server.waiting, 2);
    control_reply(server.waiting, json_pack("{s:i}", "late", 1));
    require_heard(&server, client, "{\"news\":2}\n{\"late\":1}\n");
    tell(server.waiting, 3);
    require_heard(&server, client, "{\"news\":3}\n");
    server_stop(&server);
}

/* So many news of at least this many octets as are far more than it may leave unread. */
enum { NEWS_COUNT = 20 * CONTROL_UNREAD_MAX / 16 };

Test(control, ends_a_client_that_does_not_read_what_it_is_told)
{
    struct server server;
    json_int_t told = 0;
    server_start(&server);
    int deaf = client_connect(&server), other = client_connect(&server);
    say(deaf, "{\"wait\":true}\n");
    turns(&server);
    for (; told < NEWS_COUNT && server.gone == 0; told++) {
        tell(server.waiting, 1000000 + told);
        event_base_loop(server.base, EVLOOP_NONBLOCK);
    }
    cr_assert(server.gone == 1, "after %lld news it is still told", (long long)told);
    say(other, "{\"say\":1}\n");
    require_heard(&server, other, "{\"echo\":1}\n");
    server_stop(&server);
}

Test(control, ends_a_client_that_is_told_too_much_at_once_only_in_a_later_turn)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n");
    turns(&server);
    for (json_int_t told = 0; told < NEWS_COUNT && server.gone == 0; told++)
        tell(server.waiting, told);
    cr_assert(server.gone == 0, "whoever tells must not be called from within");
    turns(&server);
    cr_assert(server.gone == 1);
    server_stop(&server);
}

/* A reply of many parts, and what has become of it. */
static struct {
    unsigned appended;
    unsigned released;
} long_reply;

enum { PARTS = 1000, PART_OCTETS = 4096 };

static bool append_part(void *context, struct evbuffer *reply)
{
    char part[PART_OCTETS];
    (void)context;
    memset(part, 'x', sizeof(part));
    evbuffer_add(reply, part, sizeof(part));
    return ++long_reply.appended < PARTS;
}

static void release_parts(void *context)
{
    (void)context;
    long_reply.released++;
}

/* Asks for a reply that is given in parts, and begins it. */
static int ask_for_parts(struct server *server)
{
    static const struct control_parts parts = {.append = append_part, .release = release_parts};
    int client = client_connect(server);
    memset(&long_reply, 0, sizeof(long_reply));
    say(client, "{\"wait\":true}\n{\"say\":\"after it\"}\n");
    turns(server);
    control_reply_in_parts(server->waiting, &parts);
    return client;
}

Test(control, gives_a_long_reply_one_part_a_turn)
{
    struct server server;
    server_start(&server);
    int client = ask_for_parts(&server);
    cr_assert_eq(long_reply.appended, 1);
    char heard[2 * PART_OCTETS];
    for (unsigned turn = 0; turn < 20; turn++) {
        unsigned before = long_reply.appended;
        event_base_loop(server.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        cr_assert_leq(long_reply.appended, before + 1);
        (void)!recv(client, heard, sizeof(heard), 0);
    }
    cr_assert_gt(long_reply.appended, 5);
    server_stop(&server);
    cr_assert_eq(long_reply.released, 1);
}

Test(control, goes_on_with_a_long_reply_only_as_its_client_reads)
{
    struct server server;
    size_t octets = 0;
    server_start(&server);
    int client = ask_for_parts(&server), other = client_connect(&server);
    for (unsigned i = 0; i < PARTS / 10; i++)
        turns(&server);
    unsigned unread = long_reply.appended;
    cr_assert(unread < PARTS / 2, "%u parts for a client that does not read", unread);
    say(other, "{\"say\":1}\n");
    require_heard(&server, other, "{\"echo\":1}\n");
    char heard[16 * PART_OCTETS], last[2] = "";
    for (unsigned turn = 0; turn < 100 * PARTS && octets < PARTS * PART_OCTETS + 1; turn++) {
        event_base_loop(server.base, EVLOOP_NONBLOCK);
        size_t wanted = PARTS * PART_OCTETS + 1 - octets;
        ssize_t length = recv(client, heard, wanted < sizeof(heard) ? wanted : sizeof(heard), 0);
        if (length > 0)
            last[0] = heard[length - 1];
        octets += length > 0 ? (size_t)length : 0;
    }
    cr_assert(octets == PARTS * PART_OCTETS + 1 && last[0] == '\n', "%zu octets", octets);
    cr_assert(long_reply.released == 1);
    require_heard(&server, client, "{\"echo\":\"after it\"}\n");
    server_stop(&server);
}

Test(control, lets_news_wait_for_the_end_of_a_long_reply)
{
    struct server server;
    server_start(&server);
    int client = ask_for_parts(&server);
    tell(server.waiting, 1);
    char heard[16 * PART_OCTETS + 1], end[64] = "";
    for (unsigned turn = 0; turn < 100 * PARTS && !strstr(end, "after"); turn++) {
        event_base_loop(server.base, EVLOOP_NONBLOCK);
        ssize_t length = recv(client, heard, sizeof(heard) - 1, 0);
        if (length <= 0)
            continue;
        heard[length] = '\0';
        char *rest = heard + strspn(heard, "x");
        strncat(end, rest, sizeof(end) - strlen(end) - 1);
    }
    cr_assert_str_eq(end, "\n{\"news\":1}\n{\"echo\":\"after it\"}\n");
    server_stop(&server);
}

Test(control, lets_go_of_a_long_reply_when_its_client_goes)
{
    struct server server;
    server_start(&server);
    int client = ask_for_parts(&server);
    close(client);
    turns(&server);
    cr_assert(server.gone == 1 && long_reply.released == 1);
    server_stop(&server);
    cr_assert(long_reply.released == 1);
}

Test(control, tells_without_end_a_client_that_reads)
{
    struct server server;
    char expected[64];
    server_start(&server);
    int client = client_connect(&server);
    say(client, "{\"wait\":true}\n");
    turns(&server);
    for (json_int_t told = 0; told < NEWS_COUNT; told++) {
        char heard[64] = "";
        snprintf(expected, sizeof(expected), "{\"news\":%lld}\n", (long long)told);
        tell(server.waiting, told);
        event_base_loop(server.base, EVLOOP_NONBLOCK);
        if (recv(client, heard, sizeof(heard) - 1, 0) < 0)
            require_heard(&server, client, expected);
        else
            cr_assert(strcmp(heard, expected) == 0, "heard %s", heard);
    }
    server_stop(&server);
}

Test(control, does_nothing_for_a_command_with_a_key_that_it_does_not_know)
{
    struct server server;
    struct commands_target nothing = {0};
    struct commands *commands = commands_create(&nothing);
    struct control_listener listener = {
        .context = commands, .request = commands_request, .gone = commands_client_gone};
    server_start_with(&server, &listener);
    int client = client_connect(&server);
    say(client, "{\"command\":\"open\",\"from\":\"192.0.2.1\",\"deny\":true}\n");
    require_heard(&server, client,
        "{\"ok\":false,\"error\":\"usage\",\"message\":\"deny: no such key for this command\"}\n");
    say(client, "{\"command\":\"list\",\"all\":true}\n");
    require_heard(&server, client,
        "{\"ok\":false,\"error\":\"usage\",\"message\":\"all: no such key for this command\"}\n");
    server_stop(&server);
    commands_destroy(commands);
}

Test(control, says_what_is_wrong_with_a_line)
{
    struct server server;
    server_start(&server);
    int client = client_connect(&server);
    say(client, "[1]\n");
    require_heard(&server, client,
        "{\"ok\":false,\"error\":\"usage\",\"message\":\"not a JSON object: another type\"}\n");
    say(client, "{\"a\":\n");
    turns(&server);
    char heard[256] = "";
    cr_assert(recv(client, heard, sizeof(heard) - 1, 0) > 0);
    cr_assert(strstr(heard, "not a JSON object: "), "%s", heard);
    server_stop(&server);
}

Test(control, ends_a_client_whose_line_is_too_long)
{
    struct server server;
    char block[1024];
    server_start(&server);
    int client = client_connect(&server);
    memset(block, 'x', sizeof(block));
    for (unsigned i = 0; i < 3 * CONTROL_LINE_MAX / sizeof(block); i++) {
        (void)!send(client, block, sizeof(block), MSG_NOSIGNAL);
        turns(&server);
    }
    cr_assert(send(client, block, sizeof(block), MSG_NOSIGNAL) < 0 && errno == EPIPE);
    server_stop(&server);
}

Test(control, refuses_more_clients_than_it_has_room_for)
{
    struct server server;
    int clients[CONTROL_CLIENTS_MAX];
    server_start(&server);
    for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
        clients[i] = client_connect(&server);
    turns(&server);
    int more = client_connect(&server);
    require_heard(&server, more, "");
    say(clients[0], "{\"say\":1}\n");
    require_heard(&server, clients[0], "{\"echo\":1}\n");
    close(clients[0]);
    turns(&server);
    more = client_connect(&server);
    say(more, "{\"say\":2}\n");
    require_heard(&server, more, "{\"echo\":2}\n");
    server_stop(&server);
}

Test(control, is_for_its_owner_only_and_served_once)
{
    struct server server;
    struct stat what;
    server_start(&server);
    cr_assert(stat(server.path, &what) == 0 && (what.st_mode & 0777) == 0700);
    struct control_listener listener = {.context = &server};
    cr_assert(!control_create(server.base, server.path, &listener) && errno == EADDRINUSE);
    server_stop(&server);
}

Test(control, makes_the_folder_of_its_socket)
{
    struct server server = {0};
    struct stat what;
    struct control_listener listener = {.context = &server, .request = on_request, .gone = on_gone};
    char folder[40];
    snprintf(folder, sizeof(folder), "/tmp/natfwd-test-%d", (int)getpid());
    snprintf(server.path, sizeof(server.path), "%s/natfwd.sock", folder);
    server.base = event_base_new();
    server.control = control_create(server.base, server.path, &listener);
    cr_assert(server.control && stat(folder, &what) == 0 && (what.st_mode & 0777) == 0750);
    server_stop(&server);
    cr_assert(rmdir(folder) == 0);
}

Test(control, replaces_a_socket_that_nobody_serves)
{
    struct server server;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/natfwd-test-%d.sock", (int)getpid());
    int stale = socket(AF_UNIX, SOCK_STREAM, 0);
    cr_assert(bind(stale, (struct sockaddr *)&address, sizeof(address)) == 0);
    close(stale);
    server_start(&server);
    server_stop(&server);
}

/* Where the loop span, each of its turns would have the same client to accept. */
Test(control, pauses_when_descriptors_run_out_and_goes_on)
{
    struct server server;
    struct rlimit before, none;
    struct timeval soon = {.tv_usec = 300000};
    server_start(&server);
    int client = client_connect(&server);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)client; /* accept would need a higher number */
    setrlimit(RLIMIT_NOFILE, &none);
    event_base_loopexit(server.base, &soon);
    uint64_t turns_before = loop_counters().turns;
    loop_run(server.base);
    cr_assert_leq(loop_counters().turns - turns_before, 3);
    setrlimit(RLIMIT_NOFILE, &before);
    say(client, "{\"say\": 1}\n");
    char heard[64] = "";
    for (unsigned turn = 0; turn < 500 && recv(client, heard, sizeof(heard) - 1, 0) <= 0; turn++) {
        struct timeval wait = {.tv_usec = 10000};
        event_base_loopexit(server.base, &wait);
        event_base_dispatch(server.base);
    }
    cr_assert_str_eq(heard, "{\"echo\":1}\n");
    close(client);
    turns(&server);
    server_stop(&server);
}

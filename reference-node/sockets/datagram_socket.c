/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GIST's UDP socket; see datagram_socket.h. */
#include "reference-node/sockets/datagram_socket.h"

#include "reference-node/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DATAGRAM_MAX = 65535,
    CONTROL_SIZE = 512,
    DATAGRAMS_PER_TURN = 32, /* then others have their turn */
    RECEIVE_BUFFER = 4 << 20,
    C_FLAG_POSITION = 10, /* octet of the payload, after the magic number: RFC 5971 A.1 */
    C_FLAG = 0x80
};

struct datagram_socket {
    int descriptor;
    struct event *readable;
    struct policy_route *routes;
    struct datagram_listener listener;
    uint8_t payload[DATAGRAM_MAX];
};

/* A datagram with all that its ancillary data say. */
struct datagram {
    struct gist_arrival arrival;
    struct query_header header;
    size_t length;
};

static struct gist_endpoint endpoint_of(const struct sockaddr_in *address)
{
    return (struct gist_endpoint){.address = gist_address_v4(ntohl(address->sin_addr.s_addr)),
        .port = ntohs(address->sin_port)};
}

static void read_control(struct msghdr *message, struct datagram *datagram)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t length = part->cmsg_len - CMSG_LEN(0);
        const void *data = CMSG_DATA(part);
        struct sockaddr_in destination;
        struct in_pktinfo information;
        int number = 0;
        if (part->cmsg_level != IPPROTO_IP)
            continue;
        if (length >= sizeof(number))
            memcpy(&number, data, sizeof(number));
        if (part->cmsg_type == IP_ORIGDSTADDR && length >= sizeof(destination)) {
            memcpy(&destination, data, sizeof(destination));
            datagram->arrival.destination = endpoint_of(&destination);
        } else if (part->cmsg_type == IP_PKTINFO && length >= sizeof(information)) {
            memcpy(&information, data, sizeof(information));
            datagram->arrival.interface = (uint32_t)information.ipi_ifindex;
        } else if (part->cmsg_type == IP_TTL) {
            datagram->arrival.ip_ttl = (uint8_t)number;
        } else if (part->cmsg_type == IP_TOS && length >= 1) {
            memcpy(&datagram->header.type_of_service, data, 1);
        } else if (part->cmsg_type == IP_RECVOPTS && length <= QUERY_OPTIONS_MAX) {
            memcpy(datagram->header.options, data, length);
            datagram->header.options_length = length;
        }
    }
}

/* Q-mode: intercepted, or addressed to this node and readable without routing state. */
static bool is_q_mode(const struct datagram_socket *datagrams, const struct datagram *datagram)
{
    struct policy_route_answer answer;
    bool has_c_flag =
        datagram->length > C_FLAG_POSITION && (datagrams->payload[C_FLAG_POSITION] & C_FLAG) != 0;
    if (datagram->arrival.destination.port != GIST_PORT)
        return false;
    return has_c_flag ||
           !policy_route_lookup(
               datagrams->routes, &datagram->arrival.destination.address, &answer) ||
           !answer.is_local;
}

/* Returns false when there is nothing more to read. */
static bool receive(struct datagram_socket *datagrams, struct datagram *datagram)
{
    struct sockaddr_in source;
    _Alignas(struct cmsghdr) char control[CONTROL_SIZE];
    struct iovec into = {.iov_base = datagrams->payload, .iov_len = sizeof(datagrams->payload)};
    struct msghdr message = {.msg_name = &source,
        .msg_namelen = sizeof(source),
        .msg_iov = &into,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control)};
    ssize_t length = recvmsg(datagrams->descriptor, &message, 0);
    if (length < 0)
        return false;
    memset(datagram, 0, sizeof(*datagram));
    datagram->length = (size_t)length;
    datagram->arrival.source = endpoint_of(&source);
    read_control(&message, datagram);
    datagram->arrival.q_mode = is_q_mode(datagrams, datagram);
    return true;
}

static void on_readable(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct datagram_socket *datagrams = context;
    struct datagram datagram;
    for (unsigned i = 0; i < DATAGRAMS_PER_TURN; i++) {
        if (receive(datagrams, &datagram)) {
            datagrams->listener.received(datagrams->listener.context, &datagram.arrival,
                &datagram.header, datagrams->payload, datagram.length);
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            log_line(LOG_LEVEL_WARNING, "udp: receive: %s", strerror(errno));
        return;
    }
}

static bool set_options(int descriptor, bool intercepts)
{
    static const int wanted[] = {
        IP_RECVORIGDSTADDR, IP_PKTINFO, IP_RECVTTL, IP_RECVTOS, IP_RECVOPTS};
    int one = 1;
    int size = RECEIVE_BUFFER;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (setsockopt(descriptor, IPPROTO_IP, wanted[i], &one, sizeof(one)) < 0)
            return false;
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return !intercepts ||
           setsockopt(descriptor, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)) == 0;
}

struct datagram_socket *datagram_socket_create(struct event_base *base, uint16_t port,
    bool intercepts, struct policy_route *routes, const struct datagram_listener *listener)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct datagram_socket *datagrams = calloc(1, sizeof(*datagrams));
    if (!datagrams)
        return NULL;
    datagrams->routes = routes;
    datagrams->listener = *listener;
    datagrams->descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (datagrams->descriptor >= 0 && set_options(datagrams->descriptor, intercepts) &&
        bind(datagrams->descriptor, (struct sockaddr *)&any, sizeof(any)) == 0) {
        datagrams->readable =
            event_new(base, datagrams->descriptor, EV_READ | EV_PERSIST, on_readable, datagrams);
        if (datagrams->readable && event_add(datagrams->readable, NULL) == 0)
            return datagrams;
    }
    int error = errno;
    datagram_socket_destroy(datagrams);
    errno = error;
    return NULL;
}

void datagram_socket_destroy(struct datagram_socket *datagrams)
{
    if (!datagrams)
        return;
    if (datagrams->readable)
        event_free(datagrams->readable);
    if (datagrams->descriptor >= 0)
        close(datagrams->descriptor);
    free(datagrams);
}

bool datagram_socket_send(struct datagram_socket *datagrams, const struct gist_endpoint *peer,
    const uint8_t *payload, size_t length)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(peer->port)};
    if (peer->address.version != 4) {
        errno = EAFNOSUPPORT;
        return false;
    }
    memcpy(&to.sin_addr, peer->address.octets, 4);
    return sendto(datagrams->descriptor, payload, length, 0, (struct sockaddr *)&to, sizeof(to)) >=
           0;
}

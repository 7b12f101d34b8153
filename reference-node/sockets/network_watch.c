/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notifications of rtnetlink; see network_watch.h. */
#include "reference-node/sockets/network_watch.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    RECEIVE_SIZE = 1 << 15,
    RECEIVE_BUFFER = 1 << 20,
    RECEIVES_PER_TURN = 64 /* then others have their turn */
};

struct network_watch {
    struct mnl_socket *netlink;
    struct network_watch_listener listener;
    _Alignas(struct nlmsghdr) char octets[RECEIVE_SIZE];
};

static bool join(struct network_watch *watch)
{
    static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
        RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        int group = groups[i];
        if (mnl_socket_setsockopt(watch->netlink, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) <
            0)
            return false;
    }
    return true;
}

struct network_watch *network_watch_open(const struct network_watch_listener *listener)
{
    int size = RECEIVE_BUFFER;
    struct network_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    watch->listener = *listener;
    watch->netlink = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!watch->netlink || mnl_socket_bind(watch->netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
        !join(watch)) {
        int error = errno;
        network_watch_close(watch);
        errno = error;
        return NULL;
    }
    setsockopt(network_watch_descriptor(watch), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return watch;
}

void network_watch_close(struct network_watch *watch)
{
    if (!watch)
        return;
    if (watch->netlink)
        mnl_socket_close(watch->netlink);
    free(watch);
}

int network_watch_descriptor(const struct network_watch *watch)
{
    return mnl_socket_get_fd(watch->netlink);
}

/* IFA_LOCAL is the own one where the link leads to one peer, whose address is IFA_ADDRESS. */
static void hear_address(const struct network_watch *watch, const struct nlmsghdr *message)
{
    const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
    struct network_address told = {.prefix_bits = header->ifa_prefixlen,
        .interface = header->ifa_index,
        .is_there = message->nlmsg_type == RTM_NEWADDR,
        .is_permanent = header->ifa_flags & IFA_F_PERMANENT,
        .is_global = header->ifa_scope < RT_SCOPE_LINK};
    size_t length = header->ifa_family == AF_INET ? 4 : 16;
    struct nlattr *attribute;
    bool is_local = false;
    mnl_attr_for_each(attribute, message, sizeof(*header))
    {
        uint16_t type = mnl_attr_get_type(attribute);
        if ((type != IFA_LOCAL && (type != IFA_ADDRESS || is_local)) ||
            mnl_attr_get_payload_len(attribute) != length)
            continue;
        is_local = type == IFA_LOCAL;
        told.address.version = length == 4 ? 4 : 6;
        memcpy(told.address.octets, mnl_attr_get_payload(attribute), length);
    }
    watch->listener.address(watch->listener.context, &told);
}

static void hear_message(const struct network_watch *watch, const struct nlmsghdr *message,
    struct network_notices *notices)
{
    switch (message->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        notices->links++;
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        notices->addresses++;
        hear_address(watch, message);
        break;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
        notices->routes++;
        break;
    case RTM_NEWRULE:
    case RTM_DELRULE:
        notices->rules++;
        break;
    default:
        break;
    }
}

struct network_notices network_watch_hear(struct network_watch *watch)
{
    struct network_notices notices = {0};
    for (unsigned i = 0; i < RECEIVES_PER_TURN; i++) {
        ssize_t length = recv(
            network_watch_descriptor(watch), watch->octets, sizeof(watch->octets), MSG_DONTWAIT);
        if (length < 0 && errno == ENOBUFS)
            notices.were_lost = true;
        if (length < 0 && (errno == ENOBUFS || errno == EINTR))
            continue;
        if (length <= 0)
            break;
        const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)watch->octets;
        int left = (int)length;
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
            hear_message(watch, message, &notices);
        notices.were_lost |= left > 0; /* of a message too long for us */
    }
    return notices;
}

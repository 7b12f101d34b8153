/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Notifications of nf_tables; see nft_watch.h. */
#include "reference-node/netfilter/nft_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECEIVE_SIZE = 1 << 16, RECEIVE_BUFFER = 4 << 20 };

struct nft_watch {
    struct mnl_socket *netlink;
    char *table;
    uint32_t own_port;
    bool is_touched; /* by the transaction that is being told */
    _Alignas(struct nlmsghdr) char octets[RECEIVE_SIZE];
};

struct nft_watch *nft_watch_open(const char *table, uint32_t own_port)
{
    int group = NFNLGRP_NFTABLES, size = RECEIVE_BUFFER;
    struct nft_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return NULL;
    watch->own_port = own_port;
    watch->table = strdup(table);
    watch->netlink = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (!watch->table || !watch->netlink ||
        mnl_socket_bind(watch->netlink, 0, MNL_SOCKET_AUTOPID) < 0 ||
        mnl_socket_setsockopt(watch->netlink, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
        int error = errno;
        nft_watch_close(watch);
        errno = error;
        return NULL;
    }
    setsockopt(nft_watch_descriptor(watch), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return watch;
}

void nft_watch_close(struct nft_watch *watch)
{
    if (!watch)
        return;
    if (watch->netlink)
        mnl_socket_close(watch->netlink);
    free(watch->table);
    free(watch);
}

int nft_watch_descriptor(const struct nft_watch *watch)
{
    return mnl_socket_get_fd(watch->netlink);
}

static const char *string_of(const struct nlattr *attribute)
{
    return mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0 ? mnl_attr_get_str(attribute)
                                                                  : "";
}

/* The table is the first attribute of all that is told, but for a generation. */
static bool is_about(const struct nlmsghdr *message, const char *table)
{
    const struct nlattr *first = mnl_nlmsg_get_payload_offset(message, sizeof(struct nfgenmsg));
    return mnl_nlmsg_get_payload_len(message) >= sizeof(struct nfgenmsg) + sizeof(*first) &&
           mnl_attr_get_type(first) == NFTA_TABLE_NAME && strcmp(string_of(first), table) == 0;
}

static void read_generation(const struct nlmsghdr *message, struct nft_culprit *culprit)
{
    struct nlattr *attribute;
    *culprit = (struct nft_culprit){0};
    mnl_attr_for_each(attribute, message, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_GEN_PROC_PID)
            culprit->process = ntohl(mnl_attr_get_u32(attribute));
        if (mnl_attr_get_type(attribute) == NFTA_GEN_PROC_NAME)
            strncpy(culprit->name, string_of(attribute), sizeof(culprit->name) - 1);
    }
}

/* A transaction is told message by message, and then as a generation, all in the name of its
 * sender. Elements that end by themselves are not told. */
static bool hear_message(
    struct nft_watch *watch, const struct nlmsghdr *message, struct nft_culprit *culprit)
{
    if ((message->nlmsg_type & 0xff) != NFT_MSG_NEWGEN) {
        watch->is_touched |= is_about(message, watch->table);
        return false;
    }
    bool is_changed = watch->is_touched && message->nlmsg_pid != watch->own_port;
    watch->is_touched = false;
    if (is_changed)
        read_generation(message, culprit);
    return is_changed;
}

bool nft_watch_hear(struct nft_watch *watch, struct nft_culprit *culprit)
{
    bool is_changed = false;
    for (;;) {
        ssize_t length =
            recv(nft_watch_descriptor(watch), watch->octets, sizeof(watch->octets), MSG_DONTWAIT);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == ENOBUFS) {
            *culprit = (struct nft_culprit){0};
            is_changed = true;
            continue;
        }
        if (length <= 0)
            return is_changed;
        const struct nlmsghdr *message = (const struct nlmsghdr *)(const void *)watch->octets;
        for (int left = (int)length; mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left))
            is_changed |= hear_message(watch, message, culprit);
    }
}

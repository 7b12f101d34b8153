/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions and dumps over libmnl; see nft_socket.h. */
#include "reference-node/netfilter/nft_socket.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    RECEIVE_SIZE = 1 << 15,
    ANSWER_SIZE = 1536 /* what one answer takes of the receive buffer, at most */
};

_Static_assert(RECEIVE_SIZE >= ANSWER_SIZE, "a whole answer is received at once");

struct nft_socket {
    struct mnl_socket *netlink;
    uint32_t sequence;
    uint32_t first_sequence; /* of the transaction's messages */
    size_t answers_max;
    size_t size; /* octets of the buffer */
    size_t used;
    char *buffer; /* the transaction that is being built */
};

/* Outside the first user namespace the buffers keep their size. */
static void set_buffers(struct nft_socket *socket)
{
    int size = (int)(2 * socket->size);
    int descriptor = mnl_socket_get_fd(socket->netlink);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &(socklen_t){sizeof(size)});
    socket->answers_max = (size_t)size / ANSWER_SIZE;
}

struct nft_socket *nft_socket_open(size_t transaction_size)
{
    struct nft_socket *socket = calloc(1, sizeof(*socket));
    if (!socket)
        return NULL;
    socket->sequence = 1;
    socket->size = transaction_size;
    socket->buffer = malloc(transaction_size);
    socket->netlink = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!socket->buffer || !socket->netlink ||
        mnl_socket_bind(socket->netlink, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        nft_socket_close(socket);
        errno = error;
        return NULL;
    }
    set_buffers(socket);
    return socket;
}

void nft_socket_close(struct nft_socket *socket)
{
    if (!socket)
        return;
    if (socket->netlink)
        mnl_socket_close(socket->netlink);
    free(socket->buffer);
    free(socket);
}

int nft_socket_descriptor(const struct nft_socket *socket)
{
    return mnl_socket_get_fd(socket->netlink);
}

uint32_t nft_socket_port(const struct nft_socket *socket)
{
    return mnl_socket_get_portid(socket->netlink);
}

size_t nft_socket_answers_max(const struct nft_socket *socket)
{
    return socket->answers_max;
}

void nft_socket_begin(struct nft_socket *socket)
{
    socket->used = 0;
    nft_socket_add(socket, nftnl_batch_begin(socket->buffer, socket->sequence++));
    socket->first_sequence = socket->sequence;
}

struct nlmsghdr *nft_socket_next(struct nft_socket *socket, uint16_t type, uint16_t flags)
{
    if (socket->size - socket->used < (size_t)2 * NFT_MESSAGE_MAX) /* the last is for the end */
        return NULL;
    return nftnl_nlmsg_build_hdr(socket->buffer + socket->used, type, NFPROTO_INET,
        (uint16_t)(flags | NLM_F_ACK), socket->sequence++);
}

void nft_socket_add(struct nft_socket *socket, const struct nlmsghdr *header)
{
    socket->used += NLMSG_ALIGN(header->nlmsg_len);
}

struct answers {
    nft_answer *answer;
    void *context;
    uint32_t first;
    uint32_t end;
    size_t heard; /* of messages of the transaction */
    int error;    /* the first */
};

static void take_answer(struct answers *answers, const struct nlmsghdr *header)
{
    if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < mnl_nlmsg_size(sizeof(int)))
        return;
    const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
    if (answer->error != 0 && answers->error == 0)
        answers->error = -answer->error;
    if (header->nlmsg_seq < answers->first || header->nlmsg_seq >= answers->end)
        return;
    answers->heard++;
    if (answers->answer)
        answers->answer(answers->context, header->nlmsg_seq, -answer->error);
}

/* The kernel has queued every answer by the time that sending returns. What does not fit is lost,
 * which it tells once; what comes after is still read. */
static int read_answers(struct nft_socket *socket, struct answers *answers)
{
    _Alignas(struct nlmsghdr) char received[RECEIVE_SIZE];
    int lost = 0;
    for (;;) {
        ssize_t length =
            recv(mnl_socket_get_fd(socket->netlink), received, sizeof(received), MSG_DONTWAIT);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == ENOBUFS && lost == 0) {
            lost = ENOBUFS;
            continue;
        }
        if (length < 0)
            return errno == EAGAIN ? lost : errno;
        const struct nlmsghdr *header = (const struct nlmsghdr *)received;
        for (int left = (int)length; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left))
            take_answer(answers, header);
    }
}

int nft_socket_commit(struct nft_socket *socket, nft_answer *answer, void *context)
{
    struct answers answers = {.answer = answer,
        .context = context,
        .first = socket->first_sequence,
        .end = socket->sequence};
    nft_socket_add(socket, nftnl_batch_end(socket->buffer + socket->used, socket->sequence++));
    if (mnl_socket_sendto(socket->netlink, socket->buffer, socket->used) < 0)
        return errno;
    int error = read_answers(socket, &answers);
    if (error || answers.error)
        return error ? error : answers.error;
    return answers.heard == answers.end - answers.first ? 0 : EPROTO;
}

int nft_socket_ask(struct nft_socket *socket, uint16_t type, uint16_t flags,
    void (*fill)(struct nlmsghdr *header, const void *subject), const void *subject,
    mnl_cb_t on_message, void *context)
{
    _Alignas(struct nlmsghdr) char buffer[RECEIVE_SIZE];
    uint32_t sequence = socket->sequence++;
    bool is_dump = (flags & NLM_F_DUMP) != 0;
    struct nlmsghdr *header = nftnl_nlmsg_build_hdr(
        buffer, type, NFPROTO_INET, (uint16_t)(flags | (is_dump ? 0 : NLM_F_ACK)), sequence);
    if (fill)
        fill(header, subject);
    if (mnl_socket_sendto(socket->netlink, header, header->nlmsg_len) < 0)
        return errno;
    for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
        ssize_t length = mnl_socket_recvfrom(socket->netlink, buffer, sizeof(buffer));
        if (length < 0)
            return errno;
        more = mnl_cb_run(
            buffer, (size_t)length, sequence, nft_socket_port(socket), on_message, context);
        if (more < 0)
            return errno;
    }
    return 0;
}

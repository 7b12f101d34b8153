/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A netlink socket of nf_tables: transactions, which are in as a whole or not at all, and dumps.
 * All that works on one table shares one socket, for the kernel knows a table's owner by it.
 */
#ifndef NATFWD_NFT_SOCKET_H
#define NATFWD_NFT_SOCKET_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NFT_MESSAGE_MAX = 4096 }; /* octets of one message; the longest rule takes 700 */

struct nft_socket;

/* transaction_size is in octets. Returns NULL with errno set. */
struct nft_socket *nft_socket_open(size_t transaction_size);
void nft_socket_close(struct nft_socket *socket);

int nft_socket_descriptor(const struct nft_socket *socket);
uint32_t nft_socket_port(const struct nft_socket *socket);
/* How many messages' answers find room in the receive buffer. */
size_t nft_socket_answers_max(const struct nft_socket *socket);

/* Starts a transaction anew. */
void nft_socket_begin(struct nft_socket *socket);
/* The next message of the transaction, with a header only; NULL when there is no room for
 * NFT_MESSAGE_MAX octets. Its payload is appended, then nft_socket_add takes it. */
struct nlmsghdr *nft_socket_next(struct nft_socket *socket, uint16_t type, uint16_t flags);
void nft_socket_add(struct nft_socket *socket, const struct nlmsghdr *header);

/* What the kernel said of one message of the transaction: 0 or an errno value. */
typedef void nft_answer(void *context, uint32_t sequence, int error);

/* Sends the transaction and hands on the answers; answer may be NULL. Returns 0 where the kernel
 * has answered every message well, the first error that it gave, or what came between: ENOBUFS when
 * answers were lost, EPROTO when some never came. */
int nft_socket_commit(struct nft_socket *socket, nft_answer *answer, void *context);

/* Asks, and runs on_message for each message of the answer: with flags NLM_F_DUMP a whole list.
 * fill appends the payload of the request and may be NULL. Returns 0 or an errno value. */
int nft_socket_ask(struct nft_socket *socket, uint16_t type, uint16_t flags,
    void (*fill)(struct nlmsghdr *header, const void *subject), const void *subject,
    mnl_cb_t on_message, void *context);

#endif

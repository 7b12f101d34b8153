/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions of set elements through libnftnl and libmnl; see nft_batch.h. */
#include "reference-node/netfilter/nft_batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CHANGES_PER_TRANSACTION = 256,
    MESSAGE_SIZE_MAX = 512, /* octets; one element with key, timeouts and comment takes 220 */
    MESSAGES_PER_CHANGE = 3,
    BUFFER_SIZE = (CHANGES_PER_TRANSACTION * MESSAGES_PER_CHANGE + 2) * MESSAGE_SIZE_MAX,
    RECEIVE_SIZE = 8192,
    ANSWER_SIZE = 1536, /* what one answer takes of the receive buffer, at most */
    COMMENT_MAX = 64
};

_Static_assert(RECEIVE_SIZE >= ANSWER_SIZE, "a whole answer is received at once");

struct nft_batch {
    struct mnl_socket *socket;
    char *table;
    enum nft_refresh refresh;
    uint32_t sequence;
    char *buffer;       /* BUFFER_SIZE octets */
    size_t changes_max; /* of one transaction, so that its answers find room */
    size_t used;        /* octets of the transaction being built */
    struct {
        uint32_t first_sequence; /* of the change's messages */
        uint32_t last_sequence;
    } sent[CHANGES_PER_TRANSACTION];
};

/* Outside the first user namespace the buffers keep their size: then transactions are smaller. */
static void set_buffers(struct nft_batch *batch)
{
    int size = 2 * BUFFER_SIZE;
    int descriptor = mnl_socket_get_fd(batch->socket);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    getsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, &(socklen_t){sizeof(size)});
    size_t changes = (size_t)size / ANSWER_SIZE / MESSAGES_PER_CHANGE;
    batch->changes_max = changes < 1                         ? 1
                         : changes > CHANGES_PER_TRANSACTION ? CHANGES_PER_TRANSACTION
                                                             : changes;
}

struct nft_batch *nft_batch_create(const char *table, enum nft_refresh refresh)
{
    struct nft_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->refresh = refresh;
    batch->sequence = 1;
    batch->table = strdup(table);
    batch->buffer = malloc(BUFFER_SIZE);
    batch->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    if (!batch->table || !batch->buffer || !batch->socket ||
        mnl_socket_bind(batch->socket, 0, MNL_SOCKET_AUTOPID) < 0) {
        int error = errno;
        nft_batch_destroy(batch);
        errno = error;
        return NULL;
    }
    set_buffers(batch);
    return batch;
}

void nft_batch_destroy(struct nft_batch *batch)
{
    if (!batch)
        return;
    if (batch->socket)
        mnl_socket_close(batch->socket);
    free(batch->buffer);
    free(batch->table);
    free(batch);
}

enum nft_refresh nft_batch_refresh(const struct nft_batch *batch)
{
    return batch->refresh;
}

static void put_limit(struct nft_batch *batch, bool begin)
{
    char *at = batch->buffer + batch->used;
    struct nlmsghdr *header =
        begin ? nftnl_batch_begin(at, batch->sequence++) : nftnl_batch_end(at, batch->sequence++);
    batch->used += NLMSG_ALIGN(header->nlmsg_len);
}

static void set_comment(struct nftnl_set_elem *element, const char *comment)
{
    struct nftnl_udata_buf *data = nftnl_udata_buf_alloc(COMMENT_MAX + 8);
    if (!data)
        return;
    char bounded[COMMENT_MAX] = "";
    strncpy(bounded, comment, sizeof(bounded) - 1);
    if (nftnl_udata_put_strz(data, NFTNL_UDATA_SET_ELEM_COMMENT, bounded))
        nftnl_set_elem_set(element, NFTNL_SET_ELEM_USERDATA, nftnl_udata_buf_data(data),
            nftnl_udata_buf_len(data));
    nftnl_udata_buf_free(data);
}

/* An element alone in its set, as a message carries it; NULL without memory. */
static struct nftnl_set *set_of(const char *table, const struct nft_change *change, bool is_put)
{
    struct nftnl_set *set = nftnl_set_alloc();
    struct nftnl_set_elem *element = nftnl_set_elem_alloc();
    if (!set || !element || nftnl_set_set_str(set, NFTNL_SET_TABLE, table) < 0 ||
        nftnl_set_set_str(set, NFTNL_SET_NAME, change->set) < 0 ||
        nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, change->key, (uint32_t)change->key_length) <
            0) {
        nftnl_set_free(set);
        nftnl_set_elem_free(element);
        return NULL;
    }
    if (is_put) {
        uint64_t timeout_ms = change->timeout_ms > 0 ? change->timeout_ms : 1;
        nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_TIMEOUT, timeout_ms);
        /* Without it, the same timeout again would not start anew. */
        nftnl_set_elem_set_u64(element, NFTNL_SET_ELEM_EXPIRATION, timeout_ms);
        if (change->comment)
            set_comment(element, change->comment);
    }
    nftnl_set_elem_add(set, element);
    return set;
}

static bool put_element(struct nft_batch *batch, const struct nft_change *change, bool is_put)
{
    struct nftnl_set *set = set_of(batch->table, change, is_put);
    if (!set)
        return false;
    struct nlmsghdr *header = nftnl_nlmsg_build_hdr(batch->buffer + batch->used,
        is_put ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, NFPROTO_INET,
        (uint16_t)(NLM_F_ACK | (is_put ? NLM_F_CREATE : 0)), batch->sequence++);
    nftnl_set_elems_nlmsg_build_payload(header, set);
    batch->used += NLMSG_ALIGN(header->nlmsg_len);
    nftnl_set_free(set);
    return true;
}

/* Deleting what has just expired would fail: it is added first. */
static bool put_change(struct nft_batch *batch, const struct nft_change *change)
{
    if (change->kind == NFT_CHANGE_DELETE) {
        struct nft_change short_lived = *change;
        short_lived.timeout_ms = 1000;
        return put_element(batch, &short_lived, true) && put_element(batch, change, false);
    }
    if (batch->refresh == NFT_REFRESH_IN_PLACE)
        return put_element(batch, change, true);
    return put_element(batch, change, true) && put_element(batch, change, false) &&
           put_element(batch, change, true);
}

struct answers {
    struct nft_batch *batch;
    struct nft_change **changes;
    size_t count;
    size_t acknowledged; /* messages */
    int transaction_error;
};

static void note_answer(struct answers *answers, uint32_t sequence, int error)
{
    for (size_t i = 0; i < answers->count; i++) {
        if (sequence < answers->batch->sent[i].first_sequence ||
            sequence > answers->batch->sent[i].last_sequence)
            continue;
        answers->acknowledged++;
        if (error && !answers->changes[i]->error)
            answers->changes[i]->error = error;
        return;
    }
    if (error)
        answers->transaction_error = error;
}

static int on_answer(const struct nlmsghdr *header, void *context)
{
    if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < mnl_nlmsg_size(sizeof(int)))
        return MNL_CB_OK;
    const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
    note_answer(context, header->nlmsg_seq, -answer->error);
    return MNL_CB_OK;
}

/* The kernel has queued every answer by the time that sending returns. */
static int read_answers(struct answers *answers)
{
    char received[RECEIVE_SIZE];
    for (;;) {
        ssize_t length = recv(
            mnl_socket_get_fd(answers->batch->socket), received, sizeof(received), MSG_DONTWAIT);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno == EAGAIN ? 0 : errno;
        const struct nlmsghdr *header = (const struct nlmsghdr *)received;
        for (int left = (int)length; mnl_nlmsg_ok(header, left);
             header = mnl_nlmsg_next(header, &left))
            on_answer(header, answers);
    }
}

/* One attempt with changes that have no error so far. Returns 0 when all are in, EAGAIN when
 * changes at fault were found, or the error of the whole. */
static int try_transaction(struct nft_batch *batch, struct nft_change **changes, size_t count)
{
    batch->used = 0;
    put_limit(batch, true);
    uint32_t first = batch->sequence;
    for (size_t i = 0; i < count; i++) {
        batch->sent[i].first_sequence = batch->sequence;
        if (!put_change(batch, changes[i]))
            return ENOMEM;
        batch->sent[i].last_sequence = batch->sequence - 1;
    }
    size_t messages = batch->sequence - first;
    put_limit(batch, false);
    if (mnl_socket_sendto(batch->socket, batch->buffer, batch->used) < 0)
        return errno;
    struct answers answers = {.batch = batch, .changes = changes, .count = count};
    int error = read_answers(&answers);
    if (error)
        return error;
    for (size_t i = 0; i < count; i++)
        if (changes[i]->error)
            return EAGAIN;
    if (answers.transaction_error)
        return answers.transaction_error;
    return answers.acknowledged == messages ? 0 : EPROTO;
}

static size_t without_errors(struct nft_change **changes, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!changes[i]->error)
            changes[kept++] = changes[i];
    return kept;
}

static void commit_part(struct nft_batch *batch, struct nft_change **changes, size_t count)
{
    while (count > 0) {
        int error = try_transaction(batch, changes, count);
        if (!error)
            return;
        if (error != EAGAIN)
            for (size_t i = 0; i < count; i++)
                changes[i]->error = error;
        count = without_errors(changes, count);
    }
}

void nft_batch_commit(struct nft_batch *batch, struct nft_change *changes, size_t count)
{
    struct nft_change *part[CHANGES_PER_TRANSACTION];
    for (size_t done = 0; done < count;) {
        size_t taken = 0;
        for (; taken < batch->changes_max && done < count; taken++, done++) {
            changes[done].error = 0;
            part[taken] = &changes[done];
        }
        commit_part(batch, part, taken);
    }
}

static int find_expiration(const struct nlmsghdr *header, void *context)
{
    uint64_t *longest_ms = context;
    struct nftnl_set *set = nftnl_set_alloc();
    if (!set || nftnl_set_elems_nlmsg_parse(header, set) < 0) {
        nftnl_set_free(set);
        return MNL_CB_OK;
    }
    struct nftnl_set_elems_iter *iterator = nftnl_set_elems_iter_create(set);
    struct nftnl_set_elem *element;
    while (iterator && (element = nftnl_set_elems_iter_next(iterator))) {
        uint64_t left_ms = nftnl_set_elem_get_u64(element, NFTNL_SET_ELEM_EXPIRATION);
        if (left_ms > *longest_ms)
            *longest_ms = left_ms;
    }
    if (iterator)
        nftnl_set_elems_iter_destroy(iterator);
    nftnl_set_free(set);
    return MNL_CB_OK;
}

/* The longest time that any element of the set has left. */
static bool longest_expiration(struct nft_batch *batch, const char *set_name, uint64_t *longest_ms)
{
    char buffer[RECEIVE_SIZE];
    struct nftnl_set *set = nftnl_set_alloc();
    if (!set)
        return false;
    nftnl_set_set_str(set, NFTNL_SET_TABLE, batch->table);
    nftnl_set_set_str(set, NFTNL_SET_NAME, set_name);
    uint32_t sequence = batch->sequence++;
    struct nlmsghdr *header =
        nftnl_nlmsg_build_hdr(buffer, NFT_MSG_GETSETELEM, NFPROTO_INET, NLM_F_DUMP, sequence);
    nftnl_set_elems_nlmsg_build_payload(header, set);
    nftnl_set_free(set);
    if (mnl_socket_sendto(batch->socket, header, header->nlmsg_len) < 0)
        return false;
    *longest_ms = 0;
    for (int more = MNL_CB_OK; more > MNL_CB_STOP;) {
        ssize_t length = mnl_socket_recvfrom(batch->socket, buffer, sizeof(buffer));
        if (length < 0)
            return false;
        more = mnl_cb_run(buffer, (size_t)length, sequence, mnl_socket_get_portid(batch->socket),
            find_expiration, longest_ms);
        if (more < 0)
            return false;
    }
    return true;
}

bool nft_batch_probe_refresh(struct nft_batch *batch, const char *set, size_t key_length)
{
    enum { SHORT_MS = 60000, LONG_MS = 3600000, BETWEEN_MS = 600000 };
    struct nft_change probe = {
        .kind = NFT_CHANGE_PUT, .set = set, .key_length = key_length, .timeout_ms = SHORT_MS};
    uint64_t left_ms = 0;
    batch->refresh = NFT_REFRESH_IN_PLACE;
    nft_batch_commit(batch, &probe, 1);
    if (!probe.error) {
        probe.timeout_ms = LONG_MS;
        nft_batch_commit(batch, &probe, 1);
    }
    if (!probe.error && !longest_expiration(batch, set, &left_ms))
        probe.error = errno;
    if (left_ms < BETWEEN_MS)
        batch->refresh = NFT_REFRESH_REPLACE;
    int error = probe.error;
    probe.kind = NFT_CHANGE_DELETE;
    nft_batch_commit(batch, &probe, 1);
    errno = error ? error : probe.error;
    return errno == 0;
}

int nft_batch_delete_table(struct nft_batch *batch)
{
    struct nftnl_table *table = nftnl_table_alloc();
    if (!table)
        return ENOMEM;
    nftnl_table_set_str(table, NFTNL_TABLE_NAME, batch->table);
    batch->used = 0;
    put_limit(batch, true);
    struct nlmsghdr *header = nftnl_nlmsg_build_hdr(
        batch->buffer + batch->used, NFT_MSG_DELTABLE, NFPROTO_INET, NLM_F_ACK, batch->sequence++);
    nftnl_table_nlmsg_build_payload(header, table);
    batch->used += NLMSG_ALIGN(header->nlmsg_len);
    put_limit(batch, false);
    nftnl_table_free(table);
    if (mnl_socket_sendto(batch->socket, batch->buffer, batch->used) < 0)
        return errno;
    struct answers answers = {.batch = batch};
    int error = read_answers(&answers);
    return error ? error : answers.transaction_error;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Transactions of set elements through libnftnl and libmnl; see nft_batch.h. */
#include "reference-node/netfilter/nft_batch.h"

#include "reference-node/netfilter/nft_elements.h"
#include "reference-node/netfilter/nft_socket.h"

#include <errno.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANGES_PER_TRANSACTION = 256,
    MESSAGES_PER_CHANGE = 3,
    COMMENT_MAX = 64,
    MOMENT_MS = 2000 /* between a change and the question whether it is in */
};

_Static_assert(CHANGES_PER_TRANSACTION *MESSAGES_PER_CHANGE * 512 + 3 * NFT_MESSAGE_MAX <=
                   NFT_TRANSACTION_SIZE,
    "an element with key, timeouts and comment takes 220 octets");

struct nft_batch {
    struct nft_socket *socket;
    char *table;
    enum nft_refresh refresh;
    size_t changes_max;   /* of one transaction, so that its answers find room */
    struct nft_lead lead; /* without put: none */
    struct {
        uint32_t first_sequence; /* of the change's messages */
        uint32_t last_sequence;
    } sent[CHANGES_PER_TRANSACTION];
};

struct nft_batch *nft_batch_create(
    struct nft_socket *socket, const char *table, enum nft_refresh refresh)
{
    struct nft_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->socket = socket;
    batch->refresh = refresh;
    batch->table = strdup(table);
    if (!batch->table) {
        nft_batch_destroy(batch);
        errno = ENOMEM;
        return NULL;
    }
    size_t changes = nft_socket_answers_max(socket) / MESSAGES_PER_CHANGE;
    batch->changes_max = changes < 1                         ? 1
                         : changes > CHANGES_PER_TRANSACTION ? CHANGES_PER_TRANSACTION
                                                             : changes;
    return batch;
}

void nft_batch_destroy(struct nft_batch *batch)
{
    if (!batch)
        return;
    free(batch->table);
    free(batch);
}

enum nft_refresh nft_batch_refresh(const struct nft_batch *batch)
{
    return batch->refresh;
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

/* An element that takes the place of another goes on counting where that one was. */
static bool set_traffic(struct nftnl_set_elem *element, const struct nft_traffic *traffic)
{
    struct nftnl_expr *counter = nftnl_expr_alloc("counter");
    if (!counter)
        return false;
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_PACKETS, traffic->packets);
    nftnl_expr_set_u64(counter, NFTNL_EXPR_CTR_BYTES, traffic->octets);
    nftnl_set_elem_add_expr(element, counter);
    return true;
}

/* An element alone in its set, as a message carries it, with what it has counted unless that is
 * NULL; NULL without memory. */
static struct nftnl_set *set_of(const char *table, const struct nft_change *change, bool is_put,
    const struct nft_traffic *traffic)
{
    struct nftnl_set *set = nftnl_set_alloc();
    struct nftnl_set_elem *element = nftnl_set_elem_alloc();
    if (!set || !element || nftnl_set_set_str(set, NFTNL_SET_TABLE, table) < 0 ||
        nftnl_set_set_str(set, NFTNL_SET_NAME, change->set) < 0 ||
        nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, change->key, (uint32_t)change->key_length) <
            0 ||
        (traffic && !set_traffic(element, traffic))) {
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

static bool put_set(
    struct nft_batch *batch, uint16_t type, struct nftnl_set *set, uint32_t *sequence)
{
    struct nlmsghdr *header =
        set ? nft_socket_next(batch->socket, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0)
            : NULL;
    if (header) {
        nftnl_set_elems_nlmsg_build_payload(header, set);
        nft_socket_add(batch->socket, header);
        *sequence = header->nlmsg_seq;
    }
    nftnl_set_free(set);
    return header;
}

static bool put_element(struct nft_batch *batch, const struct nft_change *change,
    const struct nft_traffic *traffic, uint32_t *sequence)
{
    return put_set(
        batch, NFT_MSG_NEWSETELEM, set_of(batch->table, change, true, traffic), sequence);
}

static bool take_element(
    struct nft_batch *batch, const struct nft_change *change, uint32_t *sequence)
{
    return put_set(batch, NFT_MSG_DELSETELEM, set_of(batch->table, change, false, NULL), sequence);
}

struct standing {
    int64_t left_ms; /* -1: the element is not there */
    struct nft_traffic traffic;
};

static int note_counter(struct nftnl_expr *expression, void *context)
{
    struct nft_traffic *traffic = context;
    if (strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "counter") != 0)
        return 0;
    traffic->packets += nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_PACKETS);
    traffic->octets += nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_BYTES);
    return 0;
}

static bool note_element(void *context, struct nftnl_set_elem *element)
{
    struct standing *standing = context;
    standing->left_ms = (int64_t)nftnl_set_elem_get_u64(element, NFTNL_SET_ELEM_EXPIRATION);
    nftnl_set_elem_expr_foreach(element, note_counter, &standing->traffic);
    return true;
}

static int note_standing(const struct nlmsghdr *header, void *context)
{
    (void)nft_elements_visit(header, note_element, context);
    return MNL_CB_OK;
}

static void fill_elements(struct nlmsghdr *header, const void *subject)
{
    nftnl_set_elems_nlmsg_build_payload(header, (struct nftnl_set *)(uintptr_t)subject);
}

/* How the element stands in the kernel. Returns 0 or an errno value. */
static int ask_element(
    struct nft_batch *batch, const struct nft_change *change, struct standing *standing)
{
    struct nftnl_set *set = set_of(batch->table, change, false, NULL);
    *standing = (struct standing){.left_ms = -1};
    if (!set)
        return ENOMEM;
    int error = nft_socket_ask(
        batch->socket, NFT_MSG_GETSETELEM, 0, fill_elements, set, note_standing, standing);
    nftnl_set_free(set);
    return error == ENOENT ? 0 : error;
}

bool nft_batch_count(
    struct nft_batch *batch, const struct nft_change *element, struct nft_traffic *traffic)
{
    struct standing standing;
    if (ask_element(batch, element, &standing) != 0 || standing.left_ms < 0)
        return false;
    traffic->packets += standing.traffic.packets;
    traffic->octets += standing.traffic.octets;
    return true;
}

/* Deleting what has just expired would fail: it is added first. traffic is of what is replaced. */
static bool put_change(struct nft_batch *batch, const struct nft_change *change,
    const struct nft_traffic *traffic, size_t place)
{
    uint32_t *first = &batch->sent[place].first_sequence, *last = &batch->sent[place].last_sequence;
    if (change->kind == NFT_CHANGE_DELETE) {
        struct nft_change short_lived = *change;
        short_lived.timeout_ms = 1000;
        return put_element(batch, &short_lived, NULL, first) && take_element(batch, change, last);
    }
    if (!put_element(batch, change, batch->lead.put ? traffic : NULL, first))
        return false;
    *last = *first;
    return batch->refresh == NFT_REFRESH_IN_PLACE ||
           (take_element(batch, change, last) && put_element(batch, change, traffic, last));
}

struct attempt {
    struct nft_batch *batch;
    struct nft_change **changes;
    size_t count;
    bool found_fault; /* of one of the changes */
};

static void note_answer(void *context, uint32_t sequence, int error)
{
    struct attempt *attempt = context;
    for (size_t i = 0; error && i < attempt->count; i++) {
        if (sequence < attempt->batch->sent[i].first_sequence ||
            sequence > attempt->batch->sent[i].last_sequence)
            continue;
        attempt->found_fault = true;
        if (!attempt->changes[i]->error)
            attempt->changes[i]->error = error;
        return;
    }
}

/* Answers were lost: whether a change is in, the kernel's element tells. */
static void reconcile(struct nft_batch *batch, struct nft_change *change)
{
    struct standing standing;
    int error = ask_element(batch, change, &standing);
    int64_t left_ms = standing.left_ms;
    int64_t wanted_ms = change->kind == NFT_CHANGE_DELETE ? -1 : (int64_t)change->timeout_ms;
    bool is_in = change->kind == NFT_CHANGE_DELETE
                     ? left_ms < 0
                     : left_ms <= wanted_ms && left_ms >= wanted_ms - MOMENT_MS;
    change->error = error ? error : is_in ? 0 : ENOBUFS;
}

/* One attempt with changes that have no error so far. Returns 0 when each has its result, EAGAIN
 * when changes at fault were found, or the error of the whole. */
static int try_transaction(struct nft_batch *batch, struct nft_change **changes, size_t count)
{
    struct attempt attempt = {.batch = batch, .changes = changes, .count = count};
    struct standing standings[CHANGES_PER_TRANSACTION] = {0};
    bool replaces = batch->refresh == NFT_REFRESH_REPLACE || batch->lead.put;
    for (size_t i = 0; replaces && i < count; i++)
        if (changes[i]->kind == NFT_CHANGE_PUT)
            (void)ask_element(batch, changes[i], &standings[i]); /* none: it begins at 0 */
    nft_socket_begin(batch->socket);
    if (batch->lead.put && !batch->lead.put(batch->lead.context))
        return EMSGSIZE;
    for (size_t i = 0; i < count; i++)
        if (!put_change(batch, changes[i], &standings[i].traffic, i))
            return ENOMEM;
    int error = nft_socket_commit(batch->socket, note_answer, &attempt);
    if (attempt.found_fault)
        return EAGAIN;
    if (!error)
        batch->lead.put = NULL;
    if (error != ENOBUFS && error != EPROTO)
        return error;
    for (size_t i = 0; i < count; i++)
        reconcile(batch, changes[i]);
    return 0;
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

void nft_batch_lead(struct nft_batch *batch, const struct nft_lead *lead)
{
    batch->lead = *lead;
}

bool nft_batch_end_lead(struct nft_batch *batch)
{
    bool has_led = !batch->lead.put;
    batch->lead.put = NULL;
    return has_led;
}

bool nft_batch_probe_refresh(struct nft_batch *batch, const char *set, size_t key_length)
{
    enum { SHORT_MS = 60000, LONG_MS = 3600000, BETWEEN_MS = 600000 };
    struct nft_change probe = {
        .kind = NFT_CHANGE_PUT, .set = set, .key_length = key_length, .timeout_ms = SHORT_MS};
    struct standing standing = {0};
    batch->refresh = NFT_REFRESH_IN_PLACE;
    nft_batch_commit(batch, &probe, 1);
    if (!probe.error) {
        probe.timeout_ms = LONG_MS;
        nft_batch_commit(batch, &probe, 1);
    }
    if (!probe.error)
        probe.error = ask_element(batch, &probe, &standing);
    if (standing.left_ms < BETWEEN_MS)
        batch->refresh = NFT_REFRESH_REPLACE;
    int error = probe.error;
    probe.kind = NFT_CHANGE_DELETE;
    nft_batch_commit(batch, &probe, 1);
    errno = error ? error : probe.error;
    return errno == 0;
}

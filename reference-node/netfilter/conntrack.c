/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connection tracking entries deleted over netlink, a little each turn; see conntrack.h. */
#include "reference-node/netfilter/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGE_MAX = 4096, DUMP_MAX = 16384, WALK_ATTEMPTS_MAX = 3, DUMP_WITHIN_MS = 1000 };

/* Flows that wait for their turn, in order. */
struct flows {
    struct conntrack_flow *flows;
    size_t count;
    size_t capacity;
};

struct conntrack {
    struct mnl_socket *deleting;
    struct mnl_socket *walking;
    struct event *more_tuples;
    struct event *readable; /* what the kernel has dumped */
    struct flows tuples;
    struct flows open;   /* for the walks to come */
    struct flows walked; /* by the walk that is under way */
    unsigned attempts;   /* of that walk */
    uint32_t sequence;
    size_t entries_this_turn;
    struct conntrack_counters counters;
};

static bool add_flow(struct flows *flows, const struct conntrack_flow *flow)
{
    if (flows->count == CONNTRACK_WAITING_MAX) {
        errno = ENOBUFS;
        return false;
    }
    if (flows->count == flows->capacity) {
        size_t capacity = flows->capacity > 0 ? 2 * flows->capacity : 64;
        struct conntrack_flow *grown = realloc(flows->flows, capacity * sizeof(*grown));
        if (!grown)
            return false;
        flows->flows = grown;
        flows->capacity = capacity;
    }
    flows->flows[flows->count++] = *flow;
    return true;
}

static void drop_first(struct flows *flows, size_t count)
{
    flows->count -= count;
    memmove(flows->flows, flows->flows + count, flows->count * sizeof(*flows->flows));
    if (flows->count > 0)
        return;
    free(flows->flows);
    *flows = (struct flows){0};
}

static bool names_a_tuple(const struct gist_mri *flow)
{
    return flow->source_prefix == 32 && flow->has_protocol && flow->has_source_port &&
           flow->has_destination_port;
}

static uint32_t network_address(const struct gist_address *address)
{
    uint32_t octets;
    memcpy(&octets, address->octets, sizeof(octets));
    return octets;
}

static struct nlmsghdr *begin(char *message, uint16_t type, uint16_t flags, uint32_t sequence)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(message);
    header->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
    header->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    header->nlmsg_seq = sequence;
    struct nfgenmsg *family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
    family->nfgen_family = AF_INET;
    family->version = NFNETLINK_V0;
    return header;
}

/* Only errors are answered. */
static void delete_entry(struct conntrack *conntrack, const struct nf_conntrack *entry)
{
    char message[MESSAGE_MAX];
    struct nlmsghdr *header = begin(message, IPCTNL_MSG_CT_DELETE, 0, 0);
    if (nfct_nlmsg_build(header, entry) == 0 &&
        mnl_socket_sendto(conntrack->deleting, header, header->nlmsg_len) >= 0)
        conntrack->counters.deleted++;
    else
        conntrack->counters.failures++;
}

/* That an entry is not there is no failure. */
static void read_refusals(struct conntrack *conntrack)
{
    char answer[MESSAGE_MAX];
    ssize_t length;
    int descriptor = mnl_socket_get_fd(conntrack->deleting);
    while ((length = recv(descriptor, answer, sizeof(answer), MSG_DONTWAIT)) > 0)
        if (mnl_cb_run(answer, (size_t)length, 0, 0, NULL, NULL) < 0 && errno != ENOENT)
            conntrack->counters.failures++;
}

static void delete_tuple(struct conntrack *conntrack, const struct gist_mri *flow, uint16_t port)
{
    struct nf_conntrack *entry = nfct_new();
    if (!entry) {
        conntrack->counters.failures++;
        return;
    }
    nfct_set_attr_u8(entry, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(entry, ATTR_IPV4_SRC, network_address(&flow->source));
    nfct_set_attr_u32(entry, ATTR_IPV4_DST, network_address(&flow->destination));
    nfct_set_attr_u8(entry, ATTR_L4PROTO, flow->protocol);
    nfct_set_attr_u16(entry, ATTR_PORT_SRC, htons(flow->source_port));
    nfct_set_attr_u16(entry, ATTR_PORT_DST, htons(port));
    delete_entry(conntrack, entry);
    nfct_destroy(entry);
}

static void delete_tuples(struct conntrack *conntrack)
{
    size_t count = conntrack->tuples.count < CONNTRACK_TUPLES_PER_TURN ? conntrack->tuples.count
                                                                       : CONNTRACK_TUPLES_PER_TURN;
    for (size_t i = 0; i < count; i++) {
        const struct conntrack_flow *flow = &conntrack->tuples.flows[i];
        for (uint8_t port = 0; port < flow->ports; port++)
            delete_tuple(conntrack, &flow->flow, (uint16_t)(flow->flow.destination_port + port));
    }
    if (count > 0)
        drop_first(&conntrack->tuples, count);
    read_refusals(conntrack);
}

/* By the next turn: an event that is made active would have this one again. */
static void schedule_tuples(struct conntrack *conntrack)
{
    static const struct timeval at_once;
    if (conntrack->more_tuples && conntrack->tuples.count > 0)
        event_add(conntrack->more_tuples, &at_once);
}

static void on_more_tuples(evutil_socket_t descriptor, short what, void *context)
{
    (void)descriptor;
    (void)what;
    struct conntrack *conntrack = context;
    delete_tuples(conntrack);
    schedule_tuples(conntrack);
}

static bool is_of(const struct conntrack_flow *wanted, const struct nf_conntrack *entry)
{
    const struct gist_mri *flow = &wanted->flow;
    uint16_t port = ntohs(nfct_get_attr_u16(entry, ATTR_PORT_DST));
    if (nfct_get_attr_u32(entry, ATTR_IPV4_DST) != network_address(&flow->destination))
        return false;
    if (flow->source_prefix == 32 &&
        nfct_get_attr_u32(entry, ATTR_IPV4_SRC) != network_address(&flow->source))
        return false;
    if (flow->has_protocol && nfct_get_attr_u8(entry, ATTR_L4PROTO) != flow->protocol)
        return false;
    if (flow->has_source_port &&
        ntohs(nfct_get_attr_u16(entry, ATTR_PORT_SRC)) != flow->source_port)
        return false;
    return !flow->has_destination_port ||
           (port >= flow->destination_port && port - flow->destination_port < wanted->ports);
}

static void delete_if_wanted(struct conntrack *conntrack, const struct nf_conntrack *entry)
{
    for (size_t i = 0; i < conntrack->walked.count; i++) {
        struct nf_conntrack *tuple;
        if (!is_of(&conntrack->walked.flows[i], entry))
            continue;
        tuple = nfct_new();
        if (!tuple)
            return;
        nfct_copy(tuple, entry, NFCT_CP_ORIG);
        delete_entry(conntrack, tuple);
        nfct_destroy(tuple);
        return;
    }
}

static int look_at(const struct nlmsghdr *header, void *context)
{
    struct conntrack *conntrack = context;
    struct nf_conntrack *entry = nfct_new();
    conntrack->entries_this_turn++;
    conntrack->counters.entries++;
    if (entry && nfct_nlmsg_parse(header, entry) == 0)
        delete_if_wanted(conntrack, entry);
    if (entry)
        nfct_destroy(entry);
    return MNL_CB_OK;
}

static bool ask_for_dump(struct conntrack *conntrack)
{
    char message[MESSAGE_MAX];
    struct nlmsghdr *header = begin(message, IPCTNL_MSG_CT_GET, NLM_F_DUMP, ++conntrack->sequence);
    conntrack->attempts++;
    conntrack->counters.walks++;
    return mnl_socket_sendto(conntrack->walking, header, header->nlmsg_len) >= 0;
}

/* A walk is for those flows that were known when it began; the others have the next. */
static void walk_next(struct conntrack *conntrack)
{
    size_t count = conntrack->open.count < CONNTRACK_FLOWS_PER_WALK ? conntrack->open.count
                                                                    : CONNTRACK_FLOWS_PER_WALK;
    if (conntrack->walked.count > 0)
        drop_first(&conntrack->walked, conntrack->walked.count);
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (!add_flow(&conntrack->walked, &conntrack->open.flows[i]))
            conntrack->counters.failures++;
    drop_first(&conntrack->open, count);
    conntrack->attempts = 0;
    if (!ask_for_dump(conntrack))
        conntrack->counters.failures++;
}

/* What is left of a dump that went wrong must not be taken for the next one's: that has another
 * sequence number. */
static void walk_again(struct conntrack *conntrack)
{
    if (conntrack->attempts < WALK_ATTEMPTS_MAX && ask_for_dump(conntrack))
        return;
    conntrack->counters.failures++;
    walk_next(conntrack);
}

static void note_turn(struct conntrack *conntrack)
{
    if (conntrack->entries_this_turn > conntrack->counters.entries_per_turn_max)
        conntrack->counters.entries_per_turn_max = conntrack->entries_this_turn;
    conntrack->entries_this_turn = 0;
    read_refusals(conntrack);
}

static void on_readable(evutil_socket_t descriptor, short what, void *context)
{
    (void)what;
    struct conntrack *conntrack = context;
    char dump[DUMP_MAX];
    while (conntrack->entries_this_turn < CONNTRACK_ENTRIES_PER_TURN) {
        ssize_t length = recv(descriptor, dump, sizeof(dump), MSG_DONTWAIT);
        if (length < 0 && errno == EAGAIN)
            break;
        int result = length < 0 ? MNL_CB_ERROR
                                : mnl_cb_run(dump, (size_t)length, conntrack->sequence,
                                      mnl_socket_get_portid(conntrack->walking), look_at, context);
        if (length < 0 || (result < 0 && errno != EPROTO))
            walk_again(conntrack);
        else if (result == MNL_CB_STOP)
            walk_next(conntrack);
    }
    note_turn(conntrack);
}

static struct mnl_socket *open_socket(void)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) == 0)
        return socket;
    mnl_socket_close(socket);
    return NULL;
}

struct conntrack *conntrack_create(void)
{
    struct conntrack *conntrack = calloc(1, sizeof(*conntrack));
    if (!conntrack)
        return NULL;
    conntrack->deleting = open_socket();
    conntrack->walking = open_socket();
    if (conntrack->deleting && conntrack->walking)
        return conntrack;
    int error = errno;
    conntrack_destroy(conntrack);
    errno = error;
    return NULL;
}

bool conntrack_attach(struct conntrack *conntrack, struct event_base *base)
{
    conntrack->more_tuples = evtimer_new(base, on_more_tuples, conntrack);
    conntrack->readable = event_new(
        base, mnl_socket_get_fd(conntrack->walking), EV_READ | EV_PERSIST, on_readable, conntrack);
    return conntrack->more_tuples && conntrack->readable &&
           event_add(conntrack->readable, NULL) == 0;
}

void conntrack_destroy(struct conntrack *conntrack)
{
    if (!conntrack)
        return;
    if (conntrack->more_tuples)
        event_free(conntrack->more_tuples);
    if (conntrack->readable)
        event_free(conntrack->readable);
    if (conntrack->deleting)
        mnl_socket_close(conntrack->deleting);
    if (conntrack->walking)
        mnl_socket_close(conntrack->walking);
    free(conntrack->tuples.flows);
    free(conntrack->open.flows);
    free(conntrack->walked.flows);
    free(conntrack);
}

static void work_without_loop(struct conntrack *conntrack)
{
    struct pollfd dump = {.fd = mnl_socket_get_fd(conntrack->walking), .events = POLLIN};
    while (conntrack->tuples.count > 0)
        delete_tuples(conntrack);
    while (conntrack->walked.count > 0 && poll(&dump, 1, DUMP_WITHIN_MS) == 1)
        on_readable(dump.fd, EV_READ, conntrack);
}

bool conntrack_forget(struct conntrack *conntrack, const struct conntrack_flow *flows, size_t count)
{
    bool kept = true;
    for (size_t i = 0; i < count; i++)
        kept &= add_flow(
            names_a_tuple(&flows[i].flow) ? &conntrack->tuples : &conntrack->open, &flows[i]);
    schedule_tuples(conntrack);
    if (conntrack->walked.count == 0)
        walk_next(conntrack);
    if (!conntrack->readable)
        work_without_loop(conntrack);
    return kept;
}

struct conntrack_counters conntrack_counters(const struct conntrack *conntrack)
{
    struct conntrack_counters counters = conntrack->counters;
    counters.waiting = conntrack->tuples.count + conntrack->open.count + conntrack->walked.count;
    return counters;
}

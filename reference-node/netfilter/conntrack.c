/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Deletion of connection tracking entries through libnetfilter_conntrack; see conntrack.h. */
#include "reference-node/netfilter/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdlib.h>
#include <string.h>

struct conntrack {
    struct nfct_handle *deleting;
    struct nfct_handle *walking;
};

struct walk {
    struct conntrack *conntrack;
    const struct conntrack_flow *flows;
    size_t count;
};

struct conntrack *conntrack_create(void)
{
    struct conntrack *conntrack = calloc(1, sizeof(*conntrack));
    if (!conntrack)
        return NULL;
    conntrack->deleting = nfct_open(CONNTRACK, 0);
    conntrack->walking = nfct_open(CONNTRACK, 0);
    if (!conntrack->deleting || !conntrack->walking) {
        int error = errno;
        conntrack_destroy(conntrack);
        errno = error;
        return NULL;
    }
    return conntrack;
}

void conntrack_destroy(struct conntrack *conntrack)
{
    if (!conntrack)
        return;
    if (conntrack->deleting)
        nfct_close(conntrack->deleting);
    if (conntrack->walking)
        nfct_close(conntrack->walking);
    free(conntrack);
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

static bool delete_tuple(struct conntrack *conntrack, const struct gist_mri *flow, uint16_t port)
{
    struct nf_conntrack *entry = nfct_new();
    if (!entry)
        return false;
    nfct_set_attr_u8(entry, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u32(entry, ATTR_IPV4_SRC, network_address(&flow->source));
    nfct_set_attr_u32(entry, ATTR_IPV4_DST, network_address(&flow->destination));
    nfct_set_attr_u8(entry, ATTR_L4PROTO, flow->protocol);
    nfct_set_attr_u16(entry, ATTR_PORT_SRC, htons(flow->source_port));
    nfct_set_attr_u16(entry, ATTR_PORT_DST, htons(port));
    int result = nfct_query(conntrack->deleting, NFCT_Q_DESTROY, entry);
    nfct_destroy(entry);
    return result == 0 || errno == ENOENT;
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

static int delete_if_of(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *context)
{
    (void)type;
    const struct walk *walk = context;
    for (size_t i = 0; i < walk->count; i++) {
        if (names_a_tuple(&walk->flows[i].flow) || !is_of(&walk->flows[i], entry))
            continue;
        nfct_query(walk->conntrack->deleting, NFCT_Q_DESTROY, entry);
        break;
    }
    return NFCT_CB_CONTINUE;
}

bool conntrack_forget(struct conntrack *conntrack, const struct conntrack_flow *flows, size_t count)
{
    bool needs_walk = false;
    bool right = true;
    for (size_t i = 0; i < count; i++) {
        if (!names_a_tuple(&flows[i].flow)) {
            needs_walk = true;
            continue;
        }
        for (uint8_t port = 0; port < flows[i].ports; port++)
            right &= delete_tuple(
                conntrack, &flows[i].flow, (uint16_t)(flows[i].flow.destination_port + port));
    }
    if (needs_walk) {
        struct walk walk = {.conntrack = conntrack, .flows = flows, .count = count};
        uint32_t family = AF_INET;
        nfct_callback_register(conntrack->walking, NFCT_T_ALL, delete_if_of, &walk);
        right &= nfct_query(conntrack->walking, NFCT_Q_DUMP, &family) == 0;
        nfct_callback_unregister(conntrack->walking);
    }
    return right;
}

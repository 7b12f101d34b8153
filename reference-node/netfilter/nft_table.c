/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Putting, taking over and deleting our table; see nft_table.h. */
#include "reference-node/netfilter/nft_table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_OWNER = 1 << 1, TABLE_PERSIST = 1 << 2 }; /* the latter since Linux 6.9 */

enum standing {
    STANDING_NONE,      /* there is no table */
    STANDING_ANYBODY,   /* without owner */
    STANDING_OWNERLESS, /* kept for whoever takes it over */
    STANDING_OURS,
    STANDING_ANOTHERS
};

struct nft_table {
    struct nft_socket *socket;
    char *name;
    enum config_ownership ownership;
    bool is_owned;
};

struct nft_table *nft_table_create(
    struct nft_socket *socket, const char *name, enum config_ownership ownership)
{
    struct nft_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->socket = socket;
    table->ownership = ownership;
    table->name = strdup(name);
    if (table->name)
        return table;
    nft_table_destroy(table);
    return NULL;
}

void nft_table_destroy(struct nft_table *table)
{
    if (!table)
        return;
    free(table->name);
    free(table);
}

bool nft_table_is_owned(const struct nft_table *table)
{
    return table->is_owned;
}

static void fill_name(struct nlmsghdr *header, const void *subject)
{
    const struct nft_table *table = subject;
    mnl_attr_put_strz(header, NFTA_TABLE_NAME, table->name);
}

struct table_state {
    uint32_t flags;
    uint32_t owner; /* a netlink port; 0: none */
};

static int read_state(const struct nlmsghdr *header, void *context)
{
    struct table_state *state = context;
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, header, sizeof(struct nfgenmsg))
    {
        if (mnl_attr_get_type(attribute) == NFTA_TABLE_FLAGS)
            state->flags = ntohl(mnl_attr_get_u32(attribute));
        if (mnl_attr_get_type(attribute) == NFTA_TABLE_OWNER)
            state->owner = ntohl(mnl_attr_get_u32(attribute));
    }
    return MNL_CB_OK;
}

/* Returns 0 or an errno value. */
static int find_standing(struct nft_table *table, enum standing *standing)
{
    struct table_state state = {0};
    int error =
        nft_socket_ask(table->socket, NFT_MSG_GETTABLE, 0, fill_name, table, read_state, &state);
    *standing = STANDING_NONE;
    if (error)
        return error == ENOENT ? 0 : error;
    if (state.flags & TABLE_OWNER)
        *standing =
            state.owner == nft_socket_port(table->socket) ? STANDING_OURS : STANDING_ANOTHERS;
    else
        *standing = state.flags & TABLE_PERSIST ? STANDING_OWNERLESS : STANDING_ANYBODY;
    return 0;
}

/* A message about the table alone. False when the transaction is full. */
static bool put_table(struct nft_table *table, uint16_t type, bool is_owned)
{
    struct nlmsghdr *header =
        nft_socket_next(table->socket, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0);
    if (!header)
        return false;
    mnl_attr_put_strz(header, NFTA_TABLE_NAME, table->name);
    if (type == NFT_MSG_NEWTABLE)
        mnl_attr_put_u32(
            header, NFTA_TABLE_FLAGS, htonl(is_owned ? TABLE_OWNER | TABLE_PERSIST : 0));
    nft_socket_add(table->socket, header);
    return true;
}

static bool put_deletion(
    struct nft_table *table, uint16_t type, uint16_t attribute, const char *name)
{
    struct nlmsghdr *header = nft_socket_next(table->socket, type, 0);
    if (!header)
        return false;
    mnl_attr_put_strz(header, NFTA_TABLE_NAME, table->name);
    if (name)
        mnl_attr_put_strz(header, attribute, name);
    nft_socket_add(table->socket, header);
    return true;
}

/* All rules and chains go, and the sets that nothing will look up; the others stay as they are. */
static bool put_clearance(
    struct nft_table *table, const struct nft_ruleset *there, const struct nft_ruleset *wanted)
{
    if (!put_deletion(table, NFT_MSG_DELRULE, 0, NULL))
        return false;
    for (const struct nlmsghdr *message = nft_ruleset_next(there, NULL); message;
         message = nft_ruleset_next(there, message)) {
        const char *chain = nft_ruleset_chain(message), *set = nft_ruleset_set(message);
        if (chain && !put_deletion(table, NFT_MSG_DELCHAIN, NFTA_CHAIN_NAME, chain))
            return false;
        if (set && !nft_ruleset_find_set(wanted, set) &&
            !put_deletion(table, NFT_MSG_DELSET, NFTA_SET_NAME, set))
            return false;
    }
    return true;
}

static bool put_ruleset(
    struct nft_table *table, const struct nft_ruleset *ruleset, bool with_named_sets)
{
    for (const struct nlmsghdr *message = nft_ruleset_next(ruleset, NULL); message;
         message = nft_ruleset_next(ruleset, message)) {
        if (!with_named_sets && nft_ruleset_set(message))
            continue;
        struct nlmsghdr *header =
            nft_socket_next(table->socket, message->nlmsg_type & 0xff, message->nlmsg_flags);
        if (!header)
            return false;
        uint32_t sequence = header->nlmsg_seq;
        uint16_t flags = header->nlmsg_flags;
        memcpy(header, message, message->nlmsg_len);
        header->nlmsg_seq = sequence;
        header->nlmsg_flags = flags;
        nft_socket_add(table->socket, header);
    }
    return true;
}

/* One transaction. Returns 0 or an errno value. */
static int put_whole(struct nft_table *table, const struct nft_ruleset *there,
    const struct nft_ruleset *wanted, enum standing standing, bool keep, bool is_owned)
{
    bool fits = true;
    nft_socket_begin(table->socket);
    if (keep) {
        fits = put_clearance(table, there, wanted);
    } else {
        if (standing != STANDING_NONE)
            fits = put_table(table, NFT_MSG_DELTABLE, false);
        fits = fits && put_table(table, NFT_MSG_NEWTABLE, is_owned);
    }
    if (!fits || !put_ruleset(table, wanted, !keep))
        return EMSGSIZE;
    return nft_socket_commit(table->socket, NULL, NULL);
}

/* A transaction of its own: the kernel adds no base chain to a table whose owner is changing. */
static int take_over(struct nft_table *table)
{
    nft_socket_begin(table->socket);
    return put_table(table, NFT_MSG_NEWTABLE, true) ? nft_socket_commit(table->socket, NULL, NULL)
                                                    : EMSGSIZE;
}

static int put_as(struct nft_table *table, const struct nft_ruleset *wanted, bool is_owned,
    bool may_empty, bool *keep)
{
    enum standing standing;
    struct nft_ruleset there = {0};
    int error = find_standing(table, &standing);
    if (!error && standing == STANDING_ANOTHERS)
        error = EPERM;
    if (!error && standing == STANDING_OWNERLESS && is_owned)
        error = take_over(table);
    if (!error && standing != STANDING_NONE)
        error = nft_ruleset_read(table->socket, table->name, table->name, &there);
    if (error && error != ENOENT)
        return error;
    bool was_owned = standing == STANDING_OWNERLESS || standing == STANDING_OURS;
    *keep = standing != STANDING_NONE && was_owned == is_owned &&
            nft_ruleset_keeps_sets(&there, wanted);
    error = *keep || may_empty ? put_whole(table, &there, wanted, standing, *keep, is_owned)
                               : ENOTEMPTY;
    nft_ruleset_free(&there);
    if (!error)
        table->is_owned = is_owned;
    return error;
}

/* What a kernel says that knows no table which outlives its owner. */
static bool is_refusal_of_flags(int error)
{
    return error == EINVAL || error == EOPNOTSUPP;
}

static enum nft_put put(struct nft_table *table, const struct nft_ruleset *ruleset, bool may_empty)
{
    bool keep = false;
    int error = put_as(table, ruleset, table->ownership != CONFIG_UNOWNED, may_empty, &keep);
    if (is_refusal_of_flags(error) && table->ownership == CONFIG_OWNED_AUTO)
        error = put_as(table, ruleset, false, may_empty, &keep);
    errno = error;
    return error ? NFT_PUT_FAILED : keep ? NFT_PUT_KEEPING : NFT_PUT_ANEW;
}

enum nft_put nft_table_put(struct nft_table *table, const struct nft_ruleset *ruleset)
{
    return put(table, ruleset, true);
}

bool nft_table_put_keeping(struct nft_table *table, const struct nft_ruleset *ruleset)
{
    return put(table, ruleset, false) == NFT_PUT_KEEPING;
}

bool nft_table_write(struct nft_table *table, const struct nft_ruleset *ruleset)
{
    /* What is made first can be deleted, whether it was there or not. */
    return put_table(table, NFT_MSG_NEWTABLE, table->is_owned) &&
           put_table(table, NFT_MSG_DELTABLE, false) &&
           put_table(table, NFT_MSG_NEWTABLE, table->is_owned) && put_ruleset(table, ruleset, true);
}

int nft_table_delete(struct nft_table *table)
{
    enum standing standing;
    int error = find_standing(table, &standing);
    if (error || standing == STANDING_NONE)
        return error ? error : ENOENT;
    if (standing == STANDING_ANOTHERS)
        return EPERM;
    nft_socket_begin(table->socket);
    if (!put_table(table, NFT_MSG_DELTABLE, false))
        return EMSGSIZE;
    return nft_socket_commit(table->socket, NULL, NULL);
}

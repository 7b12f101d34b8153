/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads a table from the kernel as messages that would make it again; see nft_ruleset.h. */
#include "reference-node/netfilter/nft_ruleset.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/common.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#define KEPT(attribute) (UINT32_C(1) << (attribute))

/* What is listed and how it is made again. The kernel's own numbering, handles and use counts, is
 * left out: a handle would name what is there. */
static const struct kind {
    uint16_t get;
    uint16_t made_by;
    uint16_t flags;
    uint32_t kept; /* attributes, by KEPT */
} kinds[] = {
    {NFT_MSG_GETSET, NFT_MSG_NEWSET, NLM_F_CREATE,
        KEPT(NFTA_SET_NAME) | KEPT(NFTA_SET_FLAGS) | KEPT(NFTA_SET_KEY_TYPE) |
            KEPT(NFTA_SET_KEY_LEN) | KEPT(NFTA_SET_POLICY) | KEPT(NFTA_SET_DESC) |
            KEPT(NFTA_SET_TIMEOUT) | KEPT(NFTA_SET_USERDATA) | KEPT(NFTA_SET_EXPR)},
    {NFT_MSG_GETCHAIN, NFT_MSG_NEWCHAIN, NLM_F_CREATE,
        KEPT(NFTA_CHAIN_NAME) | KEPT(NFTA_CHAIN_HOOK) | KEPT(NFTA_CHAIN_POLICY) |
            KEPT(NFTA_CHAIN_TYPE) | KEPT(NFTA_CHAIN_USERDATA)},
    {NFT_MSG_GETRULE, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
        KEPT(NFTA_RULE_CHAIN) | KEPT(NFTA_RULE_EXPRESSIONS) | KEPT(NFTA_RULE_USERDATA)},
};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]), RULESET_MAX = 1 << 20, ROOM_FOR_SET_ID = 8 };

enum { TABLE_NAME = NFTA_SET_TABLE }; /* the first attribute of each kind */
_Static_assert((int)NFTA_CHAIN_TABLE == TABLE_NAME && (int)NFTA_RULE_TABLE == TABLE_NAME &&
                   (int)NFTA_SET_ELEM_LIST_TABLE == TABLE_NAME,
    "one name serves all");

struct reading {
    struct nft_ruleset *ruleset;
    const struct kind *kind;
    const char *table;
    const char *made_as;
    uint32_t sets; /* so far, which names them within a transaction */
};

static const struct nlattr *find_attribute(const struct nlmsghdr *message, uint16_t type)
{
    struct nlattr *attribute;
    mnl_attr_for_each(attribute, message,
        sizeof(struct nfgenmsg)) if (mnl_attr_get_type(attribute) == type) return attribute;
    return NULL;
}

static bool copy_attributes(
    const struct reading *reading, struct nlmsghdr *to, const struct nlmsghdr *from, uint32_t kept)
{
    struct nlattr *attribute;
    mnl_attr_put_strz(to, TABLE_NAME, reading->made_as);
    mnl_attr_for_each(attribute, from, sizeof(struct nfgenmsg))
    {
        uint16_t type = mnl_attr_get_type(attribute);
        size_t length = MNL_ALIGN(attribute->nla_len);
        if (type > 31 || !(kept & KEPT(type)))
            continue;
        if (to->nlmsg_len + length > NFT_MESSAGE_MAX - ROOM_FOR_SET_ID)
            return false;
        memcpy((char *)to + to->nlmsg_len, attribute, attribute->nla_len);
        to->nlmsg_len += (uint32_t)length;
    }
    return true;
}

static bool append(struct nft_ruleset *ruleset, const struct nlmsghdr *message)
{
    size_t length = NLMSG_ALIGN(message->nlmsg_len);
    if (ruleset->length + length > RULESET_MAX)
        return false;
    uint8_t *grown = realloc(ruleset->messages, ruleset->length + length);
    if (!grown)
        return false;
    memcpy(grown + ruleset->length, message, length);
    ruleset->messages = grown;
    ruleset->length += length;
    return true;
}

static int fail(int error)
{
    errno = error;
    return MNL_CB_ERROR;
}

static int take(const struct nlmsghdr *listed, void *context)
{
    struct reading *reading = context;
    _Alignas(struct nlmsghdr) char buffer[NFT_MESSAGE_MAX] = {0};
    const struct nlattr *table = find_attribute(listed, TABLE_NAME);
    if (!table || strcmp(mnl_attr_get_str(table), reading->table) != 0)
        return MNL_CB_OK;
    struct nlmsghdr *message = nftnl_nlmsg_build_hdr(
        buffer, reading->kind->made_by, NFPROTO_INET, reading->kind->flags, 0);
    if (!copy_attributes(reading, message, listed, reading->kind->kept))
        return fail(EMSGSIZE);
    if (reading->kind->get == NFT_MSG_GETSET)
        mnl_attr_put_u32(message, NFTA_SET_ID, htonl(++reading->sets));
    return append(reading->ruleset, message) ? MNL_CB_OK : fail(ENOMEM);
}

static bool is_constant(const struct nlmsghdr *set)
{
    const struct nlattr *flags = find_attribute(set, NFTA_SET_FLAGS);
    return flags && (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_CONSTANT);
}

struct set_name {
    const char *table;
    const struct nlmsghdr *set;
};

static void fill_set_name(struct nlmsghdr *header, const void *subject)
{
    const struct set_name *name = subject;
    mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, name->table);
    mnl_attr_put_strz(
        header, NFTA_SET_ELEM_LIST_SET, mnl_attr_get_str(find_attribute(name->set, NFTA_SET_NAME)));
}

static int take_elements(const struct nlmsghdr *listed, void *context)
{
    struct reading *reading = context;
    _Alignas(struct nlmsghdr) char buffer[NFT_MESSAGE_MAX] = {0};
    struct nlmsghdr *message =
        nftnl_nlmsg_build_hdr(buffer, NFT_MSG_NEWSETELEM, NFPROTO_INET, NLM_F_CREATE, 0);
    uint32_t kept = KEPT(NFTA_SET_ELEM_LIST_SET) | KEPT(NFTA_SET_ELEM_LIST_ELEMENTS);
    if (!copy_attributes(reading, message, listed, kept))
        return fail(EMSGSIZE);
    return append(reading->ruleset, message) ? MNL_CB_OK : fail(ENOMEM);
}

/* The elements of sets that no one changes, a list of interfaces for one, are part of the rules. */
static int read_constants(struct nft_socket *socket, struct reading *reading, size_t sets_length)
{
    for (size_t at = 0; at < sets_length;) {
        _Alignas(struct nlmsghdr) char
            set[NFT_MESSAGE_MAX]; /* a copy, for reading may move the messages */
        const struct nlmsghdr *message =
            (const struct nlmsghdr *)(const void *)(reading->ruleset->messages + at);
        size_t length = NLMSG_ALIGN(message->nlmsg_len);
        memcpy(set, message, length);
        at += length;
        struct set_name name = {
            .table = reading->table, .set = (const struct nlmsghdr *)(const void *)set};
        if (!is_constant(name.set))
            continue;
        int error = nft_socket_ask(
            socket, NFT_MSG_GETSETELEM, NLM_F_DUMP, fill_set_name, &name, take_elements, reading);
        if (error)
            return error;
    }
    return 0;
}

static void fill_table(struct nlmsghdr *header, const void *table)
{
    mnl_attr_put_strz(header, TABLE_NAME, table);
}

static int read_once(struct nft_socket *socket, struct reading *reading)
{
    for (size_t i = 0; i < KIND_COUNT; i++) {
        reading->kind = &kinds[i];
        int error = nft_socket_ask(
            socket, kinds[i].get, NLM_F_DUMP, fill_table, reading->table, take, reading);
        if (!error && kinds[i].get == NFT_MSG_GETSET)
            error = read_constants(socket, reading, reading->ruleset->length);
        if (error)
            return error;
    }
    return 0;
}

int nft_ruleset_read(
    struct nft_socket *socket, const char *table, const char *made_as, struct nft_ruleset *ruleset)
{
    enum { ATTEMPTS = 5 };
    int error = EINTR;
    for (int i = 0; i < ATTEMPTS && error == EINTR; i++) { /* another's change came in between */
        *ruleset = (struct nft_ruleset){0};
        struct reading reading = {.ruleset = ruleset, .table = table, .made_as = made_as};
        error = read_once(socket, &reading);
        if (!error && ruleset->length == 0)
            return ENOENT;
        if (error)
            nft_ruleset_free(ruleset);
    }
    return error;
}

void nft_ruleset_free(struct nft_ruleset *ruleset)
{
    free(ruleset->messages);
    *ruleset = (struct nft_ruleset){0};
}

const struct nlmsghdr *nft_ruleset_next(
    const struct nft_ruleset *ruleset, const struct nlmsghdr *previous)
{
    const uint8_t *at =
        previous ? (const uint8_t *)previous + NLMSG_ALIGN(previous->nlmsg_len) : ruleset->messages;
    if (ruleset->length == 0 || at >= ruleset->messages + ruleset->length)
        return NULL;
    return (const struct nlmsghdr *)(const void *)at;
}

static const char *name_of(const struct nlmsghdr *message, uint16_t made_by, uint16_t attribute)
{
    if ((message->nlmsg_type & 0xff) != made_by)
        return NULL;
    const struct nlattr *name = find_attribute(message, attribute);
    return name ? mnl_attr_get_str(name) : NULL;
}

const char *nft_ruleset_chain(const struct nlmsghdr *message)
{
    return name_of(message, NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME);
}

const char *nft_ruleset_set(const struct nlmsghdr *message)
{
    const char *name = name_of(message, NFT_MSG_NEWSET, NFTA_SET_NAME);
    const struct nlattr *flags = name ? find_attribute(message, NFTA_SET_FLAGS) : NULL;
    bool is_anonymous = flags && (ntohl(mnl_attr_get_u32(flags)) & NFT_SET_ANONYMOUS);
    return is_anonymous ? NULL : name;
}

static bool is_same_set(const struct nlmsghdr *one, const struct nlmsghdr *other)
{
    static const uint16_t compared[] = {NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN,
        NFTA_SET_DESC, NFTA_SET_TIMEOUT, NFTA_SET_EXPR};
    for (size_t i = 0; i < sizeof(compared) / sizeof(compared[0]); i++) {
        const struct nlattr *first = find_attribute(one, compared[i]);
        const struct nlattr *second = find_attribute(other, compared[i]);
        if (!first != !second)
            return false;
        if (first &&
            (first->nla_len != second->nla_len || memcmp(first, second, first->nla_len) != 0))
            return false;
    }
    return true;
}

const struct nlmsghdr *nft_ruleset_find_set(const struct nft_ruleset *ruleset, const char *name)
{
    for (const struct nlmsghdr *message = nft_ruleset_next(ruleset, NULL); message;
         message = nft_ruleset_next(ruleset, message)) {
        const char *set = nft_ruleset_set(message);
        if (set && strcmp(set, name) == 0)
            return message;
    }
    return NULL;
}

bool nft_ruleset_keeps_sets(const struct nft_ruleset *there, const struct nft_ruleset *wanted)
{
    for (const struct nlmsghdr *message = nft_ruleset_next(wanted, NULL); message;
         message = nft_ruleset_next(wanted, message)) {
        const char *name = nft_ruleset_set(message);
        const struct nlmsghdr *known = name ? nft_ruleset_find_set(there, name) : NULL;
        if (name && (!known || !is_same_set(known, message)))
            return false;
    }
    return true;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Listing our sets as the kernel has them; see kernel_elements.h. */
#include "reference-node/netfilter/kernel_elements.h"

#include "reference-node/netfilter/nft_elements.h"
#include "reference-node/netfilter/pinhole_class.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct element {
    struct pinhole_element_key key;
    uint64_t left_ms;
    UT_hash_handle hh;
};

struct kernel_elements {
    struct element *all;
};

struct listing {
    struct kernel_elements *elements;
    const char *table;
    const char *set;
};

static bool add(void *context, struct nftnl_set_elem *listed)
{
    const struct listing *listing = context;
    uint32_t length;
    const void *key = nftnl_set_elem_get(listed, NFTNL_SET_ELEM_KEY, &length);
    struct element *element = calloc(1, sizeof(*element)), *replaced;
    if (!element)
        return false;
    element->key.set = listing->set;
    if (key && length <= NFT_KEY_MAX)
        memcpy(element->key.key, key, length);
    element->left_ms = nftnl_set_elem_get_u64(listed, NFTNL_SET_ELEM_EXPIRATION);
    HASH_REPLACE(hh, listing->elements->all, key, sizeof(element->key), element, replaced);
    free(replaced);
    return true;
}

static int take(const struct nlmsghdr *header, void *context)
{
    if (nft_elements_visit(header, add, context))
        return MNL_CB_OK;
    errno = ENOMEM;
    return MNL_CB_ERROR;
}

static void fill(struct nlmsghdr *header, const void *subject)
{
    const struct listing *listing = subject;
    mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_TABLE, listing->table);
    mnl_attr_put_strz(header, NFTA_SET_ELEM_LIST_SET, listing->set);
}

/* A list that another change cut short is asked for again; what was taken is only replaced. */
static int list(struct nft_socket *socket, struct listing *listing)
{
    enum { ATTEMPTS = 10 };
    int error = EINTR;
    for (int i = 0; i < ATTEMPTS && error == EINTR; i++)
        error =
            nft_socket_ask(socket, NFT_MSG_GETSETELEM, NLM_F_DUMP, fill, listing, take, listing);
    return error == ENOENT ? 0 : error;
}

struct kernel_elements *kernel_elements_read(struct nft_socket *socket, const char *table)
{
    struct kernel_elements *elements = calloc(1, sizeof(*elements));
    int error = elements ? 0 : ENOMEM;
    for (size_t i = 0; !error && i < 2 * PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i / 2];
        struct listing listing = {.elements = elements,
            .table = table,
            .set = i % 2 ? class->deny_set : class->allow_set};
        error = list(socket, &listing);
    }
    if (!error)
        return elements;
    kernel_elements_free(elements);
    errno = error;
    return NULL;
}

void kernel_elements_free(struct kernel_elements *elements)
{
    struct element *element, *next;
    if (!elements)
        return;
    HASH_ITER(hh, elements->all, element, next) {
        HASH_DEL(elements->all, element);
        free(element);
    }
    free(elements);
}

size_t kernel_elements_count(const struct kernel_elements *elements)
{
    return HASH_COUNT(elements->all);
}

bool kernel_elements_hold(
    const struct kernel_elements *elements, const struct natfw_policy_rule *rule, uint64_t *left_ms)
{
    const struct pinhole_class *class = pinhole_class_of(rule);
    *left_ms = UINT64_MAX;
    for (uint8_t port = 0; class && port <= rule->sub_ports; port++) {
        struct element *element;
        struct pinhole_element_key key =
            pinhole_element_key(class, &rule->flow, rule->action, port);
        HASH_FIND(hh, elements->all, &key, sizeof(key), element);
        if (!element)
            return false;
        if (element->left_ms < *left_ms)
            *left_ms = element->left_ms;
    }
    return class;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owners of nftables elements; see owned_elements.h. */
#include "reference-node/netfilter/owned_elements.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { OWNERS_MAX = 64 };

static void free_element(struct owned_elements *elements, struct owned_element *element)
{
    struct element_owner *owner, *next;
    LL_FOREACH_SAFE(element->owners, owner, next)
        free(owner);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an element is in its table */
    HASH_DEL(elements->all, element);
    free(element);
}

void owned_elements_release(struct owned_elements *elements)
{
    struct owned_element *element, *next;
    HASH_ITER(hh, elements->all, element, next)
        free_element(elements, element);
    elements->due = NULL;
}

size_t owned_elements_count(const struct owned_elements *elements)
{
    return HASH_COUNT(elements->all);
}

struct owned_element *owned_elements_find(
    const struct owned_elements *elements, const struct pinhole_element_key *key)
{
    struct owned_element *element;
    HASH_FIND(hh, elements->all, key, sizeof(*key), element);
    return element;
}

struct element_owner *owned_element_owner(
    const struct owned_element *element, const struct gist_session_id *session)
{
    struct element_owner *owner;
    LL_FOREACH(element->owners, owner)
        if (gist_session_id_equal(&owner->session, session))
            return owner;
    return NULL;
}

uint64_t owned_element_expires_ms(const struct owned_element *element)
{
    uint64_t latest_ms = 0;
    const struct element_owner *owner;
    LL_FOREACH(element->owners, owner)
        if (owner->expires_ms > latest_ms)
            latest_ms = owner->expires_ms;
    return latest_ms;
}

static struct owned_element *add_element(struct owned_elements *elements,
    const struct pinhole_class *class, const struct natfw_policy_rule *rule, uint8_t port)
{
    struct owned_element *element = calloc(1, sizeof(*element));
    if (!element)
        return NULL;
    element->key = pinhole_element_key(class, &rule->flow, rule->action, port);
    element->key_length = pinhole_key_length(class);
    element->flow = (struct conntrack_flow){.flow = rule->flow, .ports = 1};
    element->flow.flow.destination_port = (uint16_t)(rule->flow.destination_port + port);
    HASH_ADD(hh, elements->all, key, sizeof(element->key), element);
    return element;
}

static struct element_owner *add_owner(
    struct owned_element *element, const struct gist_session_id *session)
{
    if (element->owner_count >= OWNERS_MAX)
        return NULL;
    struct element_owner *owner = calloc(1, sizeof(*owner));
    if (!owner)
        return NULL;
    owner->session = *session;
    LL_APPEND(element->owners, owner);
    element->owner_count++;
    return owner;
}

enum natfw_middlebox_result owned_elements_own(struct owned_elements *elements,
    const struct gist_session_id *session, const struct natfw_policy_rule *rule,
    const struct pinhole_class *class, uint8_t port, struct owned_element **element)
{
    enum natfw_action other = rule->action == NATFW_DENY ? NATFW_ALLOW : NATFW_DENY;
    struct pinhole_element_key opposite = pinhole_element_key(class, &rule->flow, other, port);
    const struct owned_element *contrary = owned_elements_find(elements, &opposite);
    if (contrary && contrary->owners)
        return NATFW_MIDDLEBOX_CONFLICT;
    struct pinhole_element_key key = pinhole_element_key(class, &rule->flow, rule->action, port);
    *element = owned_elements_find(elements, &key);
    if (!*element && owned_elements_count(elements) >= elements->count_max)
        return NATFW_MIDDLEBOX_EXHAUSTED;
    if (!*element)
        *element = add_element(elements, class, rule, port);
    if (!*element)
        return NATFW_MIDDLEBOX_EXHAUSTED;
    if (owned_element_owner(*element, session) || add_owner(*element, session))
        return NATFW_MIDDLEBOX_OK;
    if (!(*element)->owners && !(*element)->is_due)
        free_element(elements, *element);
    return NATFW_MIDDLEBOX_EXHAUSTED;
}

void owned_elements_disown(struct owned_elements *elements, struct owned_element *element,
    const struct gist_session_id *session)
{
    struct element_owner *owner = owned_element_owner(element, session);
    if (!owner)
        return;
    LL_DELETE(element->owners, owner);
    element->owner_count--;
    free(owner);
    if (element->installed_ms > 0 || element->is_due)
        owned_elements_make_due(elements, element);
    else if (!element->owners)
        free_element(elements, element);
}

/* One that is in line already moves on: it goes together with what this operation changes. */
void owned_elements_make_due(struct owned_elements *elements, struct owned_element *element)
{
    if (element->is_due)
        DL_DELETE2(elements->due, element, previous_due, next_due);
    element->is_due = true;
    element->operation = elements->operation;
    DL_APPEND2(elements->due, element, previous_due, next_due);
}

size_t owned_elements_take_due(
    struct owned_elements *elements, struct owned_element **taken, size_t room)
{
    size_t count = 0;
    while (count < room && elements->due &&
           (count == 0 || elements->due->operation == taken[0]->operation)) {
        struct owned_element *element = elements->due;
        DL_DELETE2(elements->due, element, previous_due, next_due);
        element->is_due = false;
        taken[count++] = element;
    }
    return count;
}

void owned_elements_settle(struct owned_elements *elements, struct owned_element *element)
{
    if (!element->is_due && !element->owners && (element->installed_ms == 0 || element->error))
        free_element(elements, element);
}

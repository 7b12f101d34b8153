/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The core's middlebox over owned elements, and who waits for a commit; see pinholes.h. */
#include "reference-node/netfilter/pinholes.h"

#include "reference-node/base/log.h"
#include "reference-node/netfilter/group_commit.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A core's handle, and the elements that it waits for: one for each port. */
struct waiting {
    natfw_handle handle;
    struct gist_session_id owner;
    struct pinhole_element_key keys[2];
    size_t key_count;
    enum natfw_middlebox_result result; /* so far */
    struct waiting *prev;
    struct waiting *next;
};

struct pinholes {
    const struct packet_filter *filter;
    struct pinholes_listener listener;
    struct owned_elements elements;
    struct waiting *waiting; /* who has waited longest is first */
    bool is_pending;
    struct group_commit commit; /* what it needs, made once */
    struct pinholes_counters counters;
};

struct pinholes *pinholes_create(const struct packet_filter *filter, size_t elements_max,
    const struct pinholes_listener *listener)
{
    struct pinholes *pinholes = calloc(1, sizeof(*pinholes));
    if (!pinholes)
        return NULL;
    pinholes->filter = filter;
    pinholes->elements.count_max = elements_max;
    pinholes->listener = *listener;
    return pinholes;
}

void pinholes_destroy(struct pinholes *pinholes)
{
    if (!pinholes)
        return;
    struct waiting *waiting, *next;
    owned_elements_release(&pinholes->elements);
    DL_FOREACH_SAFE(pinholes->waiting, waiting, next)
        free(waiting);
    free(pinholes);
}

static void want_commit(struct pinholes *pinholes)
{
    if (pinholes->is_pending || (!pinholes->elements.due && !pinholes->waiting))
        return;
    pinholes->is_pending = true;
    pinholes->listener.pending(pinholes->listener.context);
}

static uint8_t port_count(const struct natfw_policy_rule *rule)
{
    return rule->sub_ports > 0 ? 2 : 1;
}

static struct owned_element *find_element(struct pinholes *pinholes,
    const struct pinhole_class *class, const struct natfw_policy_rule *rule, uint8_t port)
{
    struct pinhole_element_key key = pinhole_element_key(class, &rule->flow, rule->action, port);
    return owned_elements_find(&pinholes->elements, &key);
}

static void disown_rule(struct pinholes *pinholes, const struct gist_session_id *session,
    const struct natfw_policy_rule *rule)
{
    const struct pinhole_class *class = pinhole_class_of(rule);
    for (uint8_t port = 0; class && port < port_count(rule); port++) {
        struct owned_element *element = find_element(pinholes, class, rule, port);
        if (element)
            owned_elements_disown(&pinholes->elements, element, session);
    }
}

static void remove_rule(
    void *context, const struct gist_session_id *session, const struct natfw_policy_rule *rule)
{
    struct pinholes *pinholes = context;
    pinholes->elements.operation++;
    disown_rule(pinholes, session, rule);
    want_commit(pinholes);
}

static bool owns(struct pinholes *pinholes, const struct gist_session_id *session,
    const struct pinhole_class *class, const struct natfw_policy_rule *rule, uint8_t port)
{
    const struct owned_element *element = find_element(pinholes, class, rule, port);
    return element && owned_element_owner(element, session);
}

static enum natfw_middlebox_result remember(
    void *context, const struct gist_session_id *session, const struct natfw_policy_rule *rule)
{
    struct pinholes *pinholes = context;
    if (!pinholes->filter)
        return NATFW_MIDDLEBOX_OK;
    const struct pinhole_class *class = pinhole_class_of(rule);
    if (!class)
        return NATFW_MIDDLEBOX_CONFLICT;
    bool owned_first = owns(pinholes, session, class, rule, 0);
    for (uint8_t port = 0; port < port_count(rule); port++) {
        struct owned_element *element;
        enum natfw_middlebox_result result =
            owned_elements_own(&pinholes->elements, session, rule, class, port, &element);
        if (result == NATFW_MIDDLEBOX_OK)
            continue;
        /* Only a first element can have been added for nothing. */
        if (port > 0 && !owned_first)
            owned_elements_disown(
                &pinholes->elements, find_element(pinholes, class, rule, 0), session);
        want_commit(pinholes);
        return result;
    }
    return NATFW_MIDDLEBOX_OK;
}

static void wait_for(struct pinholes *pinholes, const struct waiting *what)
{
    if (what->handle == NATFW_NO_HANDLE)
        return;
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (!waiting) {
        log_line(LOG_LEVEL_ERROR, "no memory to answer a change of the ruleset");
        return;
    }
    *waiting = *what;
    DL_APPEND(pinholes->waiting, waiting);
}

static void own_rule(struct pinholes *pinholes, const struct gist_session_id *session,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    struct waiting waiting = {.handle = handle, .owner = *session, .result = NATFW_MIDDLEBOX_OK};
    const struct pinhole_class *class = pinholes->filter ? pinhole_class_of(rule) : NULL;
    if (pinholes->filter && !class)
        waiting.result = NATFW_MIDDLEBOX_CONFLICT;
    for (uint8_t port = 0; class && port < port_count(rule); port++) {
        struct owned_element *element;
        waiting.result =
            owned_elements_own(&pinholes->elements, session, rule, class, port, &element);
        if (waiting.result != NATFW_MIDDLEBOX_OK)
            break;
        owned_element_owner(element, session)->expires_ms = expires_ms;
        owned_elements_make_due(&pinholes->elements, element);
        waiting.keys[waiting.key_count++] = element->key;
    }
    wait_for(pinholes, &waiting);
    want_commit(pinholes);
}

static void install(void *context, const struct gist_session_id *session,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    struct pinholes *pinholes = context;
    pinholes->elements.operation++;
    own_rule(pinholes, session, rule, expires_ms, handle);
}

/* Both are changes of one commit, so that what both rules allow passes without a gap. */
static void replace(void *context, const struct gist_session_id *session,
    const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
    uint64_t expires_ms, natfw_handle handle)
{
    struct pinholes *pinholes = context;
    pinholes->elements.operation++;
    disown_rule(pinholes, session, old_rule);
    own_rule(pinholes, session, new_rule, expires_ms, handle);
}

struct natfw_middlebox pinholes_middlebox(struct pinholes *pinholes)
{
    return (struct natfw_middlebox){.context = pinholes,
        .remember = remember,
        .install = install,
        .replace = replace,
        .remove = remove_rule};
}

void pinholes_limit(struct pinholes *pinholes, size_t elements_max)
{
    pinholes->elements.count_max = elements_max;
}

/* What was changed together may be parted: the kernel has neither part of it. */
size_t pinholes_reinstall(struct pinholes *pinholes)
{
    struct owned_element *element, *next;
    size_t count = 0;
    HASH_ITER(hh, pinholes->elements.all, element, next) {
        count += owned_element_expires_ms(element) > 0;
        if (element->installed_ms > 0)
            element->installed_ms = OWNED_ELEMENT_UNKNOWN;
        owned_elements_make_due(&pinholes->elements, element);
    }
    want_commit(pinholes);
    return count;
}

/* Takes over what the elements say. Returns whether it waits for none of them any more. */
static bool has_result(struct pinholes *pinholes, struct waiting *waiting)
{
    bool is_due = false;
    for (size_t i = 0; i < waiting->key_count; i++) {
        const struct owned_element *element =
            owned_elements_find(&pinholes->elements, &waiting->keys[i]);
        is_due |= element && element->is_due;
        if (element && !element->is_due && element->error)
            waiting->result = NATFW_MIDDLEBOX_FAILED;
    }
    return !is_due;
}

/* A session whose change failed owns nothing of it; what it had stays until the kernel ends it. */
static void disown(struct pinholes *pinholes, const struct waiting *waiting)
{
    pinholes->elements.operation++;
    for (size_t i = 0; i < waiting->key_count; i++) {
        struct owned_element *element = owned_elements_find(&pinholes->elements, &waiting->keys[i]);
        if (element)
            owned_elements_disown(&pinholes->elements, element, &waiting->owner);
    }
}

static struct waiting *take_answered(struct pinholes *pinholes)
{
    struct waiting *answered = NULL, *waiting, *next;
    DL_FOREACH_SAFE(pinholes->waiting, waiting, next) {
        if (!has_result(pinholes, waiting))
            continue;
        DL_DELETE(pinholes->waiting, waiting);
        DL_APPEND(answered, waiting);
    }
    return answered;
}

bool pinholes_commit(struct pinholes *pinholes, uint64_t now_ms)
{
    struct group_commit *commit = &pinholes->commit;
    group_commit_run(commit, &pinholes->elements, pinholes->filter, now_ms);
    pinholes->counters.commits += commit->change_count > 0;
    pinholes->counters.changes += commit->change_count;
    for (size_t i = 0; i < commit->change_count; i++)
        pinholes->counters.failures += commit->changes[i].error != 0;
    struct waiting *answered = take_answered(pinholes), *waiting, *next;
    group_commit_release(commit, &pinholes->elements);
    DL_FOREACH(answered, waiting)
        if (waiting->result != NATFW_MIDDLEBOX_OK)
            disown(pinholes, waiting);
    DL_FOREACH_SAFE(answered, waiting, next) {
        pinholes->listener.done(pinholes->listener.context, waiting->handle, waiting->result);
        free(waiting);
    }
    pinholes->is_pending = pinholes->elements.due || pinholes->waiting;
    return pinholes->is_pending;
}

void pinholes_commit_all(struct pinholes *pinholes, uint64_t now_ms)
{
    while (pinholes_commit(pinholes, now_ms))
        continue;
}

bool pinholes_traffic(const struct pinholes *pinholes, const struct natfw_policy_rule *rule,
    struct nft_traffic *traffic)
{
    const struct packet_filter *filter = pinholes->filter;
    const struct pinhole_class *class = filter && filter->count ? pinhole_class_of(rule) : NULL;
    bool is_known = class;
    *traffic = (struct nft_traffic){0};
    for (uint8_t port = 0; class && port < port_count(rule); port++) {
        struct pinhole_element_key key =
            pinhole_element_key(class, &rule->flow, rule->action, port);
        struct nft_change element = {.set = key.set, .key_length = pinhole_key_length(class)};
        memcpy(element.key, key.key, sizeof(element.key));
        is_known &= filter->count(filter->context, &element, traffic);
    }
    return is_known;
}

struct pinholes_counters pinholes_counters(const struct pinholes *pinholes)
{
    struct pinholes_counters counters = pinholes->counters;
    counters.elements = owned_elements_count(&pinholes->elements);
    return counters;
}

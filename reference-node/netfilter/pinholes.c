/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owners of nftables elements, and the group commit; see pinholes.h. */
#include "reference-node/netfilter/pinholes.h"

#include "core/spec/spec.h"
#include "reference-node/base/log.h"
#include "reference-node/base/text.h"
#include "reference-node/netfilter/pinhole_class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum { OWNERS_MAX = 64 };

struct owner {
    struct gist_session_id session;
    uint64_t expires_ms; /* 0: set aside, not installed */
    struct owner *next;
};

/* The set's name tells allow from deny, and the class. */
struct element_key {
    const char *set;
    uint8_t key[NFT_KEY_MAX];
};

struct element {
    struct element_key key;
    size_t key_length;
    struct conntrack_flow flow; /* of one port only */
    struct owner *owners;
    size_t owner_count;
    uint64_t installed_ms; /* expiry that the kernel knows; 0: not there */
    int error;             /* of the latest commit */
    bool dirty;
    struct element *next_dirty;
    UT_hash_handle hh;
};

/* A core's handle, and the elements that it waits for: one for each port. */
struct waiting {
    natfw_handle handle;
    struct gist_session_id owner;
    struct element_key keys[2];
    size_t key_count;
    enum natfw_middlebox_result result; /* known before the commit if not OK */
    struct waiting *next;
};

struct pinholes {
    const struct packet_filter *filter;
    struct pinholes_listener listener;
    size_t elements_max;
    struct element *elements;
    struct element *dirty;
    size_t dirty_count;
    struct waiting *waiting;
    bool is_pending;
    struct pinholes_counters counters;
};

struct pinholes *pinholes_create(const struct packet_filter *filter, size_t elements_max,
    const struct pinholes_listener *listener)
{
    struct pinholes *pinholes = calloc(1, sizeof(*pinholes));
    if (!pinholes)
        return NULL;
    pinholes->filter = filter;
    pinholes->elements_max = elements_max;
    pinholes->listener = *listener;
    return pinholes;
}

static void free_element(struct pinholes *pinholes, struct element *element)
{
    struct owner *owner, *next;
    LL_FOREACH_SAFE(element->owners, owner, next)
        free(owner);
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): an element is in its table */
    HASH_DEL(pinholes->elements, element);
    free(element);
}

void pinholes_destroy(struct pinholes *pinholes)
{
    if (!pinholes)
        return;
    struct element *element, *next_element;
    struct waiting *waiting, *next_waiting;
    HASH_ITER(hh, pinholes->elements, element, next_element)
        free_element(pinholes, element);
    LL_FOREACH_SAFE(pinholes->waiting, waiting, next_waiting)
        free(waiting);
    free(pinholes);
}

static void want_commit(struct pinholes *pinholes)
{
    if (pinholes->is_pending)
        return;
    pinholes->is_pending = true;
    pinholes->listener.pending(pinholes->listener.context);
}

static void mark_dirty(struct pinholes *pinholes, struct element *element)
{
    want_commit(pinholes);
    if (element->dirty)
        return;
    element->dirty = true;
    LL_PREPEND2(pinholes->dirty, element, next_dirty);
    pinholes->dirty_count++;
}

static size_t port_count(const struct natfw_policy_rule *rule)
{
    return 1u + (rule->sub_ports > 0);
}

static struct element_key key_of(const struct pinhole_class *class,
    const struct natfw_policy_rule *rule, enum natfw_action action, size_t port)
{
    struct element_key key;
    memset(&key, 0, sizeof(key));
    key.set = action == NATFW_DENY ? class->deny_set : class->allow_set;
    pinhole_key(class, &rule->flow, (uint8_t)port, key.key);
    return key;
}

static struct element *find_element(struct pinholes *pinholes, const struct element_key *key)
{
    struct element *element;
    HASH_FIND(hh, pinholes->elements, key, sizeof(*key), element);
    return element;
}

static struct element *add_element(struct pinholes *pinholes, const struct pinhole_class *class,
    const struct natfw_policy_rule *rule, size_t port)
{
    struct element *element = calloc(1, sizeof(*element));
    if (!element)
        return NULL;
    element->key = key_of(class, rule, rule->action, port);
    element->key_length = pinhole_key_length(class);
    element->flow = (struct conntrack_flow){.flow = rule->flow, .ports = 1};
    element->flow.flow.destination_port = (uint16_t)(rule->flow.destination_port + port);
    HASH_ADD(hh, pinholes->elements, key, sizeof(element->key), element);
    return element;
}

static struct owner *find_owner(struct element *element, const struct gist_session_id *session)
{
    struct owner *owner;
    LL_FOREACH(element->owners, owner)
        if (gist_session_id_equal(&owner->session, session))
            return owner;
    return NULL;
}

static struct owner *add_owner(struct element *element, const struct gist_session_id *session)
{
    if (element->owner_count >= OWNERS_MAX)
        return NULL;
    struct owner *owner = calloc(1, sizeof(*owner));
    if (!owner)
        return NULL;
    owner->session = *session;
    LL_APPEND(element->owners, owner);
    element->owner_count++;
    return owner;
}

/* What no longer has an owner goes: at the next commit if the kernel has it, else now. */
static void drop_owner(
    struct pinholes *pinholes, struct element *element, const struct gist_session_id *session)
{
    struct owner *owner = find_owner(element, session);
    if (!owner)
        return;
    LL_DELETE(element->owners, owner);
    element->owner_count--;
    free(owner);
    if (element->installed_ms > 0 || element->dirty)
        mark_dirty(pinholes, element);
    else if (!element->owners)
        free_element(pinholes, element);
}

static uint64_t latest_expiry(const struct element *element)
{
    uint64_t latest_ms = 0;
    const struct owner *owner;
    LL_FOREACH(element->owners, owner)
        if (owner->expires_ms > latest_ms)
            latest_ms = owner->expires_ms;
    return latest_ms;
}

/* Makes the session an owner of the rule's element for one port. */
static enum natfw_middlebox_result own(struct pinholes *pinholes,
    const struct gist_session_id *session, const struct natfw_policy_rule *rule,
    const struct pinhole_class *class, size_t port, struct element **element)
{
    enum natfw_action other = rule->action == NATFW_DENY ? NATFW_ALLOW : NATFW_DENY;
    struct element_key opposite = key_of(class, rule, other, port);
    struct element *contrary = find_element(pinholes, &opposite);
    if (contrary && contrary->owners)
        return NATFW_MIDDLEBOX_CONFLICT;
    struct element_key key = key_of(class, rule, rule->action, port);
    *element = find_element(pinholes, &key);
    if (!*element && HASH_COUNT(pinholes->elements) >= pinholes->elements_max)
        return NATFW_MIDDLEBOX_EXHAUSTED;
    if (!*element)
        *element = add_element(pinholes, class, rule, port);
    if (!*element)
        return NATFW_MIDDLEBOX_EXHAUSTED;
    if (find_owner(*element, session) || add_owner(*element, session))
        return NATFW_MIDDLEBOX_OK;
    if (!(*element)->owners && !(*element)->dirty)
        free_element(pinholes, *element);
    return NATFW_MIDDLEBOX_EXHAUSTED;
}

static void remove_rule(
    void *context, const struct gist_session_id *session, const struct natfw_policy_rule *rule)
{
    struct pinholes *pinholes = context;
    const struct pinhole_class *class = pinhole_class_of(rule);
    for (size_t port = 0; class && port < port_count(rule); port++) {
        struct element_key key = key_of(class, rule, rule->action, port);
        struct element *element = find_element(pinholes, &key);
        if (element)
            drop_owner(pinholes, element, session);
    }
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
    for (size_t port = 0; port < port_count(rule); port++) {
        struct element *element;
        enum natfw_middlebox_result result = own(pinholes, session, rule, class, port, &element);
        if (result == NATFW_MIDDLEBOX_OK)
            continue;
        /* Only a first element can have been added for nothing. */
        struct element_key first = key_of(class, rule, rule->action, 0);
        struct element *added = port > 0 ? find_element(pinholes, &first) : NULL;
        struct owner *owner = added ? find_owner(added, session) : NULL;
        if (owner && owner->expires_ms == 0)
            drop_owner(pinholes, added, session);
        return result;
    }
    return NATFW_MIDDLEBOX_OK;
}

static void wait_for(struct pinholes *pinholes, const struct waiting *what)
{
    want_commit(pinholes);
    if (what->handle == NATFW_NO_HANDLE)
        return;
    struct waiting *waiting = malloc(sizeof(*waiting));
    if (!waiting) {
        log_line(LOG_LEVEL_ERROR, "no memory to answer a change of the ruleset");
        return;
    }
    *waiting = *what;
    LL_PREPEND(pinholes->waiting, waiting);
}

static void install(void *context, const struct gist_session_id *session,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    struct pinholes *pinholes = context;
    struct waiting waiting = {.handle = handle, .owner = *session, .result = NATFW_MIDDLEBOX_OK};
    const struct pinhole_class *class = pinholes->filter ? pinhole_class_of(rule) : NULL;
    if (pinholes->filter && !class)
        waiting.result = NATFW_MIDDLEBOX_CONFLICT;
    for (size_t port = 0; class && port < port_count(rule); port++) {
        struct element *element;
        enum natfw_middlebox_result result = own(pinholes, session, rule, class, port, &element);
        if (result != NATFW_MIDDLEBOX_OK) {
            waiting.result = result;
            break;
        }
        find_owner(element, session)->expires_ms = expires_ms;
        mark_dirty(pinholes, element);
        waiting.keys[waiting.key_count++] = element->key;
    }
    wait_for(pinholes, &waiting);
}

/* Both are changes of one commit, so that what both rules allow passes without a gap. */
static void replace(void *context, const struct gist_session_id *session,
    const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
    uint64_t expires_ms, natfw_handle handle)
{
    remove_rule(context, session, old_rule);
    install(context, session, new_rule, expires_ms, handle);
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
    pinholes->elements_max = elements_max;
}

size_t pinholes_reinstall(struct pinholes *pinholes)
{
    struct element *element, *next;
    size_t count = 0;
    HASH_ITER(hh, pinholes->elements, element, next) {
        count += element->installed_ms > 0;
        element->installed_ms = 0;
        mark_dirty(pinholes, element);
    }
    return count;
}

static void describe_owner(const struct element *element, char text[TEXT_SID_SIZE])
{
    text[0] = '\0';
    if (element->owners)
        text_of_session_id(&element->owners->session, text);
}

/* The change that brings the kernel to what the owners want; false when there is none. */
static bool change_for(const struct element *element, uint64_t now_ms, struct nft_change *change,
    char comment[TEXT_SID_SIZE])
{
    uint64_t expires_ms = latest_expiry(element);
    if (expires_ms == element->installed_ms)
        return false;
    *change = (struct nft_change){.kind = expires_ms > now_ms ? NFT_CHANGE_PUT : NFT_CHANGE_DELETE,
        .set = element->key.set,
        .key_length = element->key_length};
    if (expires_ms > now_ms)
        change->timeout_ms = SPEC_VALUE(
            "RFC5973-3.2.8-3", 1, expires_ms - now_ms, expires_ms - now_ms + UINT64_C(3600000));
    memcpy(change->key, element->key.key, sizeof(change->key));
    describe_owner(element, comment);
    change->comment = comment;
    return true;
}

struct commit {
    struct element **elements;
    struct nft_change *changes;
    struct conntrack_flow *gone;
    char (*comments)[TEXT_SID_SIZE];
    size_t count;
    size_t gone_count;
};

static bool prepare_commit(struct commit *commit, size_t count)
{
    commit->elements = calloc(count, sizeof(*commit->elements));
    commit->changes = calloc(count, sizeof(*commit->changes));
    commit->gone = calloc(count, sizeof(*commit->gone));
    commit->comments = calloc(count, sizeof(*commit->comments));
    return commit->elements && commit->changes && commit->gone && commit->comments;
}

static void release_commit(struct commit *commit)
{
    free(commit->elements);
    free(commit->changes);
    free(commit->gone);
    free(commit->comments);
}

/* Takes note of what the kernel said of one element. */
static void settle(struct commit *commit, size_t i, struct pinholes_counters *counters)
{
    struct element *element = commit->elements[i];
    const struct nft_change *change = &commit->changes[i];
    counters->changes++;
    element->error = change->error;
    if (change->error) {
        counters->failures++;
        log_line(LOG_LEVEL_ERROR, "nftables: set %s refused an element: %s", change->set,
            strerror(change->error));
    } else if (change->kind == NFT_CHANGE_DELETE) {
        element->installed_ms = 0;
        commit->gone[commit->gone_count++] = element->flow;
    } else {
        element->installed_ms = latest_expiry(element);
    }
}

static void forget_flows(struct pinholes *pinholes, const struct commit *commit)
{
    const struct packet_filter *filter = pinholes->filter;
    if (!filter->forget(filter->context, commit->gone, commit->gone_count))
        log_line(
            LOG_LEVEL_WARNING, "conntrack: entries stay until they time out: %s", strerror(errno));
}

static void commit_dirty(struct pinholes *pinholes, uint64_t now_ms)
{
    struct commit commit = {0};
    struct element *element;
    if (!prepare_commit(&commit, pinholes->dirty_count)) {
        LL_FOREACH2(pinholes->dirty, element, next_dirty)
            element->error = ENOMEM;
        release_commit(&commit);
        return;
    }
    LL_FOREACH2(pinholes->dirty, element, next_dirty) {
        element->error = 0;
        commit.elements[commit.count] = element;
        if (change_for(
                element, now_ms, &commit.changes[commit.count], commit.comments[commit.count]))
            commit.count++;
    }
    pinholes->filter->commit(pinholes->filter->context, commit.changes, commit.count);
    pinholes->counters.commits += commit.count > 0;
    for (size_t i = 0; i < commit.count; i++)
        settle(&commit, i, &pinholes->counters);
    if (commit.gone_count > 0) {
        SPEC_DO("RFC5973-3.4-1b", 2) {
            forget_flows(pinholes, &commit);
        }
    }
    release_commit(&commit);
}

static enum natfw_middlebox_result result_of(struct pinholes *pinholes, struct waiting *waiting)
{
    enum natfw_middlebox_result result = waiting->result;
    for (size_t i = 0; i < waiting->key_count; i++) {
        struct element *element = find_element(pinholes, &waiting->keys[i]);
        if (element && element->error)
            result = NATFW_MIDDLEBOX_FAILED;
    }
    return result;
}

/* A session whose change failed owns nothing of it; what it had stays until the kernel ends it. */
static void disown(struct pinholes *pinholes, const struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->key_count; i++) {
        struct element *element = find_element(pinholes, &waiting->keys[i]);
        if (element)
            drop_owner(pinholes, element, &waiting->owner);
    }
}

static void forget_empty(struct pinholes *pinholes, struct element *dirty)
{
    struct element *element, *next;
    LL_FOREACH_SAFE2(dirty, element, next, next_dirty) {
        element->dirty = false;
        if (!element->owners && (element->installed_ms == 0 || element->error))
            free_element(pinholes, element);
    }
}

void pinholes_commit(struct pinholes *pinholes, uint64_t now_ms)
{
    pinholes->is_pending = false;
    if (pinholes->dirty_count > 0)
        commit_dirty(pinholes, now_ms);
    struct waiting *answered = pinholes->waiting;
    struct waiting *waiting, *next;
    struct element *dirty = pinholes->dirty;
    pinholes->waiting = NULL;
    LL_FOREACH(answered, waiting)
        waiting->result = result_of(pinholes, waiting);
    pinholes->dirty = NULL;
    pinholes->dirty_count = 0;
    forget_empty(pinholes, dirty);
    LL_FOREACH(answered, waiting)
        if (waiting->result != NATFW_MIDDLEBOX_OK)
            disown(pinholes, waiting);
    LL_FOREACH_SAFE(answered, waiting, next) {
        pinholes->listener.done(pinholes->listener.context, waiting->handle, waiting->result);
        free(waiting);
    }
}

bool pinholes_traffic(const struct pinholes *pinholes, const struct natfw_policy_rule *rule,
    struct nft_traffic *traffic)
{
    const struct packet_filter *filter = pinholes->filter;
    const struct pinhole_class *class = filter && filter->count ? pinhole_class_of(rule) : NULL;
    bool is_known = class;
    *traffic = (struct nft_traffic){0};
    for (size_t port = 0; class && port < port_count(rule); port++) {
        struct element_key key = key_of(class, rule, rule->action, port);
        struct nft_change element = {.set = key.set, .key_length = pinhole_key_length(class)};
        memcpy(element.key, key.key, sizeof(element.key));
        is_known &= filter->count(filter->context, &element, traffic);
    }
    return is_known;
}

struct pinholes_counters pinholes_counters(const struct pinholes *pinholes)
{
    struct pinholes_counters counters = pinholes->counters;
    counters.elements = HASH_COUNT(pinholes->elements);
    return counters;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One commit of many elements; see group_commit.h. */
#include "reference-node/netfilter/group_commit.h"

#include "core/spec/spec.h"
#include "reference-node/base/log.h"

#include <errno.h>
#include <string.h>

_Static_assert((int)GROUP_COMMIT_MAX >= OWNED_ELEMENTS_OF_OPERATION, "no operation is parted");

static void describe_owner(const struct owned_element *element, char text[TEXT_SID_SIZE])
{
    text[0] = '\0';
    if (element->owners)
        text_of_session_id(&element->owners->session, text);
}

/* The change that brings the kernel to what the owners want; false when there is none. */
static bool change_for(const struct owned_element *element, uint64_t now_ms,
    struct nft_change *change, char comment[TEXT_SID_SIZE])
{
    uint64_t expires_ms = owned_element_expires_ms(element);
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

/* One that the kernel need not change for changes places with the last. */
static void prepare(struct group_commit *commit, uint64_t now_ms)
{
    size_t end = commit->count;
    commit->change_count = commit->gone_count = 0;
    while (commit->change_count < end) {
        struct owned_element **place = &commit->elements[commit->change_count];
        struct owned_element *element = *place;
        element->error = 0;
        if (change_for(element, now_ms, &commit->changes[commit->change_count],
                commit->comments[commit->change_count])) {
            commit->change_count++;
        } else {
            *place = commit->elements[--end];
            commit->elements[end] = element;
        }
    }
}

/* Takes note of what the kernel said of one element. */
static void note_result(struct group_commit *commit, size_t i)
{
    struct owned_element *element = commit->elements[i];
    const struct nft_change *change = &commit->changes[i];
    element->error = change->error;
    if (change->error) {
        log_line(LOG_LEVEL_ERROR, "nftables: set %s refused an element: %s", change->set,
            strerror(change->error));
    } else if (change->kind == NFT_CHANGE_DELETE) {
        element->installed_ms = 0;
        commit->gone[commit->gone_count++] = element->flow;
    } else {
        element->installed_ms = owned_element_expires_ms(element);
    }
}

static void forget_flows(const struct group_commit *commit, const struct packet_filter *filter)
{
    if (!filter->forget(filter->context, commit->gone, commit->gone_count))
        log_line(
            LOG_LEVEL_WARNING, "conntrack: entries stay until they time out: %s", strerror(errno));
}

void group_commit_run(struct group_commit *commit, struct owned_elements *elements,
    const struct packet_filter *filter, uint64_t now_ms)
{
    commit->count = 0;
    while (elements->due && commit->count + OWNED_ELEMENTS_OF_OPERATION <= (size_t)GROUP_COMMIT_MAX)
        commit->count += owned_elements_take_due(
            elements, commit->elements + commit->count, OWNED_ELEMENTS_OF_OPERATION);
    if (commit->count == 0)
        return;
    prepare(commit, now_ms);
    filter->commit(filter->context, commit->changes, commit->change_count);
    for (size_t i = 0; i < commit->change_count; i++)
        note_result(commit, i);
    if (commit->gone_count > 0) {
        SPEC_DO("RFC5973-3.4-1b", 2) {
            forget_flows(commit, filter);
        }
    }
}

void group_commit_release(struct group_commit *commit, struct owned_elements *elements)
{
    for (size_t i = 0; i < commit->count; i++)
        owned_elements_settle(elements, commit->elements[i]);
    commit->count = commit->change_count = commit->gone_count = 0;
}

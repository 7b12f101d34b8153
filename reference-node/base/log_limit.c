/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Limits of the log's lines; see log_limit.h. */
#include "reference-node/base/log_limit.h"

#include "reference-node/base/heap.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { PEER_NAME_MAX = 32 };

bool log_limit_open(struct log_limit *limit, uint32_t per_kind, uint32_t per_peer)
{
    struct base_allocator allocator = heap_allocator();
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    memset(limit, 0, sizeof(*limit));
    limit->per_kind = per_kind;
    limit->per_peer = per_peer;
    return getrandom(hash_key, sizeof(hash_key), 0) == (ssize_t)sizeof(hash_key) &&
           base_shares_open(&limit->peers, &allocator, hash_key, 1);
}

void log_limit_close(struct log_limit *limit)
{
    if (limit->peers.cells)
        base_shares_close(&limit->peers);
}

static struct log_limit_kind *kind_of(struct log_limit *limit, const void *name)
{
    size_t i = 0;
    while (i < LOG_LIMIT_KINDS_MAX - 1 && limit->kinds[i].name && limit->kinds[i].name != name)
        i++;
    limit->kinds[i].name = name;
    return &limit->kinds[i];
}

/* A line costs its part of the window, which comes back with time. */
static bool peer_passes(
    struct log_limit *limit, uint64_t now_ms, const void *kind, const struct base_share_name *peer)
{
    uint8_t octets[sizeof(kind) + PEER_NAME_MAX];
    if (!peer || limit->per_peer == 0 || peer->length > PEER_NAME_MAX)
        return true;
    memcpy(octets, &kind, sizeof(kind));
    memcpy(octets + sizeof(kind), peer->octets, peer->length);
    struct base_share_name name = {octets, sizeof(kind) + peer->length};
    uint64_t cost = LOG_LIMIT_WINDOW_MS / limit->per_peer;
    if (base_share_taken(&limit->peers, now_ms, name) + cost > LOG_LIMIT_WINDOW_MS)
        return false;
    base_share_take(&limit->peers, now_ms, name, cost);
    return true;
}

bool log_limit_passes(struct log_limit *limit, uint64_t now_ms, int level, const void *name,
    const struct base_share_name *peer, const char *line)
{
    struct log_limit_kind *kind = kind_of(limit, name);
    if (kind->left_out == 0 && now_ms - kind->since_ms >= LOG_LIMIT_WINDOW_MS) {
        kind->since_ms = now_ms;
        kind->passed = 0;
    }
    bool has_room = limit->per_kind == 0 || kind->passed < limit->per_kind;
    if (has_room && peer_passes(limit, now_ms, name, peer)) {
        kind->passed++;
        return true;
    }
    kind->left_out++;
    kind->level = level;
    snprintf(kind->sample, sizeof(kind->sample), "%s", line);
    return false;
}

const struct log_limit_kind *log_limit_summary(
    struct log_limit *limit, uint64_t now_ms, uint64_t *left_out)
{
    for (size_t i = 0; i < LOG_LIMIT_KINDS_MAX; i++) {
        struct log_limit_kind *kind = &limit->kinds[i];
        if (kind->left_out == 0 || now_ms - kind->since_ms < LOG_LIMIT_WINDOW_MS)
            continue;
        *left_out = kind->left_out;
        kind->left_out = kind->passed = 0;
        kind->since_ms = now_ms;
        return kind;
    }
    return NULL;
}

bool log_limit_leaves_out(const struct log_limit *limit)
{
    for (size_t i = 0; i < LOG_LIMIT_KINDS_MAX; i++)
        if (limit->kinds[i].left_out > 0)
            return true;
    return false;
}

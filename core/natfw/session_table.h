/*
 * All signalling sessions of a node: found by session id, by slot, or by the earliest deadline.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_SESSION_TABLE_H
#define NATFW_NATFW_SESSION_TABLE_H

#include "core/natfw/session.h"

struct natfw_session_table {
    struct gist_allocator allocator;
    uint32_t capacity;
    uint32_t count;
    uint32_t bucket_mask;
    uint64_t hash_key; /* so that nobody outside can aim at one bucket */
    struct natfw_session **buckets;
    struct natfw_session **slots;
    uint32_t *free_slots;        /* capacity - count of them */
    struct natfw_session **heap; /* count of them, the earliest deadline first */
};

bool natfw_session_table_init(struct natfw_session_table *table, uint32_t capacity,
    uint64_t hash_key, const struct gist_allocator *allocator);
/* Releases the sessions, too. */
void natfw_session_table_free(struct natfw_session_table *table);

/* Returns a zeroed session with this id, without deadline, or NULL when there is no room. */
struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id);
void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session);

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id);
/* Returns NULL when the slot is free or out of range. */
struct natfw_session *natfw_session_table_at(
    const struct natfw_session_table *table, uint32_t slot);

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms);
/* The session with the earliest deadline, or NULL when there is none at all. */
struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table);

#endif

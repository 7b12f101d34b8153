/*
 * All signalling sessions of a node: found by session id, by the handle of a request, or by the
 * earliest deadline.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_SESSION_TABLE_H
#define NATFW_NATFW_SESSION_TABLE_H

#include "core/natfw/session/session.h"

/* Where a walk over the sessions has come to, while time passes. */
struct natfw_session_walk {
    struct natfw_session *next_session; /* NULL: it has seen all */
    struct natfw_session_walk *next;
};

struct natfw_session_table {
    struct base_allocator allocator;
    size_t count;
    size_t count_max;
    uint64_t serial; /* of the newest session */
    uint8_t hash_key[BASE_HASH_KEY_LENGTH];
    struct base_table by_id;
    struct base_table by_serial;
    struct base_timers deadlines;
    struct natfw_session *all; /* linked by prev and next; the newest is first */
    struct natfw_session_walk *walks;
};

/* The table must not move afterwards. */
void natfw_session_table_open(struct natfw_session_table *table, size_t count_max,
    const uint8_t hash_key[BASE_HASH_KEY_LENGTH], const struct base_allocator *allocator);
/* Releases the sessions, too. */
void natfw_session_table_close(struct natfw_session_table *table);

/* Returns a zeroed session with this id, without deadline, or NULL when there is no room. */
struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id);
void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session);

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id);

/* The session that had this handle for one of its requests, not only the newest. */
struct natfw_session *natfw_session_table_of_handle(
    const struct natfw_session_table *table, natfw_handle handle);

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms);
/* Begins a walk, the newest session first; it leaves out what begins or ends meanwhile. */
void natfw_session_walk_begin(struct natfw_session_table *table, struct natfw_session_walk *walk);
/* The next session; NULL when there is none left. */
struct natfw_session *natfw_session_walk_next(struct natfw_session_walk *walk);
void natfw_session_walk_end(struct natfw_session_table *table, struct natfw_session_walk *walk);

/* The session with the earliest deadline, or NULL when none has one. */
struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table);

#endif

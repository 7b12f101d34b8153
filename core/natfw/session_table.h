/*
 * All signalling sessions of a node: found by session id, by ticket, or by the earliest deadline.
 * Private to core/natfw.
 */
#ifndef NATFW_NATFW_SESSION_TABLE_H
#define NATFW_NATFW_SESSION_TABLE_H

#include "core/natfw/session.h"

struct natfw_session_table {
    struct gist_allocator allocator;
    size_t count;
    size_t count_max;
    uint64_t serial; /* of the newest session */
    uint8_t hash_key[GIST_HASH_KEY_LENGTH];
    struct gist_table by_id;
    struct gist_table by_serial;
    struct gist_timers deadlines;
    LIST_HEAD(natfw_session_list, natfw_session) all;
};

/* The table must not move afterwards. */
void natfw_session_table_open(struct natfw_session_table *table, size_t count_max,
    const uint8_t hash_key[GIST_HASH_KEY_LENGTH], const struct gist_allocator *allocator);
/* Releases the sessions, too. */
void natfw_session_table_close(struct natfw_session_table *table);

/* Returns a zeroed session with this id, without deadline, or NULL when there is no room. */
struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id);
void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session);

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id);

/* Tickets stand for one request of one session, also after either is gone: never 0. */
uint64_t natfw_session_next_ticket(const struct natfw_session *session);
struct natfw_session *natfw_session_table_of_ticket(
    const struct natfw_session_table *table, uint64_t ticket);

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms);
/* The session with the earliest deadline, or NULL when none has one. */
struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table);

#endif

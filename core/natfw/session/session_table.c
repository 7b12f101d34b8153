/* All signalling sessions of a node; see session_table.h. */
#include "core/natfw/session/session_table.h"

#include "core/base/container.h"

#include <string.h>
#include <utlist.h>

#define SESSION_OF(link, member) BASE_CONTAINER(link, struct natfw_session, member)

void natfw_session_table_open(struct natfw_session_table *table, size_t count_max,
    const uint8_t hash_key[BASE_HASH_KEY_LENGTH], const struct base_allocator *allocator)
{
    table->allocator = *allocator;
    table->count_max = count_max;
    memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
    base_table_open(&table->by_id, allocator);
    base_table_open(&table->by_serial, allocator);
    table->all = NULL;
    table->walks = NULL;
}

void natfw_session_table_close(struct natfw_session_table *table)
{
    while (table->all)
        natfw_session_table_remove(table, table->all);
    base_table_close(&table->by_id);
    base_table_close(&table->by_serial);
}

static uint64_t hash_of(const struct natfw_session_table *table, const struct gist_session_id *id)
{
    return base_hash(table->hash_key, id->octets, sizeof(id->octets));
}

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id)
{
    struct base_table_link *link = base_table_first(&table->by_id, hash_of(table, id));
    while (link && !gist_session_id_equal(&SESSION_OF(link, id_link)->id, id))
        link = base_table_next(link);
    return link ? SESSION_OF(link, id_link) : NULL;
}

struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id)
{
    if (table->count >= table->count_max)
        return NULL;
    struct natfw_session *session = base_allocate(&table->allocator, sizeof(*session));
    if (!session)
        return NULL;
    session->id = *id;
    session->serial = ++table->serial;
    session->expires_ms = session->refreshing.due_ms = session->pace.due_ms = NATFW_NO_DEADLINE;
    session->deadline.owner = session;
    base_table_insert(&table->by_id, &session->id_link, hash_of(table, id));
    base_table_insert(&table->by_serial, &session->serial_link, session->serial);
    DL_PREPEND(table->all, session);
    table->count++;
    return session;
}

static void step_over(struct natfw_session_table *table, const struct natfw_session *session)
{
    struct natfw_session_walk *walk;
    LL_FOREACH(table->walks, walk)
        if (walk->next_session == session)
            walk->next_session = session->next;
}

void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session)
{
    step_over(table, session);
    base_table_remove(&table->by_id, &session->id_link);
    base_table_remove(&table->by_serial, &session->serial_link);
    base_timer_stop(&table->deadlines, &session->deadline);
    DL_DELETE(table->all, session);
    table->count--;
    natfw_held_response_drop(&session->held, &table->allocator);
    base_release(&table->allocator, session, sizeof(*session));
}

struct natfw_session *natfw_session_table_of_handle(
    const struct natfw_session_table *table, natfw_handle handle)
{
    struct base_table_link *link =
        base_table_first(&table->by_serial, handle >> NATFW_HANDLE_REQUEST_BITS);
    return link ? SESSION_OF(link, serial_link) : NULL;
}

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms)
{
    if (deadline_ms == NATFW_NO_DEADLINE)
        base_timer_stop(&table->deadlines, &session->deadline);
    else
        base_timer_start(&table->deadlines, &session->deadline, deadline_ms);
}

struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table)
{
    return table->deadlines.first ? table->deadlines.first->owner : NULL;
}

void natfw_session_walk_begin(struct natfw_session_table *table, struct natfw_session_walk *walk)
{
    walk->next_session = table->all;
    LL_PREPEND(table->walks, walk);
}

struct natfw_session *natfw_session_walk_next(struct natfw_session_walk *walk)
{
    struct natfw_session *session = walk->next_session;
    if (session)
        walk->next_session = session->next;
    return session;
}

void natfw_session_walk_end(struct natfw_session_table *table, struct natfw_session_walk *walk)
{
    LL_DELETE(table->walks, walk);
}

/* All signalling sessions of a node; see session_table.h. */
#include "core/natfw/session_table.h"

#include <stddef.h>
#include <string.h>

/* A ticket: the session's serial number, and a count of its requests. */
enum { TICKET_REQUEST_BITS = 20 };

#define SESSION_OF(link, member)                                                                   \
    ((struct natfw_session *)((char *)(link)-offsetof(struct natfw_session, member)))

void natfw_session_table_open(struct natfw_session_table *table, size_t count_max,
    const uint8_t hash_key[GIST_HASH_KEY_LENGTH], const struct gist_allocator *allocator)
{
    table->allocator = *allocator;
    table->count_max = count_max;
    memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
    gist_table_open(&table->by_id, allocator);
    gist_table_open(&table->by_serial, allocator);
    LIST_INIT(&table->all);
}

void natfw_session_table_close(struct natfw_session_table *table)
{
    while (!LIST_EMPTY(&table->all))
        natfw_session_table_remove(table, LIST_FIRST(&table->all));
    gist_table_close(&table->by_id);
    gist_table_close(&table->by_serial);
}

static uint64_t hash_of(const struct natfw_session_table *table, const struct gist_session_id *id)
{
    return gist_hash(table->hash_key, id->octets, sizeof(id->octets));
}

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id)
{
    struct gist_table_link *link = gist_table_first(&table->by_id, hash_of(table, id));
    while (link && !gist_session_id_equal(&SESSION_OF(link, id_link)->id, id))
        link = gist_table_next(link);
    return link ? SESSION_OF(link, id_link) : NULL;
}

struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id)
{
    if (table->count == table->count_max)
        return NULL;
    struct natfw_session *session =
        table->allocator.allocate(table->allocator.context, sizeof(*session));
    if (!session)
        return NULL;
    session->id = *id;
    session->serial = ++table->serial;
    session->expires_ms = session->refresh_ms = NATFW_NO_DEADLINE;
    session->deadline.owner = session;
    gist_table_insert(&table->by_id, &session->id_link, hash_of(table, id));
    gist_table_insert(&table->by_serial, &session->serial_link, session->serial);
    LIST_INSERT_HEAD(&table->all, session, others);
    table->count++;
    return session;
}

void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session)
{
    gist_table_remove(&table->by_id, &session->id_link);
    gist_table_remove(&table->by_serial, &session->serial_link);
    gist_timer_stop(&table->deadlines, &session->deadline);
    LIST_REMOVE(session, others);
    table->count--;
    natfw_session_drop_held(&table->allocator, session);
    table->allocator.release(table->allocator.context, session, sizeof(*session));
}

uint64_t natfw_session_next_ticket(const struct natfw_session *session)
{
    uint64_t request = (session->ticket + 1) & ((UINT64_C(1) << TICKET_REQUEST_BITS) - 1);
    return session->serial << TICKET_REQUEST_BITS | request;
}

struct natfw_session *natfw_session_table_of_ticket(
    const struct natfw_session_table *table, uint64_t ticket)
{
    struct gist_table_link *link =
        gist_table_first(&table->by_serial, ticket >> TICKET_REQUEST_BITS);
    return link ? SESSION_OF(link, serial_link) : NULL;
}

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms)
{
    if (deadline_ms == NATFW_NO_DEADLINE)
        gist_timer_stop(&table->deadlines, &session->deadline);
    else
        gist_timer_start(&table->deadlines, &session->deadline, deadline_ms);
}

struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table)
{
    return table->deadlines.first ? table->deadlines.first->owner : NULL;
}

/* All signalling sessions of a node; see session_table.h. */
#include "core/natfw/session_table.h"

#include <string.h>

static uint32_t bucket_count_for(uint32_t capacity)
{
    uint32_t count = 16;
    while (count < capacity && count < 1u << 20)
        count *= 2;
    return count;
}

static void *take(const struct gist_allocator *allocator, size_t count, size_t each)
{
    return allocator->allocate(allocator->context, count * each);
}

bool natfw_session_table_init(struct natfw_session_table *table, uint32_t capacity,
    uint64_t hash_key, const struct gist_allocator *allocator)
{
    uint32_t buckets = bucket_count_for(capacity);
    *table = (struct natfw_session_table){.allocator = *allocator,
        .capacity = capacity,
        .bucket_mask = buckets - 1,
        .hash_key = hash_key | 1};
    table->buckets = take(allocator, buckets, sizeof(*table->buckets));
    table->slots = take(allocator, capacity, sizeof(*table->slots));
    table->free_slots = take(allocator, capacity, sizeof(*table->free_slots));
    table->heap = take(allocator, capacity, sizeof(*table->heap));
    if (!table->buckets || !table->slots || !table->free_slots || !table->heap) {
        natfw_session_table_free(table);
        return false;
    }
    for (uint32_t i = 0; i < capacity; i++)
        table->free_slots[i] = capacity - 1 - i;
    return true;
}

void natfw_session_table_free(struct natfw_session_table *table)
{
    const struct gist_allocator *allocator = &table->allocator;
    while (table->count > 0)
        natfw_session_table_remove(table, table->heap[table->count - 1]);
    allocator->release(
        allocator->context, table->buckets, (table->bucket_mask + 1) * sizeof(*table->buckets));
    allocator->release(allocator->context, table->slots, table->capacity * sizeof(*table->slots));
    allocator->release(
        allocator->context, table->free_slots, table->capacity * sizeof(*table->free_slots));
    allocator->release(allocator->context, table->heap, table->capacity * sizeof(*table->heap));
    *table = (struct natfw_session_table){0};
}

static struct natfw_session **bucket_of(
    const struct natfw_session_table *table, const struct gist_session_id *id)
{
    uint64_t high;
    uint64_t low;
    memcpy(&high, id->octets, sizeof(high));
    memcpy(&low, id->octets + sizeof(high), sizeof(low));
    uint64_t hash = (high ^ table->hash_key) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ (hash >> 29) ^ low) * (table->hash_key | 1);
    return &table->buckets[(hash >> 32) & table->bucket_mask];
}

struct natfw_session *natfw_session_table_find(
    const struct natfw_session_table *table, const struct gist_session_id *id)
{
    struct natfw_session *session = *bucket_of(table, id);
    while (session && !gist_session_id_equal(&session->id, id))
        session = session->next_in_bucket;
    return session;
}

struct natfw_session *natfw_session_table_at(const struct natfw_session_table *table, uint32_t slot)
{
    return slot < table->capacity ? table->slots[slot] : NULL;
}

static void place(struct natfw_session_table *table, struct natfw_session *session, uint32_t at)
{
    table->heap[at] = session;
    session->heap_position = at;
}

static void sift_up(struct natfw_session_table *table, struct natfw_session *session)
{
    uint32_t at = session->heap_position;
    while (at > 0 && table->heap[(at - 1) / 2]->deadline_ms > session->deadline_ms) {
        place(table, table->heap[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(table, session, at);
}

static void sift_down(struct natfw_session_table *table, struct natfw_session *session)
{
    uint32_t at = session->heap_position;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= table->count)
            break;
        if (child + 1 < table->count &&
            table->heap[child + 1]->deadline_ms < table->heap[child]->deadline_ms)
            child++;
        if (table->heap[child]->deadline_ms >= session->deadline_ms)
            break;
        place(table, table->heap[child], at);
        at = child;
    }
    place(table, session, at);
}

struct natfw_session *natfw_session_table_add(
    struct natfw_session_table *table, const struct gist_session_id *id)
{
    if (table->count == table->capacity)
        return NULL;
    struct natfw_session *session = take(&table->allocator, 1, sizeof(*session));
    if (!session)
        return NULL;
    session->id = *id;
    session->expires_ms = session->refresh_ms = session->deadline_ms = NATFW_NO_DEADLINE;
    session->slot = table->free_slots[table->capacity - table->count - 1];
    table->slots[session->slot] = session;
    struct natfw_session **bucket = bucket_of(table, id);
    session->next_in_bucket = *bucket;
    *bucket = session;
    place(table, session, table->count++);
    return session;
}

void natfw_session_table_remove(struct natfw_session_table *table, struct natfw_session *session)
{
    struct natfw_session **link = bucket_of(table, &session->id);
    while (*link != session)
        link = &(*link)->next_in_bucket;
    *link = session->next_in_bucket;

    struct natfw_session *last = table->heap[--table->count];
    if (last != session) {
        place(table, last, session->heap_position);
        sift_up(table, last);
        sift_down(table, last);
    }
    natfw_session_drop_held(&table->allocator, session);
    table->slots[session->slot] = NULL;
    table->free_slots[table->capacity - table->count - 1] = session->slot;
    table->allocator.release(table->allocator.context, session, sizeof(*session));
}

void natfw_session_table_set_deadline(
    struct natfw_session_table *table, struct natfw_session *session, uint64_t deadline_ms)
{
    session->deadline_ms = deadline_ms;
    sift_up(table, session);
    sift_down(table, session);
}

struct natfw_session *natfw_session_table_earliest(const struct natfw_session_table *table)
{
    return table->count > 0 ? table->heap[0] : NULL;
}

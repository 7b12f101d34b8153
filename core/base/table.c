/* A hash table with chains; see table.h. */
#include "core/base/table.h"

#include <stdbool.h>
#include <string.h>

void base_table_open(struct base_table *table, const struct base_allocator *allocator)
{
    memset(table, 0, sizeof(*table));
    table->allocator = *allocator;
    table->buckets = table->initial;
    table->bucket_count = BASE_TABLE_INITIAL;
}

static void release_buckets(
    const struct base_table *table, struct base_table_link **buckets, size_t count)
{
    if (buckets != table->initial)
        base_release(&table->allocator, buckets, count * sizeof(*buckets));
}

void base_table_close(struct base_table *table)
{
    release_buckets(table, table->buckets, table->bucket_count);
    table->buckets = table->initial;
    table->bucket_count = BASE_TABLE_INITIAL;
}

static void put(struct base_table *table, struct base_table_link *link)
{
    struct base_table_link **bucket = &table->buckets[link->hash & (table->bucket_count - 1)];
    link->next = *bucket;
    *bucket = link;
}

static void move_all(struct base_table *table, struct base_table_link **buckets, size_t count)
{
    struct base_table_link **old = table->buckets;
    size_t old_count = table->bucket_count;
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < old_count; i++)
        while (old[i]) {
            struct base_table_link *link = old[i];
            old[i] = link->next;
            put(table, link);
        }
    release_buckets(table, old, old_count);
}

static void grow(struct base_table *table)
{
    size_t count = 2 * table->bucket_count;
    struct base_table_link **buckets = base_allocate(&table->allocator, count * sizeof(*buckets));
    if (buckets)
        move_all(table, buckets, count);
}

void base_table_insert(struct base_table *table, struct base_table_link *link, uint64_t hash)
{
    if (table->count >= table->bucket_count)
        grow(table);
    link->hash = hash;
    put(table, link);
    table->count++;
}

void base_table_remove(struct base_table *table, struct base_table_link *link)
{
    struct base_table_link **place = &table->buckets[link->hash & (table->bucket_count - 1)];
    while (*place && *place != link)
        place = &(*place)->next;
    if (!*place)
        return;
    *place = link->next;
    link->next = NULL;
    if (--table->count == 0)
        base_table_close(table);
}

static struct base_table_link *of_hash(struct base_table_link *link, uint64_t hash)
{
    while (link && link->hash != hash)
        link = link->next;
    return link;
}

struct base_table_link *base_table_first(const struct base_table *table, uint64_t hash)
{
    return of_hash(table->buckets[hash & (table->bucket_count - 1)], hash);
}

struct base_table_link *base_table_next(const struct base_table_link *link)
{
    return of_hash(link->next, link->hash);
}

struct base_table_link *base_table_any(const struct base_table *table)
{
    for (size_t i = 0; i < table->bucket_count; i++)
        if (table->buckets[i])
            return table->buckets[i];
    return NULL;
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static uint64_t little_endian(const uint8_t *octets, size_t length)
{
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)octets[i] << (8 * i);
    return value;
}

static void sip_rounds(uint64_t v[4], unsigned rounds)
{
    while (rounds-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void absorb(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_rounds(v, 2);
    v[0] ^= word;
}

uint64_t base_hash(const uint8_t key[BASE_HASH_KEY_LENGTH], const uint8_t *octets, size_t length)
{
    uint64_t k0 = little_endian(key, 8);
    uint64_t k1 = little_endian(key + 8, 8);
    uint64_t v[4] = {k0 ^ UINT64_C(0x736f6d6570736575), k1 ^ UINT64_C(0x646f72616e646f6d),
        k0 ^ UINT64_C(0x6c7967656e657261), k1 ^ UINT64_C(0x7465646279746573)};
    size_t whole = length - length % 8;
    for (size_t i = 0; i < whole; i += 8)
        absorb(v, little_endian(octets + i, 8));
    absorb(v, little_endian(octets + whole, length % 8) | (uint64_t)length << 56);
    v[2] ^= 0xff;
    sip_rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

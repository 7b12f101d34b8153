/* An intrusive hash table with chains. It grows when it can get memory and works on, more slowly,
 * when it can't. The hash is keyed, for peers choose what is looked up. */
#ifndef NATFW_BASE_TABLE_H
#define NATFW_BASE_TABLE_H

#include "core/base/allocator.h"

#include <stdint.h>

enum { BASE_TABLE_INITIAL = 16, BASE_HASH_KEY_LENGTH = 16 };

_Static_assert((BASE_TABLE_INITIAL & (BASE_TABLE_INITIAL - 1)) == 0, "a power of 2");

struct base_table_link {
    struct base_table_link *next;
    uint64_t hash;
};

struct base_table {
    struct base_allocator allocator;
    struct base_table_link **buckets;
    size_t bucket_count; /* a power of 2 */
    size_t count;
    struct base_table_link *initial[BASE_TABLE_INITIAL];
};

/* The table must not move afterwards. */
void base_table_open(struct base_table *table, const struct base_allocator *allocator);
/* Gives back the table's own memory; what it links is the caller's. */
void base_table_close(struct base_table *table);

void base_table_insert(struct base_table *table, struct base_table_link *link, uint64_t hash);
void base_table_remove(struct base_table *table, struct base_table_link *link);

/* The links of this hash, one after another; NULL at the end. */
struct base_table_link *base_table_first(const struct base_table *table, uint64_t hash);
struct base_table_link *base_table_next(const struct base_table_link *link);
/* Any link, or NULL when the table is empty. */
struct base_table_link *base_table_any(const struct base_table *table);

/* SipHash-2-4. */
uint64_t base_hash(const uint8_t key[BASE_HASH_KEY_LENGTH], const uint8_t *octets, size_t length);

#endif

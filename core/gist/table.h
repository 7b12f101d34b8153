/* An intrusive hash table with chains. It grows when it can get memory and works on, more slowly,
 * when it can't. The hash is keyed, for peers choose what is looked up. */
#ifndef NATFW_GIST_TABLE_H
#define NATFW_GIST_TABLE_H

#include "core/gist/allocator.h"

#include <stdint.h>

enum { GIST_TABLE_INITIAL = 16, GIST_HASH_KEY_LENGTH = 16 };

struct gist_table_link {
    struct gist_table_link *next;
    uint64_t hash;
};

struct gist_table {
    struct gist_allocator allocator;
    struct gist_table_link **buckets;
    size_t bucket_count; /* a power of 2 */
    size_t count;
    struct gist_table_link *initial[GIST_TABLE_INITIAL];
};

/* The table must not move afterwards. */
void gist_table_open(struct gist_table *table, const struct gist_allocator *allocator);
/* Gives back the table's own memory; what it links is the caller's. */
void gist_table_close(struct gist_table *table);

void gist_table_insert(struct gist_table *table, struct gist_table_link *link, uint64_t hash);
void gist_table_remove(struct gist_table *table, struct gist_table_link *link);

/* The links of this hash, one after another; NULL at the end. */
struct gist_table_link *gist_table_first(const struct gist_table *table, uint64_t hash);
struct gist_table_link *gist_table_next(const struct gist_table_link *link);
/* Any link, or NULL when the table is empty. */
struct gist_table_link *gist_table_any(const struct gist_table *table);

/* SipHash-2-4. */
uint64_t gist_hash(const uint8_t key[GIST_HASH_KEY_LENGTH], const uint8_t *octets, size_t length);

#endif

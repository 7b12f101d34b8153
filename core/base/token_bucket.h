/* The rate limit of what this node sends in D-mode. RFC 5971 5.3.3. */
#ifndef NATFW_BASE_TOKEN_BUCKET_H
#define NATFW_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct base_token_bucket {
    uint64_t rate;     /* tokens a second; 0: no limit */
    uint64_t capacity; /* thousandths of a token */
    uint64_t level;    /* thousandths of a token */
    uint64_t filled_at_ms;
};

struct base_token_bucket base_token_bucket_full(uint32_t rate, uint32_t burst, uint64_t now_ms);

/* Takes one token. Returns false when there is none. */
bool base_token_bucket_take(struct base_token_bucket *bucket, uint64_t now_ms);

/* Milliseconds until there is one again; at least 1. */
uint64_t base_token_bucket_wait_ms(const struct base_token_bucket *bucket);

#endif

/* A token bucket; see token_bucket.h. */
#include "core/base/token_bucket.h"

enum { TOKEN = 1000, REFILL_MAX_MS = 3600000 };

struct base_token_bucket base_token_bucket_full(uint32_t rate, uint32_t burst, uint64_t now_ms)
{
    uint64_t capacity = TOKEN * (uint64_t)(burst > 0 ? burst : 1);
    return (struct base_token_bucket){
        .rate = rate, .capacity = capacity, .level = capacity, .filled_at_ms = now_ms};
}

bool base_token_bucket_take(struct base_token_bucket *bucket, uint64_t now_ms)
{
    if (bucket->rate == 0)
        return true;
    uint64_t passed_ms = now_ms - bucket->filled_at_ms;
    if (passed_ms > REFILL_MAX_MS)
        passed_ms = REFILL_MAX_MS;
    bucket->level += passed_ms * bucket->rate; /* a token a second is a thousandth a millisecond */
    if (bucket->level > bucket->capacity)
        bucket->level = bucket->capacity;
    bucket->filled_at_ms = now_ms;
    if (bucket->level < TOKEN)
        return false;
    bucket->level -= TOKEN;
    return true;
}

uint64_t base_token_bucket_wait_ms(const struct base_token_bucket *bucket)
{
    if (bucket->rate == 0 || bucket->level >= TOKEN)
        return 1;
    return (TOKEN - bucket->level + bucket->rate - 1) / bucket->rate;
}

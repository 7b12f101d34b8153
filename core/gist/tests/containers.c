/* core/gist: timers, tables, streams and the token bucket by themselves. */
#include "core/base/table.h"
#include "core/base/timer.h"
#include "core/base/token_bucket.h"
#include "core/gist/message/common_header.h"
#include "core/gist/message/message_stream.h"
#include "core/gist/tests/network.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MANY = 2000 };

static uint32_t next_random(uint32_t *state)
{
    return *state = *state * 1664525 + 1013904223;
}

Test(containers, timers_come_in_order_whatever_was_stopped)
{
    static struct base_timer timers[MANY];
    struct base_timers heap = {0};
    uint32_t random = 1;
    for (size_t i = 0; i < MANY; i++)
        base_timer_start(&heap, &timers[i], NETWORK_START_MS + (next_random(&random) >> 16));
    for (size_t i = 0; i < MANY; i += 3)
        base_timer_stop(&heap, &timers[i]);
    for (size_t i = 1; i < MANY; i += 3)
        base_timer_start(&heap, &timers[i], NETWORK_START_MS + (next_random(&random) >> 16));
    uint64_t last = 0;
    size_t count = 0;
    while (heap.first) {
        cr_assert_geq(heap.first->deadline_ms, last);
        last = heap.first->deadline_ms;
        base_timer_stop(&heap, heap.first);
        count++;
    }
    cr_assert_eq(count, MANY - (MANY + 2) / 3);
}

Test(containers, a_table_finds_what_is_in_it)
{
    static struct base_table_link links[MANY];
    struct network_options options = {.seed = 1};
    struct network *network = network_create(&options);
    struct base_allocator allocator = network_seams(network_add(network)).allocator;
    struct base_table table;
    base_table_open(&table, &allocator);
    for (size_t i = 0; i < MANY; i++)
        base_table_insert(&table, &links[i], i / 2);
    cr_assert_gt(table.bucket_count, MANY / 2);
    for (size_t i = 0; i < MANY; i += 2) {
        struct base_table_link *first = base_table_first(&table, i / 2);
        cr_assert(first && base_table_next(first) && !base_table_next(base_table_next(first)));
    }
    for (size_t i = 0; i < MANY; i++)
        base_table_remove(&table, &links[i]);
    cr_assert_null(base_table_any(&table));
    cr_assert_eq(network_memory(network)->outstanding, 0);
    network_destroy(network);
}

Test(containers, the_hash_is_siphash)
{
    uint8_t key[16];
    uint8_t octets[15];
    for (uint8_t i = 0; i < 16; i++)
        key[i] = i;
    for (uint8_t i = 0; i < 15; i++)
        octets[i] = i;
    cr_assert_eq(base_hash(key, octets, 15), UINT64_C(0xa129ca6149be45e5));
}

/* Cuts a stream of three messages into portions of each size. */
Test(containers, messages_come_whole_out_of_any_portions)
{
    static const uint8_t stream[] = {1, 1, 0, 1, 0, 0, 5, 128, 1, 2, 3, 4, 1, 1, 0, 0, 0, 33, 3, 0,
        1, 1, 0, 2, 0, 0, 5, 128, 1, 2, 3, 4, 5, 6, 7, 8};
    struct network_options options = {.seed = 1};
    struct network *network = network_create(&options);
    struct base_allocator allocator = network_seams(network_add(network)).allocator;
    for (size_t portion = 1; portion <= sizeof(stream); portion++) {
        struct gist_message_stream state = {0};
        size_t lengths[4] = {0};
        size_t count = 0;
        for (size_t at = 0; at < sizeof(stream); at += portion) {
            const uint8_t *octets = stream + at;
            size_t length = at + portion > sizeof(stream) ? sizeof(stream) - at : portion;
            const uint8_t *message;
            size_t message_length;
            while (gist_message_stream_next(&state, &allocator, &octets, &length, &message,
                       &message_length) == GIST_STREAM_MESSAGE)
                lengths[count++] = message_length;
        }
        cr_assert_eq(count, 3);
        cr_assert(lengths[0] == 12 && lengths[1] == 8 && lengths[2] == 16);
        gist_message_stream_close(&state, &allocator);
    }
    cr_assert_eq(network_memory(network)->outstanding, 0);
    network_destroy(network);
}

enum { LONGEST = GIST_MESSAGE_LENGTH_MAX };

/* A message of so many octets, whose first portion is `first` octets and whose others are
 * `portion`. */
static void expect_whole(
    const struct base_allocator *allocator, size_t length, size_t first, size_t portion)
{
    static uint8_t sent[LONGEST];
    struct gist_message_stream state = {0};
    for (size_t i = 0; i < length; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    size_t words = (length - GIST_COMMON_HEADER_LENGTH) / 4;
    sent[2] = (uint8_t)(words >> 8);
    sent[3] = (uint8_t)words;
    size_t messages = 0;
    for (size_t at = 0, size = first; at < length; at += size, size = portion) {
        const uint8_t *octets = sent + at, *message;
        size_t left = at + size > length ? length - at : size, message_length;
        while (gist_message_stream_next(&state, allocator, &octets, &left, &message,
                   &message_length) == GIST_STREAM_MESSAGE) {
            messages++;
            cr_assert_eq(message_length, length);
            cr_assert_eq(memcmp(message, sent, length), 0, "%zu: %zu, %zu", length, first, portion);
        }
        cr_assert_leq(state.filled, state.capacity, "%zu: %zu, %zu", length, first, portion);
    }
    cr_assert_eq(messages, 1, "%zu: %zu, %zu", length, first, portion);
    gist_message_stream_close(&state, allocator);
}

Test(containers, a_message_of_any_length_comes_whole)
{
    static const size_t lengths[] = {
        508, 512, 516, 1024, 1028, 1032, 2048, 2052, 5000, 16384, 100000, LONGEST - 4, LONGEST};
    struct network_options options = {.seed = 1};
    struct network *network = network_create(&options);
    struct base_allocator allocator = network_seams(network_add(network)).allocator;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        expect_whole(&allocator, lengths[i], 3, lengths[i]);
        expect_whole(&allocator, lengths[i], GIST_COMMON_HEADER_LENGTH, lengths[i]);
        expect_whole(&allocator, lengths[i], 500, lengths[i]);
        expect_whole(&allocator, lengths[i], 1448, 1448);
        expect_whole(&allocator, lengths[i], lengths[i] - 1, 1);
    }
    cr_assert_eq(network_memory(network)->outstanding, 0);
    cr_assert_eq(network_memory(network)->wrong_lengths, 0);
    network_destroy(network);
}

Test(containers, memory_follows_what_has_arrived_not_what_is_promised)
{
    struct network_options options = {.seed = 1};
    struct network *network = network_create(&options);
    struct base_allocator allocator = network_seams(network_add(network)).allocator;
    uint8_t octets[GIST_COMMON_HEADER_LENGTH] = {1, 1, 0xff, 0xff};
    const uint8_t *at = octets;
    size_t length = sizeof(octets);
    struct gist_message_stream state = {0};
    const uint8_t *message;
    size_t message_length;
    cr_assert_eq(
        gist_message_stream_next(&state, &allocator, &at, &length, &message, &message_length),
        GIST_STREAM_MORE);
    cr_assert_lt(network_memory(network)->octets, 1024);
    gist_message_stream_close(&state, &allocator);
    network_destroy(network);
}

Test(containers, the_bucket_holds_a_burst_and_fills_at_its_rate)
{
    uint64_t now_ms = NETWORK_START_MS;
    struct base_token_bucket bucket = base_token_bucket_full(10, 3, now_ms);
    for (size_t i = 0; i < 3; i++)
        cr_assert(base_token_bucket_take(&bucket, now_ms));
    cr_assert_not(base_token_bucket_take(&bucket, now_ms));
    cr_assert_eq(base_token_bucket_wait_ms(&bucket), 100);
    cr_assert_not(base_token_bucket_take(&bucket, now_ms + 99));
    cr_assert(base_token_bucket_take(&bucket, now_ms + 100));
    cr_assert_not(base_token_bucket_take(&bucket, now_ms + 100));
}

static void count_expiry(void *context, void *owner)
{
    (void)owner;
    ++*(size_t *)context;
}

Test(containers, very_many_timers_have_their_turn_some_at_a_time)
{
    static struct base_timer timers[MANY];
    struct base_timers heap = {0};
    size_t expired = 0;
    for (size_t i = 0; i < MANY; i++) {
        timers[i].expire = count_expiry;
        base_timer_start(&heap, &timers[i], NETWORK_START_MS + i % 2);
    }
    for (size_t turns = 1; heap.first && heap.first->deadline_ms <= NETWORK_START_MS; turns++) {
        size_t before = expired;
        base_timers_run(&heap, NETWORK_START_MS, &expired);
        cr_assert(expired > before && expired - before <= BASE_TIMERS_AT_ONCE);
    }
    cr_assert_eq(expired, MANY / 2, "those that are due, and no other");
}

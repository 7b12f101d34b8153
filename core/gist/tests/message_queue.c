/* core/gist: the queues of waiting messages, and what all of them may hold together. */
#include "core/gist/state/message_queue.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static size_t live; /* allocations */
static bool memory_lasts = true;

static void *allocate(void *context, size_t length)
{
    (void)context;
    if (!memory_lasts)
        return NULL;
    live++;
    return malloc(length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context, (void)length;
    live--;
    free(memory);
}

static struct gist_queue_store store_of(size_t octets_max)
{
    return (struct gist_queue_store){
        .allocator = {.allocate = allocate, .release = release}, .octets_max = octets_max};
}

static bool put(struct gist_queue_store *store, struct gist_message_queue *queue, const char *text)
{
    struct gist_outgoing message = {
        .data = (const uint8_t *)text, .length = strlen(text), .handle = 7, .hop_count = 9};
    return gist_queue_put(store, queue, &message);
}

/* Takes the first message off, and looks whether it is this one. */
static struct gist_queued_message *take(struct gist_message_queue *queue, const char *text)
{
    struct gist_queued_message *taken = gist_queue_take(queue);
    cr_assert_not_null(taken, "%s is not there", text);
    cr_assert_eq(taken->message.length, strlen(text));
    cr_assert_arr_eq(taken->message.data, text, strlen(text));
    return taken;
}

Test(message_queue, messages_come_out_as_they_went_in)
{
    struct gist_queue_store store = store_of(100);
    struct gist_message_queue queue = {0};
    char text[] = "first";
    cr_assert(put(&store, &queue, text));
    memset(text, 'x', sizeof(text) - 1); /* the caller's octets are copied */
    cr_assert(put(&store, &queue, "second"));
    struct gist_queued_message *first = take(&queue, "first");
    cr_assert_eq(first->message.handle, 7);
    cr_assert_eq(first->message.hop_count, 9);
    gist_queue_release(&store, first);
    gist_queue_release(&store, take(&queue, "second"));
    cr_assert_null(gist_queue_take(&queue));
    cr_assert_eq(live, 0);
}

Test(message_queue, what_is_put_back_stands_before_the_rest)
{
    struct gist_queue_store store = store_of(100);
    struct gist_message_queue queue = {0};
    cr_assert(put(&store, &queue, "first"));
    cr_assert(put(&store, &queue, "second"));
    gist_queue_put_back(&store, &queue, take(&queue, "first"));
    gist_queue_release(&store, take(&queue, "first"));
    gist_queue_release(&store, take(&queue, "second"));
    cr_assert_eq(live, 0);
}

Test(message_queue, the_queues_of_a_store_share_what_may_wait)
{
    struct gist_queue_store store = store_of(10);
    struct gist_message_queue one = {0}, other = {0};
    cr_assert(put(&store, &one, "123456"));
    cr_assert_not(put(&store, &other, "12345"), "eleven octets");
    cr_assert(put(&store, &other, "1234"), "ten are what it may hold");
    cr_assert_eq(store.octets, 10);
    cr_assert_not(put(&store, &one, "1"));
    gist_queue_clear(&store, &one);
    gist_queue_clear(&store, &other);
}

Test(message_queue, a_limit_below_what_there_is_lets_nothing_in)
{
    struct gist_queue_store store = store_of(10);
    struct gist_message_queue queue = {0};
    cr_assert(put(&store, &queue, "12345678"));
    store.octets_max = 5;
    cr_assert_not(put(&store, &queue, "1"));
    gist_queue_clear(&store, &queue);
    cr_assert(put(&store, &queue, "12345"));
    gist_queue_clear(&store, &queue);
}

Test(message_queue, what_goes_on_leaves_its_room_and_takes_it_again_when_it_comes_back)
{
    struct gist_queue_store store = store_of(10);
    struct gist_message_queue queue = {0}, other = {0};
    cr_assert(put(&store, &queue, "1234567890"));
    struct gist_queued_message *taken = gist_queue_take(&queue);
    gist_queue_discount(&store, taken);
    cr_assert(store.octets == 0 && put(&store, &other, "1234567890"));
    gist_queue_clear(&store, &other);
    gist_queue_put_back(&store, &queue, taken);
    cr_assert_eq(store.octets, 10);
    gist_queue_clear(&store, &queue);
    cr_assert(store.octets == 0 && live == 0);
}

Test(message_queue, what_is_released_gives_its_room_back)
{
    struct gist_queue_store store = store_of(10);
    struct gist_message_queue queue = {0};
    for (int round = 0; round < 5; round++) {
        cr_assert(put(&store, &queue, "1234567890"), "round %d", round);
        gist_queue_release(&store, take(&queue, "1234567890"));
        cr_assert_eq(store.octets, 0);
    }
    cr_assert(put(&store, &queue, "12345"));
    cr_assert(put(&store, &queue, "12345"));
    gist_queue_clear(&store, &queue);
    cr_assert_eq(store.octets, 0);
    cr_assert_null(gist_queue_take(&queue));
    cr_assert_eq(live, 0);
}

Test(message_queue, without_memory_nothing_is_queued_and_no_room_is_lost)
{
    struct gist_queue_store store = store_of(10);
    struct gist_message_queue queue = {0};
    memory_lasts = false;
    cr_assert_not(put(&store, &queue, "1234567890"));
    cr_assert_eq(store.octets, 0);
    cr_assert_null(gist_queue_take(&queue));
}

/* The table of sessions: by id, by slot, by deadline. */
#include "core/natfw/session/session_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define START_MS (UINT64_C(1) << 40)

static void *allocate(void *context, size_t length)
{
    (void)context;
    return calloc(1, length);
}

static void release(void *context, void *memory, size_t length)
{
    (void)context, (void)length;
    free(memory);
}

static const struct base_allocator allocator = {.allocate = allocate, .release = release};

static struct gist_session_id id_of(uint32_t number)
{
    return (struct gist_session_id){
        {(uint8_t)(number >> 8), (uint8_t)number, [15] = (uint8_t)(number * 7)}};
}

static const uint8_t key[BASE_HASH_KEY_LENGTH] = {1, 2, 3};

Test(session_table, finds_what_was_added_until_it_is_removed)
{
    struct natfw_session_table table = {0};
    natfw_session_table_open(&table, 1000, key, &allocator);
    for (uint32_t i = 0; i < 1000; i++) {
        struct gist_session_id id = id_of(i);
        cr_assert_not_null(natfw_session_table_add(&table, &id));
    }
    struct gist_session_id one_too_many = id_of(1000);
    cr_assert_null(natfw_session_table_add(&table, &one_too_many));
    for (uint32_t i = 0; i < 1000; i += 2) {
        struct gist_session_id id = id_of(i);
        natfw_session_table_remove(&table, natfw_session_table_find(&table, &id));
    }
    for (uint32_t i = 0; i < 1000; i++) {
        struct gist_session_id id = id_of(i);
        cr_assert_eq(natfw_session_table_find(&table, &id) != NULL, i % 2 == 1);
    }
    natfw_session_table_close(&table);
}

Test(session_table, a_handle_leads_to_its_session_and_to_no_later_one)
{
    struct natfw_session_table table = {0};
    natfw_session_table_open(&table, 10, key, &allocator);
    struct gist_session_id id = id_of(1);
    struct natfw_session *session = natfw_session_table_add(&table, &id);
    natfw_session_await_response(session);
    uint64_t first = session->request.handle;
    natfw_session_await_response(session);
    cr_assert_neq(session->request.handle, first);
    cr_assert_eq(natfw_session_table_of_handle(&table, first), session);
    natfw_session_table_remove(&table, session);
    cr_assert_not_null(natfw_session_table_add(&table, &id));
    cr_assert_null(natfw_session_table_of_handle(&table, first));
    natfw_session_table_close(&table);
}

Test(session_table, gives_out_deadlines_in_order)
{
    struct natfw_session_table table = {0};
    natfw_session_table_open(&table, 500, key, &allocator);
    uint32_t random = 1;
    for (uint32_t i = 0; i < 500; i++) {
        struct gist_session_id id = id_of(i);
        random = random * 1103515245 + 12345;
        natfw_session_table_set_deadline(
            &table, natfw_session_table_add(&table, &id), START_MS + random % 1000);
    }
    for (uint32_t i = 0; i < 500; i += 3) {
        struct gist_session_id id = id_of(i);
        natfw_session_table_set_deadline(
            &table, natfw_session_table_find(&table, &id), START_MS + i);
    }
    uint64_t last_ms = 0;
    while (table.count > 0) {
        struct natfw_session *session = natfw_session_table_earliest(&table);
        cr_assert_geq(session->deadline.deadline_ms, last_ms);
        last_ms = session->deadline.deadline_ms;
        natfw_session_table_remove(&table, session);
    }
    natfw_session_table_close(&table);
}

static struct natfw_session *add(struct natfw_session_table *table, uint32_t number)
{
    struct gist_session_id id = id_of(number);
    return natfw_session_table_add(table, &id);
}

Test(session_table, is_walked_over_while_sessions_begin_and_end)
{
    struct natfw_session_table table = {0};
    struct natfw_session *sessions[8];
    struct natfw_session_walk early, late;
    natfw_session_table_open(&table, 1000, key, &allocator);
    for (uint32_t i = 0; i < 8; i++)
        sessions[i] = add(&table, i);
    natfw_session_walk_begin(&table, &early);
    cr_assert_eq(natfw_session_walk_next(&early), sessions[7]);
    natfw_session_walk_begin(&table, &late);
    add(&table, 8);
    natfw_session_table_remove(&table, sessions[7]); /* seen by one of them */
    natfw_session_table_remove(&table, sessions[6]); /* next of both */
    natfw_session_table_remove(&table, sessions[5]);
    natfw_session_table_remove(&table, sessions[2]); /* to come */
    for (size_t i = 0; i < 2; i++) {
        struct natfw_session_walk *walk = i == 0 ? &late : &early;
        cr_assert_eq(natfw_session_walk_next(walk), sessions[4]);
        cr_assert_eq(natfw_session_walk_next(walk), sessions[3]);
        cr_assert_eq(natfw_session_walk_next(walk), sessions[1]);
    }
    natfw_session_table_remove(&table, sessions[0]); /* the last */
    cr_assert_null(natfw_session_walk_next(&early));
    natfw_session_walk_end(&table, &early);
    cr_assert_null(natfw_session_walk_next(&late));
    natfw_session_table_remove(&table, sessions[1]);
    natfw_session_walk_end(&table, &late);
    cr_assert_null(table.walks);
    natfw_session_table_close(&table);
}

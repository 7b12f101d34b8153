/* core/natfw over core/gist: the routing state of a session lives as long as the session, and no
 * longer. RFC 5971 4.4.4, B.5. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/path.h"

#include <criterion/criterion.h>

enum { MINUTE_MS = 60000, LIFETIME_S = 3600, NODES = 3 };

static struct path *path;

static void start(void)
{
    struct gist_node_config config = gist_node_config_default();
    path = path_create(NODES, &config);
}

static void stop(void)
{
    path_destroy(path);
}

TestSuite(routing_state, .init = start, .fini = stop);

static struct gist_session_id establish(uint32_t lifetime_s)
{
    struct gist_session_id id = path_open(path, path->nodes[2].address, lifetime_s, false);
    network_run_for(path->network, 5000);
    for (size_t i = 0; i < NODES; i++)
        cr_assert_eq(path->nodes[i].events[NATFW_EVENT_ESTABLISHED], 1, "node %zu", i);
    return id;
}

static void expect_states(size_t first, size_t second, size_t third)
{
    const size_t wanted[NODES] = {first, second, third};
    for (size_t i = 0; i < NODES; i++)
        cr_assert_eq(
            gist_node_counters(path->nodes[i].gist).routing_states, wanted[i], "node %zu", i);
}

/* The responder speaks on the session, as it would to end it. */
static enum gist_send_result notify_from_the_end(const struct gist_session_id *id)
{
    struct natfw_session_view view;
    cr_assert(natfw_node_session(path->nodes[2].natfw, id, &view));
    uint8_t data[64];
    struct natfw_message notify = {
        .type = NATFW_NOTIFY, .info = {.code = NATFW_SESSION_TERMINATED}};
    natfw_message_add(&notify, NATFW_INFO);
    struct gist_send_request request = {
        .data = data,
        .length = natfw_message_build(&notify, data, sizeof(data)),
        .session_id = *id,
        .mri = gist_mri_upstream(&view.rule.flow),
        .attributes = {.reliable = true},
    };
    return gist_send_message(path->nodes[2].gist, network_now_ms(path->network), &request);
}

Test(routing_state, a_session_of_an_hour_has_a_way_back_to_its_last_minute)
{
    struct gist_session_id id = establish(LIFETIME_S);
    network_run_for(path->network, 59 * MINUTE_MS);
    expect_states(1, 2, 1);
    cr_assert_eq(notify_from_the_end(&id), GIST_SENT);
    network_run_for(path->network, 1000);
    cr_assert_eq(path->nodes[0].events[NATFW_EVENT_NOTIFIED], 1);
    cr_assert_not(path_knows(path, 0, &id) || path_knows(path, 1, &id));
}

Test(routing_state, goes_with_its_session)
{
    struct gist_session_id id = establish(LIFETIME_S);
    network_run_for(path->network, 10 * MINUTE_MS);
    cr_assert_eq(
        natfw_node_close(path->nodes[0].natfw, network_now_ms(path->network), &id), NATFW_OK);
    network_run_for(path->network, MINUTE_MS);
    cr_assert_not(path_knows(path, 1, &id) || path_knows(path, 2, &id));
    expect_states(0, 0, 0);
}

Test(routing_state, goes_when_the_lifetime_is_over)
{
    establish(600);
    network_run_for(path->network, 9 * MINUTE_MS);
    expect_states(1, 2, 1);
    network_run_for(path->network, 2 * MINUTE_MS);
    expect_states(0, 0, 0);
}

/* The initiator is gone without a word: the nodes further on stop refreshing, though the session's
 * lifetime is not over. */
Test(routing_state, is_not_refreshed_for_an_initiator_that_is_gone)
{
    establish(LIFETIME_S);
    network_run_for(path->network, 5 * MINUTE_MS);
    gist_node_destroy(path->nodes[0].gist);
    path->nodes[0].gist = path->nodes[0].place->node = NULL;
    network_run_for(path->network, 2 * MINUTE_MS);
    for (size_t i = 1; i < NODES; i++)
        cr_assert_eq(gist_node_counters(path->nodes[i].gist).routing_states, 0, "node %zu", i);
}

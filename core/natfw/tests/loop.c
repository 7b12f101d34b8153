/* core/natfw over core/gist: signalling in a routing loop comes to an end. RFC 5971 4.3.3. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/tests/path.h"

#include <criterion/criterion.h>

enum { HOPS = 50, HANDSHAKES_MAX = 20 /* messages of the handshakes and refreshes meanwhile */ };

static struct path *path;
static struct gist_address nowhere;

/* Each of two firewalls takes the other for the way to the flow's end. The check of where a flow
 * comes in, which sees most loops, is off. */
static void start(void)
{
    struct gist_node_config config = gist_node_config_default();
    config.ingress_filter = false;
    nowhere = gist_address_v4(0xcb007109);
    path = path_create(3, &config);
    for (size_t i = 0; i < 3; i++)
        network_give_route(path->nodes[i].place, nowhere, 32, path->nodes[i == 1 ? 2 : 1].place,
            i == 2 ? 1 : 2, path->nodes[i].address);
}

static void stop(void)
{
    path_destroy(path);
}

TestSuite(loop, .init = start, .fini = stop);

/* The requests are no newer when they come again: sequence numbers stop them. The NOTIFY of the
 * route change that a loop looks like ends where the session is Transitory already. */
Test(loop, a_create_ends_with_the_nodes_that_know_it)
{
    struct gist_session_id id = path_open(path, nowhere, 60, false);
    network_run_for(path->network, 5000);
    cr_assert(path_knows(path, 1, &id) && path_knows(path, 2, &id));
    cr_assert_eq(path->nodes[1].events[NATFW_EVENT_DISCARDED], 1);
    cr_assert_eq(path->nodes[2].events[NATFW_EVENT_DISCARDED], 1);
    cr_assert_lt(path->sent, HANDSHAKES_MAX);
}

static void send_deletion(uint8_t hop_count)
{
    uint8_t data[128];
    struct natfw_message deletion = {
        .type = NATFW_CREATE, .sequence_number = 7, .efi = {.action = NATFW_ALLOW}};
    natfw_message_add(&deletion, NATFW_LT);
    natfw_message_add(&deletion, NATFW_EFI);
    natfw_message_add(&deletion, NATFW_MSN);
    struct gist_send_request request = {
        .data = data,
        .length = natfw_message_build(&deletion, data, sizeof(data)),
        .session_id = {{0x5e, 0x55}},
        .mri = {.source = path->nodes[0].address,
            .destination = nowhere,
            .source_prefix = 32,
            .destination_prefix = 32},
        .attributes = {.reliable = true},
        .has_hop_count = true,
        .hop_count = hop_count,
    };
    cr_assert_eq(
        gist_send_message(path->nodes[0].gist, network_now_ms(path->network), &request), GIST_SENT);
}

/* What is unknown here may be known further on (ruling A42), so only the hop count stops it. */
Test(loop, a_deletion_that_nobody_knows_ends_with_its_hop_count)
{
    send_deletion(HOPS);
    network_run_for(path->network, 5000);
    cr_assert_gt(path->sent, HOPS);
    cr_assert_lt(path->sent, HOPS + HANDSHAKES_MAX);
    network_run_for(path->network, 180000);
    size_t rest = path->sent;
    network_run_for(path->network, 180000);
    cr_assert_eq(path->sent, rest);
}

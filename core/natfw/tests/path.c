/* NATFW nodes in a row; see path.h. */
#include "core/natfw/tests/path.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static bool on_datagram(void *context, struct network_datagram *datagram)
{
    (void)datagram;
    ((struct path *)context)->sent++;
    return false;
}

static bool on_segment(void *context, struct network_segment *segment)
{
    (void)segment;
    ((struct path *)context)->sent++;
    return false;
}

static enum natfw_middlebox_result remember(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context, (void)owner, (void)rule;
    return NATFW_MIDDLEBOX_OK;
}

static void answer_soon(struct path_node *node, natfw_handle handle)
{
    if (handle == NATFW_NO_HANDLE)
        return;
    cr_assert(node->handle_count < PATH_HANDLES_MAX, "more handles than the path keeps");
    node->handles[node->handle_count++] = handle;
    node->place->user_deadline_ms = network_now_ms(node->place->network);
}

static void install(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *rule, uint64_t expires_ms, natfw_handle handle)
{
    (void)owner, (void)rule, (void)expires_ms;
    answer_soon(context, handle);
}

static void replace(void *context, const struct gist_session_id *owner,
    const struct natfw_policy_rule *old_rule, const struct natfw_policy_rule *new_rule,
    uint64_t expires_ms, natfw_handle handle)
{
    (void)owner, (void)old_rule, (void)new_rule, (void)expires_ms;
    answer_soon(context, handle);
}

static void take_away(
    void *context, const struct gist_session_id *owner, const struct natfw_policy_rule *rule)
{
    (void)context, (void)owner, (void)rule;
}

static enum natfw_code allow(void *context, const struct natfw_policy_question *question)
{
    (void)context, (void)question;
    return NATFW_NO_CODE;
}

static bool allow_takeover(
    void *context, const struct natfw_policy_question *question, const struct natfw_peer *former)
{
    (void)context, (void)question, (void)former;
    return true;
}

static bool allow_to_turn_back(void *context, uint32_t interface)
{
    (void)context, (void)interface;
    return true;
}

static void observe(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)now_ms;
    struct path_node *node = context;
    node->events[event->kind]++;
    if (event->info.code != NATFW_NO_CODE)
        node->last_info = event->info;
}

static void set_deadline(void *context, uint64_t deadline_ms)
{
    struct path_node *node = context;
    node->deadline_ms = deadline_ms;
    if (node->handle_count == 0)
        node->place->user_deadline_ms = deadline_ms;
}

static void tick(struct network_place *place, uint64_t now_ms)
{
    struct path_node *node = place->user;
    while (node->handle_count > 0)
        natfw_node_middlebox_done(
            node->natfw, now_ms, node->handles[--node->handle_count], NATFW_MIDDLEBOX_OK);
    natfw_node_tick(node->natfw, now_ms);
    if (node->handle_count == 0)
        place->user_deadline_ms = node->deadline_ms;
}

static void start(struct path_node *node, const struct gist_node_config *common)
{
    struct gist_seams gist_seams = network_seams(node->place);
    struct natfw_seams seams = {
        .allocator = gist_seams.allocator,
        .crypto = gist_seams.crypto,
        .middlebox = {node, remember, install, replace, take_away},
        .policy = {.authenticate = allow,
            .permit = allow,
            .may_take_over = allow_takeover,
            .may_turn_back = allow_to_turn_back},
        .observer = {node, observe},
        .deadline_context = node,
        .set_deadline = set_deadline,
    };
    struct natfw_node_config natfw_config = natfw_node_config_default();
    struct gist_node_config config = *common;
    node->natfw = natfw_node_create(&natfw_config, &seams);
    gist_seams.application = natfw_node_application(node->natfw);
    config.association_port = 4000;
    config.peer_identity_length = (size_t)snprintf(
        (char *)config.peer_identity, GIST_PEER_IDENTITY_MAX, "node-%u", node->place->number);
    node->gist = gist_node_create(&config, &gist_seams, network_now_ms(node->place->network));
    natfw_node_attach(node->natfw, node->gist, &gist_seams.transport);
    node->place->node = node->gist;
    node->place->user = node;
    node->place->user_tick = tick;
}

static void wire_up(struct path *path, size_t i)
{
    for (size_t j = 0; j < path->count; j++)
        if (j != i)
            network_give_route(path->nodes[i].place, path->nodes[j].address, 32,
                path->nodes[j < i ? i - 1 : i + 1].place, j < i ? 1 : 2, path->nodes[i].address);
}

struct path *path_create(size_t count, const struct gist_node_config *gist_config)
{
    struct path *path = calloc(1, sizeof(*path));
    if (!path || count > PATH_MAX_NODES)
        abort();
    struct network_options options = {.seed = 1,
        .latency_ms = 5,
        .on_datagram = on_datagram,
        .on_segment = on_segment,
        .context = path};
    path->network = network_create(&options);
    path->count = count;
    path->source_port = 4000;
    for (size_t i = 0; i < count; i++) {
        path->nodes[i].place = network_add(path->network);
        path->nodes[i].address = gist_address_v4(0xc0000201 + (uint32_t)i);
        path->nodes[i].deadline_ms = GIST_NO_DEADLINE;
        network_give_address(path->nodes[i].place, path->nodes[i].address);
    }
    for (size_t i = 0; i < count; i++)
        wire_up(path, i);
    for (size_t i = 0; i < count; i++)
        start(&path->nodes[i], gist_config);
    return path;
}

void path_destroy(struct path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        gist_node_destroy(path->nodes[i].gist);
        natfw_node_destroy(path->nodes[i].natfw);
    }
    network_destroy(path->network);
    free(path);
}

struct gist_session_id path_open(
    struct path *path, struct gist_address destination, uint32_t lifetime_s, bool refresh)
{
    struct natfw_open open = {.rule = {.action = NATFW_ALLOW,
                                  .flow = {.source = path->nodes[0].address,
                                      .destination = destination,
                                      .source_prefix = 32,
                                      .destination_prefix = 32,
                                      .has_protocol = true,
                                      .protocol = 17,
                                      .has_source_port = true,
                                      .source_port = path->source_port,
                                      .has_destination_port = true,
                                      .destination_port = 5000}},
        .lifetime_s = lifetime_s,
        .refresh = refresh};
    struct gist_session_id id;
    cr_assert_eq(
        natfw_node_open(path->nodes[0].natfw, network_now_ms(path->network), &open, &id), NATFW_OK);
    return id;
}

bool path_knows(const struct path *path, size_t node, const struct gist_session_id *id)
{
    struct natfw_session_view view;
    return natfw_node_session(path->nodes[node].natfw, id, &view);
}

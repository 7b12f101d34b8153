/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The life of a box, and its turns; see box.h. */
#include "harness/shim/box.h"

#include "harness/shim/box_router.h"
#include "harness/shim/box_transport.h"
#include "reference-node/base/heap.h"
#include "reference-node/base/text.h"
#include "reference-node/config/config_file.h"
#include "reference-node/config/policy_config.h"

#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 1000 }; /* of one moment; then others have their turn */

/* SplitMix64: what is random follows from the seed alone. */
static bool fill_random(void *context, uint8_t *octets, size_t length)
{
    struct box *box = context;
    for (size_t i = 0; i < length; i++) {
        uint64_t mixed = box->random_state += UINT64_C(0x9e3779b97f4a7c15);
        mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
        mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
        octets[i] = (uint8_t)(mixed ^ mixed >> 31);
    }
    return true;
}

static bool compute_mac(void *context, const uint8_t key[BASE_KEY_LENGTH], const uint8_t *data,
    size_t length, uint8_t mac[BASE_MAC_LENGTH])
{
    struct box *box = context;
    struct base_crypto openssl = crypto_openssl_seam(box->crypto);
    return openssl.mac(openssl.context, key, data, length, mac);
}

static void set_natfw_deadline(void *context, uint64_t deadline_ms)
{
    struct box *box = context;
    box->natfw_deadline_ms = deadline_ms;
}

static void on_pinholes_pending(void *context)
{
    struct box *box = context;
    box->commit_is_due = true;
}

static void on_pinhole_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    struct box *box = context;
    natfw_node_middlebox_done(box->natfw, box_now_ms(box), handle, result);
}

static void on_session_event(void *context, uint64_t now_ms, const struct natfw_event *event)
{
    (void)now_ms;
    struct box *box = context;
    if (event->kind == NATFW_EVENT_DISCARDED && event->why)
        box->output.log(box->output.context, event->why);
    triggers_session_event(box->triggers, box->natfw, event);
}

static bool create_core(struct box *box)
{
    struct base_allocator allocator = heap_allocator();
    struct pinholes_listener listener = {
        .context = box, .pending = on_pinholes_pending, .done = on_pinhole_done};
    box->identities = box_identities(box);
    box->config->identities = &box->identities;
    box->pinholes = pinholes_create(box->config->natfw.forwarder ? &box->filter_seam : NULL,
        box->config->pinholes_max, &listener);
    box->streams = streams_create(&box->output, box->config->gist.associations_max);
    box->triggers = triggers_create(&box->output);
    if (!box->pinholes || !box->streams || !box->triggers)
        return false;
    struct natfw_seams natfw = {.allocator = allocator,
        .crypto = {.context = box, .random = fill_random, .mac = compute_mac},
        .middlebox = pinholes_middlebox(box->pinholes),
        .policy = policy_config(box->config),
        .observer = {.context = box, .event = on_session_event},
        .deadline_context = box,
        .set_deadline = set_natfw_deadline};
    box->natfw = natfw_node_create(&box->config->natfw, &natfw);
    if (!box->natfw)
        return false;
    struct gist_seams gist = {.allocator = allocator,
        .crypto = natfw.crypto,
        .transport = box_transport(box),
        .application = natfw_node_application(box->natfw)};
    box->gist = gist_node_create(&box->config->gist, &gist, box_now_ms(box));
    if (!box->gist)
        return false;
    natfw_node_attach(box->natfw, box->gist, &gist.transport);
    return true;
}

static bool start_core(struct box *box, FILE *errors)
{
    box->gist_deadline_ms = box->natfw_deadline_ms = GIST_NO_DEADLINE;
    box->commit_is_due = false;
    box->datagrams_in = base_token_bucket_full(
        box->config->datagrams_in_per_second, box->config->datagrams_in_burst, box_now_ms(box));
    if (create_core(box))
        return true;
    fprintf(errors, "no memory for a box; lower sessions_max or routing_states_max\n");
    return false;
}

static void tell_nobody(void *context, const struct stream_event *event)
{
    (void)context;
    (void)event;
}

/* That streams end with the core is known to whoever ends it. */
static void stop_core(struct box *box)
{
    struct box_output output = box->output;
    if (box->triggers)
        triggers_give_up(box->triggers);
    box->output.stream = tell_nobody;
    gist_node_destroy(box->gist);
    natfw_node_destroy(box->natfw);
    streams_destroy(box->streams);
    triggers_destroy(box->triggers);
    pinholes_destroy(box->pinholes);
    box->output = output;
    box->gist = NULL;
    box->natfw = NULL;
    box->streams = NULL;
    box->triggers = NULL;
    box->pinholes = NULL;
}

static bool name_interfaces(struct box *box, FILE *errors)
{
    for (size_t i = 0; i < box->config->interface_count; i++) {
        struct config_interface *interface = &box->config->interfaces[i];
        for (size_t k = 0; k < box->ports.count; k++)
            if (strcmp(box->ports.ports[k].name, interface->name) == 0)
                interface->index = port_interface(&box->ports.ports[k]);
        if (interface->index != 0)
            continue;
        fprintf(errors,
            "%s:%u: interface: there is no port \"%s\"; name one of the ports:", box->config->path,
            interface->line, interface->name);
        for (size_t k = 0; k < box->ports.count; k++)
            fprintf(errors, " %s", box->ports.ports[k].name);
        fprintf(errors, "\n");
        return false;
    }
    return true;
}

struct box *box_create(const struct box_description *description, const struct box_output *output,
    uint64_t now_us, FILE *errors)
{
    struct box *box = calloc(1, sizeof(*box));
    if (!box)
        return NULL;
    box->output = *output;
    box->ports = description->ports;
    box->random_state = description->seed;
    box->now_us = now_us;
    box->config = config_read_text("configuration", description->configuration, errors);
    if (box->config && name_interfaces(box, errors)) {
        box->crypto = crypto_openssl_create();
        box->filter = filter_model_create(box->config->pinholes_max);
        if (box->crypto && box->filter) {
            box->filter_seam = filter_model_seam(box->filter);
            filter_model_set_time(box->filter, now_us);
            if (start_core(box, errors))
                return box;
        }
    }
    box_destroy(box);
    return NULL;
}

void box_destroy(struct box *box)
{
    if (!box)
        return;
    stop_core(box);
    filter_model_destroy(box->filter);
    crypto_openssl_destroy(box->crypto);
    config_free(box->config);
    free(box);
}

void box_set_time(struct box *box, uint64_t now_us)
{
    box->now_us = now_us;
    filter_model_set_time(box->filter, now_us);
}

bool box_packet(struct box *box, uint8_t port, const uint8_t *octets, size_t length)
{
    return box_router_packet(box, port, octets, length);
}

void box_stream(struct box *box, const struct stream_event *event)
{
    box_router_stream(box, event);
}

void box_trigger(struct box *box, const struct trigger *trigger)
{
    triggers_run(box->triggers, box->natfw, box->config->initiator, box_now_ms(box), trigger);
}

bool box_restart(struct box *box, FILE *errors)
{
    stop_core(box);
    filter_model_flush(box->filter);
    return start_core(box, errors);
}

/* One thing that is due, timers first; false when nothing is. */
static bool do_next(struct box *box)
{
    uint64_t now_ms = box_now_ms(box);
    if (box->gist_deadline_ms <= now_ms) {
        box->gist_deadline_ms = GIST_NO_DEADLINE;
        gist_node_tick(box->gist, now_ms);
    } else if (box->natfw_deadline_ms <= now_ms) {
        box->natfw_deadline_ms = GIST_NO_DEADLINE;
        natfw_node_tick(box->natfw, now_ms);
    } else if (box->commit_is_due) {
        box->commit_is_due = pinholes_commit(box->pinholes, now_ms);
    } else {
        return false;
    }
    return true;
}

uint64_t box_settle(struct box *box)
{
    unsigned rounds = 0;
    while (rounds < ROUNDS_MAX && do_next(box))
        rounds++;
    uint64_t next_ms = box->gist_deadline_ms < box->natfw_deadline_ms ? box->gist_deadline_ms
                                                                      : box->natfw_deadline_ms;
    if (rounds == ROUNDS_MAX)
        return box->now_us;
    if (next_ms > UINT64_MAX / 1000)
        return BOX_NEVER;
    return next_ms * 1000 > box->now_us ? next_ms * 1000 : box->now_us;
}

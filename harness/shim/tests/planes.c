/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Holds the model of the packet filter and nftables together: the same rules in both, by the same
 * owners, and each packet that goes through both passes both or neither.
 *
 * Rules end by themselves in the kernel's time, which a busy machine stretches. So no packet is
 * sent near such an end, and one that took until the next is not judged: its sequence is over.
 */
#include "harness/shim/filter_model.h"
#include "harness/shim/tests/rules.h"
#include "reference-node/base/clock.h"
#include "reference-node/netfilter/kernel_filter.h"
#include "reference-node/netfilter/nft_compiler.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/netfilter/ruleset.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 400, RULES = 8, OWNERS = 3, ANSWERS_MAX = 64 };
enum { MARGIN_MS = 25, SHORT_MS = 60, LONG_MS = 120000 };

/* Pinholes over one of the two filters. */
struct plane {
    struct packet_filter filter;
    struct pinholes *pinholes;
    struct natfw_middlebox middlebox;
    struct answer {
        natfw_handle handle;
        enum natfw_middlebox_result result;
    } answers[ANSWERS_MAX]; /* of one commit */
    size_t answer_count;
};

struct planes {
    struct wires wires;
    struct nft_socket *socket;
    struct kernel_filter kernel;
    struct filter_model *model;
    struct plane planes[2]; /* the kernel's, the model's */
    struct draw draw;
    struct known {
        struct gist_session_id owner;
        struct natfw_policy_rule rule;
    } known[RULES];
    natfw_handle last_handle;
    uint64_t ends_ms[STEPS]; /* of rules that end by themselves */
    size_t end_count;
    uint64_t slowest_ms; /* commit */
    unsigned passed;
    unsigned dropped;
    bool is_over;
};

static void ignore_pending(void *context)
{
    (void)context;
}

static void on_done(void *context, natfw_handle handle, enum natfw_middlebox_result result)
{
    struct plane *plane = context;
    cr_assert(plane->answer_count < ANSWERS_MAX);
    plane->answers[plane->answer_count++] = (struct answer){.handle = handle, .result = result};
}

static void plane_start(struct plane *plane, const struct packet_filter *filter)
{
    struct pinholes_listener listener = {
        .context = plane, .pending = ignore_pending, .done = on_done};
    plane->filter = *filter;
    plane->pinholes = pinholes_create(&plane->filter, 1000, &listener);
    cr_assert(plane->pinholes);
    plane->middlebox = pinholes_middlebox(plane->pinholes);
}

static void planes_start(struct planes *planes, uint64_t seed)
{
    memset(planes, 0, sizeof(*planes));
    planes->wires = wires_open();
    planes->draw.state = seed;
    struct config config = path_firewall_config();
    char *text = ruleset_text(&config);
    cr_assert(nft_load(text, stderr));
    free(text);
    run("nft add element inet natfw pinholes_from_any_any_protocol "
        "'{ 192.0.2.%d, 198.51.100.%d }'",
        CONTROL_HOST, CONTROL_HOST);
    planes->socket = nft_socket_open(NFT_TRANSACTION_SIZE);
    cr_assert(planes->socket);
    planes->kernel.batch = nft_batch_create(planes->socket, "natfw", NFT_REFRESH_REPLACE);
    planes->kernel.conntrack = conntrack_create();
    planes->model = filter_model_create(1000);
    cr_assert(planes->kernel.batch && planes->kernel.conntrack && planes->model);
    struct packet_filter kernel = kernel_filter_seam(&planes->kernel);
    struct packet_filter model = filter_model_seam(planes->model);
    plane_start(&planes->planes[0], &kernel);
    plane_start(&planes->planes[1], &model);
    for (size_t i = 0; i < RULES; i++)
        planes->known[i] = (struct known){.owner = {.octets = {0xc0, [15] = (uint8_t)(i % OWNERS)}},
            .rule = draw_rule(&planes->draw)};
}

static void planes_stop(struct planes *planes)
{
    for (size_t i = 0; i < 2; i++)
        pinholes_destroy(planes->planes[i].pinholes);
    filter_model_destroy(planes->model);
    conntrack_destroy(planes->kernel.conntrack);
    nft_batch_destroy(planes->kernel.batch);
    nft_socket_close(planes->socket);
}

static uint64_t draw_end(struct planes *planes)
{
    bool is_short = draw_percent(&planes->draw, 25);
    uint64_t now_ms = clock_now_ms();
    if (!is_short)
        return now_ms + LONG_MS;
    uint64_t end_ms = now_ms + SHORT_MS + draw_below(&planes->draw, SHORT_MS);
    planes->ends_ms[planes->end_count++] = end_ms;
    return end_ms;
}

enum change { REMEMBER, INSTALL, INSTALL_TOO, REPLACE, REMOVE, CHANGES };

/* One change in both; what is answered at once is the same. */
static void change(struct planes *planes)
{
    struct known *known = &planes->known[draw_below(&planes->draw, RULES)];
    struct natfw_policy_rule other = draw_rule(&planes->draw);
    enum change what = (enum change)draw_below(&planes->draw, CHANGES);
    uint64_t end_ms = what == REMEMBER || what == REMOVE ? 0 : draw_end(planes);
    enum natfw_middlebox_result results[2] = {NATFW_MIDDLEBOX_OK, NATFW_MIDDLEBOX_OK};
    natfw_handle handle = ++planes->last_handle;
    for (size_t i = 0; i < 2; i++) {
        struct natfw_middlebox *box = &planes->planes[i].middlebox;
        if (what == REMEMBER)
            results[i] = box->remember(box->context, &known->owner, &known->rule);
        else if (what == REMOVE)
            box->remove(box->context, &known->owner, &known->rule);
        else if (what == REPLACE)
            box->replace(box->context, &known->owner, &known->rule, &other, end_ms, handle);
        else
            box->install(box->context, &known->owner, &known->rule, end_ms, handle);
    }
    cr_assert(results[0] == results[1]);
    if (what == REPLACE)
        known->rule = other;
}

static void commit(struct planes *planes)
{
    struct plane *kernel = &planes->planes[0], *model = &planes->planes[1];
    uint64_t now_ms = clock_now_ms();
    filter_model_set_time(planes->model, now_ms * 1000);
    kernel->answer_count = model->answer_count = 0;
    pinholes_commit_all(kernel->pinholes, now_ms);
    uint64_t took_ms = clock_now_ms() - now_ms;
    pinholes_commit_all(model->pinholes, now_ms);
    if (took_ms > planes->slowest_ms)
        planes->slowest_ms = took_ms;
    cr_assert(kernel->answer_count == model->answer_count);
    for (size_t i = 0; i < kernel->answer_count; i++)
        cr_assert(kernel->answers[i].handle == model->answers[i].handle &&
                  kernel->answers[i].result == model->answers[i].result);
}

/* Waits until no rule is about to end, or has just ended. */
static void keep_from_ends(struct planes *planes)
{
    for (size_t i = 0; i < planes->end_count;) {
        uint64_t now_ms = clock_now_ms();
        uint64_t end_ms = planes->ends_ms[i];
        if (now_ms + MARGIN_MS <= end_ms || now_ms >= end_ms + MARGIN_MS + planes->slowest_ms) {
            i++;
            continue;
        }
        poll(NULL, 0, 1);
        i = 0;
    }
}

static bool has_ended_between(const struct planes *planes, uint64_t from_ms, uint64_t to_ms)
{
    for (size_t i = 0; i < planes->end_count; i++)
        if (planes->ends_ms[i] >= from_ms && planes->ends_ms[i] <= to_ms + 2)
            return true;
    return false;
}

static void carry(struct planes *planes, uint64_t seed, unsigned step)
{
    const struct known *known = &planes->known[draw_below(&planes->draw, RULES)];
    struct drawn_packet drawn = draw_packet(&planes->draw, &known->rule);
    struct ipv4_packet view;
    keep_from_ends(planes);
    uint64_t now_ms = clock_now_ms();
    bool kernel = wires_carry(&planes->wires, drawn.from, drawn.packet.octets, drawn.packet.length);
    if (has_ended_between(planes, now_ms, clock_now_ms())) {
        planes->is_over = true;
        return;
    }
    filter_model_set_time(planes->model, now_ms * 1000);
    cr_assert(ipv4_packet_read(&view, drawn.packet.octets, drawn.packet.length));
    bool model = filter_model_passes(planes->model, &view, false);
    cr_assert(model == kernel, "seed %lu, step %u: %s: the kernel %s, the model %s",
        (unsigned long)seed, step, drawn.text, kernel ? "lets it pass" : "drops it",
        model ? "lets it pass" : "drops it");
    planes->passed += kernel;
    planes->dropped += !kernel;
}

ParameterizedTestParameters(planes, let_the_same_packets_pass)
{
    static uint64_t seeds[] = {1, 20, 300, 4000, 50000, 600000, 279417691380};
    return cr_make_param_array(uint64_t, seeds, sizeof(seeds) / sizeof(seeds[0]));
}

ParameterizedTest(uint64_t *seed, planes, let_the_same_packets_pass)
{
    struct planes planes;
    planes_start(&planes, *seed);
    for (unsigned step = 0; step < STEPS && !planes.is_over; step++) {
        if (draw_percent(&planes.draw, 35))
            change(&planes);
        else if (draw_percent(&planes.draw, 25))
            commit(&planes);
        else
            carry(&planes, *seed, step);
    }
    fprintf(stderr, "seed %lu: %u packets passed, %u were dropped%s\n", (unsigned long)*seed,
        planes.passed, planes.dropped, planes.is_over ? "; then the machine was too slow" : "");
    cr_assert(planes.is_over || (planes.passed > 20 && planes.dropped > 20));
    planes_stop(&planes);
}

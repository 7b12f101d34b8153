/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets, their elements and the lookups of reference-node/netfilter/ruleset.c; see filter_model.h.
 */
#include "harness/shim/filter_model.h"

#include "harness/shim/gist_datagram.h"
#include "reference-node/netfilter/pinhole_class.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

/* A set is named by a pointer of pinhole_classes, and stands for itself. */
struct element_key {
    const char *set;
    uint8_t key[NFT_KEY_MAX];
};

struct element {
    struct element_key key;
    uint64_t ends_us;
    UT_hash_handle hh;
};

struct filter_model {
    struct element *elements;
    size_t elements_max;
    struct flow_tracker *tracker;
    uint64_t now_us;
};

struct filter_model *filter_model_create(size_t elements_max)
{
    struct filter_model *filter = calloc(1, sizeof(*filter));
    if (!filter)
        return NULL;
    filter->elements_max = elements_max;
    filter->tracker = flow_tracker_create();
    if (filter->tracker)
        return filter;
    free(filter);
    return NULL;
}

static void take_out(struct filter_model *filter, struct element *element)
{
    HASH_DEL(filter->elements, element);
    free(element);
}

void filter_model_flush(struct filter_model *filter)
{
    struct element *element, *next;
    HASH_ITER(hh, filter->elements, element, next)
        take_out(filter, element);
}

void filter_model_destroy(struct filter_model *filter)
{
    if (!filter)
        return;
    filter_model_flush(filter);
    flow_tracker_destroy(filter->tracker);
    free(filter);
}

void filter_model_set_time(struct filter_model *filter, uint64_t now_us)
{
    filter->now_us = now_us;
}

static struct element *find(struct filter_model *filter, const struct element_key *key)
{
    struct element *element;
    HASH_FIND(hh, filter->elements, key, sizeof(*key), element);
    if (!element || element->ends_us > filter->now_us)
        return element;
    take_out(filter, element);
    return NULL;
}

static struct element_key key_of(const char *set)
{
    struct element_key key;
    memset(&key, 0, sizeof(key));
    key.set = set;
    return key;
}

/* Returns 0 or an errno value, as the kernel would. */
static int apply(struct filter_model *filter, const struct nft_change *change)
{
    struct element_key key = key_of(change->set);
    memcpy(key.key, change->key, change->key_length);
    struct element *element = find(filter, &key);
    if (change->kind == NFT_CHANGE_DELETE) {
        if (element)
            take_out(filter, element);
        return 0;
    }
    if (!element && HASH_COUNT(filter->elements) >= filter->elements_max)
        return ENFILE;
    if (!element) {
        element = calloc(1, sizeof(*element));
        if (!element)
            return ENOMEM;
        element->key = key;
        HASH_ADD(hh, filter->elements, key, sizeof(element->key), element);
    }
    element->ends_us = filter->now_us + change->timeout_ms * 1000;
    return 0;
}

static void commit(void *context, struct nft_change *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        changes[i].error = apply(context, &changes[i]);
}

static bool forget(void *context, const struct conntrack_flow *flows, size_t count)
{
    struct filter_model *filter = context;
    for (size_t i = 0; i < count; i++)
        flow_tracker_forget(filter->tracker, &flows[i]);
    return true;
}

struct packet_filter filter_model_seam(struct filter_model *filter)
{
    return (struct packet_filter){.context = filter, .commit = commit, .forget = forget};
}

/* A connection as the rule that it needs would name it. */
static struct gist_mri flow_of(const struct flow_tuple *original)
{
    return (struct gist_mri){.source = original->source,
        .destination = original->destination,
        .protocol = original->protocol,
        .source_port = original->source_port,
        .destination_port = original->destination_port};
}

static bool holds(struct filter_model *filter, const char *set, const struct pinhole_class *class,
    const struct gist_mri *flow)
{
    struct element_key key = key_of(set);
    pinhole_key(class, flow, 0, key.key);
    return find(filter, &key) != NULL;
}

/* What is denied comes first, as in the chains that ruleset.c writes. */
static bool is_allowed(struct filter_model *filter, const struct flow_tuple *original)
{
    struct gist_mri flow = flow_of(original);
    bool has_ports = pinhole_protocol_has_ports(flow.protocol);
    bool allowed = false;
    for (size_t i = 0; i < PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i];
        if (pinhole_class_has_ports(class) && !has_ports)
            continue;
        if (holds(filter, class->deny_set, class, &flow))
            return false;
        allowed = allowed || holds(filter, class->allow_set, class, &flow);
    }
    return allowed;
}

bool filter_model_passes(
    struct filter_model *filter, const struct ipv4_packet *packet, bool pass_other_signalling)
{
    struct flow_tuple original;
    if (gist_datagram_is_one(packet))
        return pass_other_signalling; /* it is not tracked, so nothing else lets it pass */
    enum flow_direction direction =
        flow_tracker_classify(filter->tracker, filter->now_us, packet, &original);
    if (direction == FLOW_INVALID || !is_allowed(filter, &original))
        return false;
    flow_tracker_passed(filter->tracker, filter->now_us, &original, direction);
    return true;
}

void filter_model_let_pass(struct filter_model *filter, const struct ipv4_packet *packet)
{
    struct flow_tuple original;
    if (gist_datagram_is_one(packet))
        return;
    enum flow_direction direction =
        flow_tracker_classify(filter->tracker, filter->now_us, packet, &original);
    if (direction != FLOW_INVALID)
        flow_tracker_passed(filter->tracker, filter->now_us, &original, direction);
}

size_t filter_model_count(const struct filter_model *filter)
{
    return HASH_COUNT(filter->elements);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A model of the packet filter that natfwd loads into nftables: the same sets, with elements that
 * end by themselves, and the same decisions. harness/shim/tests/planes.c holds the two together.
 */
#ifndef NATFW_SHIM_FILTER_MODEL_H
#define NATFW_SHIM_FILTER_MODEL_H

#include "harness/shim/flow_tracker.h"
#include "reference-node/netfilter/packet_filter.h"

struct filter_model;

/* Returns NULL without memory. The model has room for so many elements. */
struct filter_model *filter_model_create(size_t elements_max);
void filter_model_destroy(struct filter_model *filter);

/* Changes that are committed, and all else, happen at this time from now on. */
void filter_model_set_time(struct filter_model *filter, uint64_t now_us);

struct packet_filter filter_model_seam(struct filter_model *filter);

/* Takes all elements out, as a ruleset that is loaded anew does; connections stay. */
void filter_model_flush(struct filter_model *filter);

/* Whether a packet that goes by a guarded port may pass. If so, its connection is remembered. */
bool filter_model_passes(
    struct filter_model *filter, const struct ipv4_packet *packet, bool pass_other_signalling);

/* A packet that nothing guards: only its connection is remembered. */
void filter_model_let_pass(struct filter_model *filter, const struct ipv4_packet *packet);

size_t filter_model_count(const struct filter_model *filter);

#endif

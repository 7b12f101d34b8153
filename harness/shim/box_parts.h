/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a box, for the files that make it up: box, box_router, box_transport. */
#ifndef NATFW_SHIM_BOX_PARTS_H
#define NATFW_SHIM_BOX_PARTS_H

#include "core/base/token_bucket.h"
#include "harness/shim/box_output.h"
#include "harness/shim/filter_model.h"
#include "harness/shim/ports.h"
#include "harness/shim/streams.h"
#include "harness/shim/triggers.h"
#include "reference-node/base/crypto_openssl.h"
#include "reference-node/config/config.h"
#include "reference-node/netfilter/pinholes.h"
#include "reference-node/sockets/query_sender.h"

struct box {
    struct box_output output;
    struct ports ports;
    struct config *config;
    struct config_identities identities; /* of its associations */
    struct crypto_openssl *crypto;
    uint64_t random_state;
    struct filter_model *filter;
    struct packet_filter filter_seam;
    struct pinholes *pinholes;
    struct streams *streams;
    struct triggers *triggers;
    struct natfw_node *natfw;
    struct gist_node *gist;
    struct base_token_bucket datagrams_in;
    uint64_t now_us;
    uint64_t gist_deadline_ms;
    uint64_t natfw_deadline_ms;
    bool commit_is_due;
    /* Of the datagram that is being received, for when it is sent on. */
    const struct query_header *current_header;
    uint8_t packet[QUERY_PACKET_MAX]; /* the one that leaves */
};

static inline uint64_t box_now_ms(const struct box *box)
{
    return box->now_us / 1000;
}

#endif

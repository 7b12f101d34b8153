/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a box does, as whoever runs it hears of it, and the events of streams in both directions.
 * docs/shim-protocol.md. */
#ifndef NATFW_SHIM_BOX_OUTPUT_H
#define NATFW_SHIM_BOX_OUTPUT_H

#include "core/gist/transport.h"

enum stream_event_kind { STREAM_OPEN, STREAM_ACCEPT, STREAM_OCTETS, STREAM_CLOSE, STREAM_RESET };

struct stream_event {
    enum stream_event_kind kind;
    uint32_t stream; /* odd where others opened it, even where the box did */
    /* Of STREAM_OPEN: peer and own as the box sees them. */
    uint8_t port;
    struct gist_endpoint peer;
    struct gist_endpoint own;
    enum gist_stack stack;
    /* Of STREAM_OPEN and STREAM_ACCEPT, where TLS has authenticated the peer: valid during the
     * call.
     */
    const char *name;
    size_t name_length;
    /* Of STREAM_OCTETS: valid during the call. */
    const uint8_t *octets;
    size_t length;
};

/* Pointers are valid during the call; none of them may call the box. */
struct box_output {
    void *context;
    void (*packet)(void *context, uint8_t port, const uint8_t *octets, size_t length);
    void (*stream)(void *context, const struct stream_event *event);
    void (*trigger_done)(void *context, uint32_t number, uint8_t status, const char *text);
    void (*log)(void *context, const char *text);
};

#endif

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a box does, kept for a test to look at. */
#ifndef NATFW_SHIM_TESTS_OUTPUT_H
#define NATFW_SHIM_TESTS_OUTPUT_H

#include "harness/shim/box_output.h"

enum { OUTPUT_EVENTS = 64, OUTPUT_PACKET_MAX = 2048 };

struct output {
    struct output_packet {
        uint8_t port;
        size_t length;
        uint8_t octets[OUTPUT_PACKET_MAX];
    } packets[OUTPUT_EVENTS];
    size_t packet_count;
    struct stream_event streams[OUTPUT_EVENTS]; /* without their octets */
    size_t stream_count;
    size_t octets; /* of all streams */
    struct output_answer {
        uint32_t number;
        uint8_t status;
        char text[256];
    } answers[OUTPUT_EVENTS];
    size_t answer_count;
};

struct box_output output_into(struct output *output);

#endif

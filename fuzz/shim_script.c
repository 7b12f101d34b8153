/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzzes a box behind the shim protocol: firewall, responder and initiator of natfwd's core, with a
 * model of the data plane. docs/shim-protocol.md.
 *
 * An input is what a runner would write: configurations, turns, packets, streams, triggers,
 * restarts. The seeds are cases of the conformance suite. Whatever comes, what the shim writes is
 * of the protocol:
 *   - it is whole frames, of kinds that a shim sends;
 *   - each QUIET answers a GO, and its time is not before the turn's;
 *   - each PACKET is a whole IPv4 packet with a TTL and a right checksum;
 *   - streams that the box opens have even numbers.
 */
#include "fuzz/target.h"
#include "harness/shim/conversation.h"
#include "harness/shim/frames.h"
#include "harness/shim/ipv4_packet.h"

#include <stdlib.h>

static uint8_t body[FRAME_MAX];

static void check_packet(struct wire_reader *reader)
{
    struct ipv4_packet packet;
    size_t length;
    uint8_t port = wire_read_u8(reader);
    const uint8_t *octets = frame_read_octets(reader, &length);
    CHECK(wire_finished(reader) && port > 0);
    CHECK(ipv4_packet_read(&packet, octets, length) && packet.length == length);
    CHECK(packet.ttl > 0);
}

static void check_opening(struct wire_reader *reader)
{
    size_t length;
    uint32_t stream = wire_read_u32(reader);
    CHECK(stream > 0 && stream % 2 == 0);
    CHECK(wire_read_u8(reader) > 0);
    (void)frame_read_endpoint(reader);
    (void)frame_read_endpoint(reader);
    (void)wire_read_u8(reader);
    (void)frame_read_octets(reader, &length);
    CHECK(wire_finished(reader));
}

static void check_frame(const struct frame *frame)
{
    struct wire_reader reader = frame->body;
    switch (frame->kind) {
    case FRAME_OF_BOX | FRAME_PACKET:
        check_packet(&reader);
        return;
    case FRAME_OF_BOX | FRAME_STREAM_OPEN:
        check_opening(&reader);
        return;
    case FRAME_QUIET:
    case FRAME_OF_BOX | FRAME_HELLO:
    case FRAME_OF_BOX | FRAME_STREAM_ACCEPT:
    case FRAME_OF_BOX | FRAME_STREAM_OCTETS:
    case FRAME_OF_BOX | FRAME_STREAM_CLOSE:
    case FRAME_OF_BOX | FRAME_STREAM_RESET:
    case FRAME_TRIGGER_DONE:
    case FRAME_LOG:
    case FRAME_FAULT:
        return;
    default:
        CHECK(!"a kind of frame that a shim sends");
    }
}

/* The next time that the input tells, as the shim reads it; false when it tells none any more. */
static bool next_turn(FILE *in, uint8_t *octets, uint64_t *now_us)
{
    struct frame frame;
    bool is_told = false;
    while (frame_read(in, octets, &frame) == FRAME_READ) {
        if (frame.kind == FRAME_TURN) {
            *now_us = frame_read_u64(&frame.body);
            is_told = true;
        } else if (frame.kind == FRAME_GO && is_told) {
            return true;
        }
    }
    return false;
}

static void check_output(char *output, size_t output_length, const uint8_t *octets, size_t length)
{
    static uint8_t told[FRAME_MAX];
    struct frame frame;
    uint64_t now_us = 0;
    FILE *in = fmemopen((void *)(uintptr_t)octets, length, "r");
    FILE *out = fmemopen(output, output_length, "r");
    CHECK(in && out);
    enum frame_status status;
    while ((status = frame_read(out, body, &frame)) == FRAME_READ) {
        check_frame(&frame);
        if (frame.kind != FRAME_QUIET)
            continue;
        CHECK(next_turn(in, told, &now_us));
        CHECK(frame_read_u64(&frame.body) >= now_us && wire_finished(&frame.body));
    }
    CHECK(status == FRAME_NO_MORE);
    fclose(in);
    fclose(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
    char *output = NULL;
    size_t output_length = 0;
    if (length == 0)
        return 0;
    FILE *in = fmemopen((void *)(uintptr_t)octets, length, "r");
    FILE *out = open_memstream(&output, &output_length);
    FILE *errors = fopen("/dev/null", "we");
    CHECK(in && out && errors);
    struct conversation *conversation = conversation_create(in, out, errors, "");
    CHECK(conversation);
    (void)conversation_run(conversation);
    conversation_destroy(conversation);
    fclose(in);
    fclose(out);
    fclose(errors);
    if (output_length > 0)
        check_output(output, output_length, octets, length);
    free(output);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A box's output in arrays; see output.h. */
#include "harness/shim/tests/output.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static void on_packet(void *context, uint8_t port, const uint8_t *octets, size_t length)
{
    struct output *output = context;
    cr_assert(output->packet_count < OUTPUT_EVENTS && length <= OUTPUT_PACKET_MAX);
    struct output_packet *packet = &output->packets[output->packet_count++];
    packet->port = port;
    packet->length = length;
    memcpy(packet->octets, octets, length);
}

static void on_stream(void *context, const struct stream_event *event)
{
    struct output *output = context;
    cr_assert(output->stream_count < OUTPUT_EVENTS);
    output->streams[output->stream_count] = *event;
    output->streams[output->stream_count++].octets = NULL;
    if (event->kind == STREAM_OCTETS)
        output->octets += event->length;
}

static void on_trigger_done(void *context, uint32_t number, uint8_t status, const char *text)
{
    struct output *output = context;
    cr_assert(output->answer_count < OUTPUT_EVENTS);
    struct output_answer *answer = &output->answers[output->answer_count++];
    answer->number = number;
    answer->status = status;
    snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static void on_log(void *context, const char *text)
{
    (void)context;
    (void)text;
}

struct box_output output_into(struct output *output)
{
    memset(output, 0, sizeof(*output));
    return (struct box_output){.context = output,
        .packet = on_packet,
        .stream = on_stream,
        .trigger_done = on_trigger_done,
        .log = on_log};
}

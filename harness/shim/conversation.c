/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Turns, and what is told and heard in them; see conversation.h. */
#include "harness/shim/conversation.h"

#include "harness/shim/box.h"
#include "harness/shim/frames.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const char shim_name[] = "natfw-shim " NATFW_VERSION;

struct conversation {
    FILE *in;
    FILE *out;
    FILE *errors;
    const char *more; /* at the end of each configuration */
    bool is_broken;   /* it has been said why */
    bool is_greeted;
    bool in_turn;
    uint64_t now_us;
    struct box *box; /* NULL before START, after END, and where it could not be */
    struct box_description description;
    char *configuration; /* of the description */
    uint8_t octets[FRAME_MAX];
    uint8_t body[FRAME_MAX];
};

/* What is no part of the protocol ends the conversation. */
static void give_up(struct conversation *conversation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void give_up(struct conversation *conversation, const char *format, ...)
{
    va_list arguments;
    if (conversation->is_broken)
        return;
    conversation->is_broken = true;
    va_start(arguments, format);
    fprintf(conversation->errors, "natfw-shim: ");
    vfprintf(conversation->errors, format, arguments);
    fprintf(conversation->errors, "; see docs/shim-protocol.md\n");
    va_end(arguments);
}

/* What is told. */

static struct wire_writer begin(struct conversation *conversation)
{
    return wire_writer_over(conversation->body, sizeof(conversation->body));
}

static void tell(struct conversation *conversation, uint8_t kind, const struct wire_writer *body)
{
    if (!frame_write(conversation->out, kind, body))
        give_up(conversation, "standard output: a frame cannot be written");
}

static void tell_text(struct conversation *conversation, uint8_t kind, const char *text)
{
    struct wire_writer body = begin(conversation);
    frame_put_octets(&body, (const uint8_t *)text, strlen(text));
    tell(conversation, kind, &body);
}

static void tell_packet(void *context, uint8_t port, const uint8_t *octets, size_t length)
{
    struct wire_writer body = begin(context);
    wire_put_u8(&body, port);
    frame_put_octets(&body, octets, length);
    tell(context, FRAME_OF_BOX | FRAME_PACKET, &body);
}

static void tell_stream(void *context, const struct stream_event *event)
{
    static const uint8_t kinds[] = {[STREAM_OPEN] = FRAME_STREAM_OPEN,
        [STREAM_ACCEPT] = FRAME_STREAM_ACCEPT,
        [STREAM_OCTETS] = FRAME_STREAM_OCTETS,
        [STREAM_CLOSE] = FRAME_STREAM_CLOSE,
        [STREAM_RESET] = FRAME_STREAM_RESET};
    struct wire_writer body = begin(context);
    wire_put_u32(&body, event->stream);
    if (event->kind == STREAM_OPEN) {
        wire_put_u8(&body, event->port);
        frame_put_endpoint(&body, &event->peer);
        frame_put_endpoint(&body, &event->own);
        wire_put_u8(&body, (uint8_t)event->stack);
        wire_put_u16(&body, 0); /* no name of the peer */
    } else if (event->kind == STREAM_OCTETS) {
        frame_put_octets(&body, event->octets, event->length);
    }
    tell(context, FRAME_OF_BOX | kinds[event->kind], &body);
}

static void tell_trigger_done(void *context, uint32_t number, uint8_t status, const char *text)
{
    struct wire_writer body = begin(context);
    wire_put_u32(&body, number);
    wire_put_u8(&body, status);
    frame_put_octets(&body, (const uint8_t *)text, strlen(text));
    tell(context, FRAME_TRIGGER_DONE, &body);
}

static void tell_log(void *context, const char *text)
{
    tell_text(context, FRAME_LOG, text);
}

/* What is heard. */

static void forget_box(struct conversation *conversation)
{
    box_destroy(conversation->box);
    free(conversation->configuration);
    conversation->box = NULL;
    conversation->configuration = NULL;
    conversation->now_us = 0; /* the next one's time is its own */
    memset(&conversation->description, 0, sizeof(conversation->description));
}

static void on_hello(struct conversation *conversation, struct wire_reader *body)
{
    conversation->is_greeted = true;
    wire_skip(body, 2 + 8); /* its version, which it compares with ours; a seed: START has one */
    struct wire_writer answer = begin(conversation);
    wire_put_u16(&answer, SHIM_VERSION);
    wire_put_u8(&answer, sizeof(shim_name) - 1);
    wire_put_bytes(&answer, (const uint8_t *)shim_name, sizeof(shim_name) - 1);
    tell(conversation, FRAME_OF_BOX | FRAME_HELLO, &answer);
    fflush(conversation->out);
}

static void on_configuration(struct conversation *conversation, struct wire_reader *body)
{
    size_t length;
    const uint8_t *octets = frame_read_octets(body, &length);
    free(conversation->configuration);
    conversation->configuration = octets ? strndup((const char *)octets, length) : NULL;
    if (octets && memchr(octets, '\0', length))
        tell_text(conversation, FRAME_FAULT, "configuration: it has a NUL, and so is no text");
}

static void on_port(struct conversation *conversation, struct wire_reader *body)
{
    char name[FRAME_TEXT_MAX];
    struct port port = {.number = wire_read_u8(body)};
    frame_read_text(body, name);
    wire_skip(body, 1); /* the side: the configuration says it too */
    port.address = frame_read_address(body);
    port.prefix = wire_read_u8(body);
    port.mtu = wire_read_u16(body);
    if (!wire_finished(body))
        return;
    if (strlen(name) >= sizeof(port.name)) {
        tell_text(conversation, FRAME_FAULT, "a port whose name is longer than 15 octets");
        return;
    }
    memcpy(port.name, name, strlen(name));
    const char *fault = ports_add(&conversation->description.ports, &port);
    if (fault)
        tell_text(conversation, FRAME_FAULT, fault);
}

static void on_route(struct conversation *conversation, struct wire_reader *body)
{
    struct gist_address prefix = frame_read_address(body);
    uint8_t bits = wire_read_u8(body);
    uint8_t port = wire_read_u8(body);
    if (!wire_finished(body))
        return;
    const char *fault = ports_add_route(&conversation->description.ports, &prefix, bits, port);
    if (fault)
        tell_text(conversation, FRAME_FAULT, fault);
}

/* Runs what may find a fault, and tells the first line of what it says. */
static void with_errors(
    struct conversation *conversation, void (*action)(struct conversation *, FILE *errors))
{
    char *text = NULL;
    size_t length;
    FILE *errors = open_memstream(&text, &length);
    if (!errors) {
        give_up(conversation, "no memory");
        return;
    }
    action(conversation, errors);
    fclose(errors);
    text[strcspn(text, "\n")] = '\0';
    if (!conversation->box)
        tell_text(conversation, FRAME_FAULT, text[0] ? text : "no memory for a box");
    free(text);
}

static const char no_configuration[] =
    "the IXIT has no shim.configuration: write shim = { configuration = \"box.conf\" } into it, "
    "and what natfwd.conf(5) has into box.conf beside it; harness/lab/ixit/firewall.conf is one "
    "to copy";

static void start(struct conversation *conversation, FILE *errors)
{
    struct box_output output = {.context = conversation,
        .packet = tell_packet,
        .stream = tell_stream,
        .trigger_done = tell_trigger_done,
        .log = tell_log};
    struct box_description *description = &conversation->description;
    const char *configuration = conversation->configuration ? conversation->configuration : "";
    char *text = NULL;
    if (!configuration[0] && !conversation->more[0]) {
        fputs(no_configuration, errors);
        return;
    }
    if (asprintf(&text, "%s\n%s", configuration, conversation->more) < 0)
        return;
    description->configuration = text;
    conversation->box = box_create(description, &output, conversation->now_us, errors);
    description->configuration = NULL;
    free(text);
}

static void on_start(struct conversation *conversation, struct wire_reader *body)
{
    conversation->description.seed = frame_read_u64(body);
    if (conversation->box)
        give_up(conversation, "a START of a box that is up");
    else if (wire_finished(body))
        with_errors(conversation, start);
}

static void restart(struct conversation *conversation, FILE *errors)
{
    if (box_restart(conversation->box, errors))
        return;
    box_destroy(conversation->box);
    conversation->box = NULL;
}

static void on_restart(struct conversation *conversation, struct wire_reader *body)
{
    wire_skip(body, 1); /* how it ends: it keeps nothing either way */
    if (conversation->box && wire_finished(body))
        with_errors(conversation, restart);
}

static void on_turn(struct conversation *conversation, struct wire_reader *body)
{
    uint64_t now_us = frame_read_u64(body);
    if (now_us < conversation->now_us)
        give_up(conversation, "time goes back by %llu microseconds",
            (unsigned long long)(conversation->now_us - now_us));
    conversation->now_us = now_us;
    conversation->in_turn = true;
    if (conversation->box)
        box_set_time(conversation->box, now_us);
}

static void on_go(struct conversation *conversation, struct wire_reader *body)
{
    (void)body;
    struct wire_writer answer = begin(conversation);
    uint64_t wake_us = conversation->box ? box_settle(conversation->box) : BOX_NEVER;
    frame_put_u64(&answer, wake_us);
    tell(conversation, FRAME_QUIET, &answer);
    fflush(conversation->out);
    conversation->in_turn = false;
}

static void on_packet(struct conversation *conversation, struct wire_reader *body)
{
    size_t length;
    uint8_t port = wire_read_u8(body);
    const uint8_t *octets = frame_read_octets(body, &length);
    if (wire_finished(body) && conversation->box &&
        !box_packet(conversation->box, port, octets, length))
        give_up(conversation, "a PACKET for port %u, which there is none of", port);
}

static void on_stream(
    struct conversation *conversation, struct wire_reader *body, enum stream_event_kind kind)
{
    struct stream_event event = {.kind = kind, .stream = wire_read_u32(body)};
    if (kind == STREAM_OPEN) {
        event.port = wire_read_u8(body);
        event.peer = frame_read_endpoint(body);
        event.own = frame_read_endpoint(body);
        event.stack = (enum gist_stack)wire_read_u8(body);
        event.name = (const char *)frame_read_octets(body, &event.name_length);
    } else if (kind == STREAM_ACCEPT && wire_remaining(body) > 0) {
        event.name = (const char *)frame_read_octets(body, &event.name_length);
    } else if (kind == STREAM_OCTETS) {
        event.octets = frame_read_octets(body, &event.length);
    }
    if (wire_finished(body) && conversation->box)
        box_stream(conversation->box, &event);
}

static void on_trigger(struct conversation *conversation, struct wire_reader *body)
{
    char operation[FRAME_TEXT_MAX];
    char texts[2 * TRIGGER_FIELDS_MAX][FRAME_TEXT_MAX];
    struct trigger trigger = {.number = wire_read_u32(body), .operation = operation};
    frame_read_text(body, operation);
    trigger.field_count = wire_read_u8(body);
    if (trigger.field_count > TRIGGER_FIELDS_MAX) {
        give_up(conversation, "a TRIGGER with %zu fields; there may be %d", trigger.field_count,
            TRIGGER_FIELDS_MAX);
        return;
    }
    for (size_t i = 0; i < trigger.field_count; i++) {
        frame_read_text(body, texts[2 * i]);
        frame_read_text(body, texts[2 * i + 1]);
        trigger.fields[i] = (struct trigger_field){.key = texts[2 * i], .value = texts[2 * i + 1]};
    }
    if (wire_finished(body) && conversation->box)
        box_trigger(conversation->box, &trigger);
}

static void handle(struct conversation *conversation, const struct frame *frame)
{
    struct wire_reader body = frame->body;
    bool is_outside = frame->kind == FRAME_HELLO || frame->kind == FRAME_TURN;
    if ((frame->kind == FRAME_HELLO) == conversation->is_greeted) {
        give_up(conversation, "a %s %s", frame_name(frame->kind),
            conversation->is_greeted ? "after the first" : "before HELLO");
        return;
    }
    if (is_outside == conversation->in_turn) {
        give_up(conversation, "a %s %s a turn", frame_name(frame->kind),
            is_outside ? "within" : "outside");
        return;
    }
    switch (frame->kind) {
    case FRAME_HELLO:
        on_hello(conversation, &body);
        break;
    case FRAME_CONFIGURATION:
        on_configuration(conversation, &body);
        break;
    case FRAME_PORT:
        on_port(conversation, &body);
        break;
    case FRAME_ROUTE:
        on_route(conversation, &body);
        break;
    case FRAME_START:
        on_start(conversation, &body);
        break;
    case FRAME_TURN:
        on_turn(conversation, &body);
        break;
    case FRAME_GO:
        on_go(conversation, &body);
        break;
    case FRAME_PACKET:
        on_packet(conversation, &body);
        break;
    case FRAME_TRIGGER:
        on_trigger(conversation, &body);
        break;
    case FRAME_RESTART:
        on_restart(conversation, &body);
        break;
    case FRAME_END:
        forget_box(conversation);
        break;
    default:
        on_stream(conversation, &body, STREAM_OPEN + (frame->kind - FRAME_STREAM_OPEN));
    }
    if (!wire_finished(&body))
        give_up(
            conversation, "a %s whose body is cut off, too long or wrong", frame_name(frame->kind));
}

struct conversation *conversation_create(FILE *in, FILE *out, FILE *errors, const char *more)
{
    struct conversation *conversation = calloc(1, sizeof(*conversation));
    if (!conversation)
        return NULL;
    conversation->in = in;
    conversation->out = out;
    conversation->errors = errors;
    conversation->more = more;
    return conversation;
}

void conversation_destroy(struct conversation *conversation)
{
    if (!conversation)
        return;
    forget_box(conversation);
    free(conversation);
}

bool conversation_run(struct conversation *conversation)
{
    struct frame frame;
    enum frame_status status = FRAME_READ;
    while (!conversation->is_broken && status == FRAME_READ) {
        status = frame_read(conversation->in, conversation->octets, &frame);
        if (status == FRAME_BAD)
            give_up(conversation, "standard input: what comes is no frame, or is cut off");
        else if (status == FRAME_READ && !frame_name(frame.kind))
            give_up(conversation, "there is no frame of kind 0x%02x", frame.kind);
        else if (status == FRAME_READ)
            handle(conversation, &frame);
    }
    return !conversation->is_broken;
}

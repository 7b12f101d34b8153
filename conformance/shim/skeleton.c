/*
 * A shim that answers nothing: where to begin with one of your own.
 *
 * It speaks the protocol of docs/shim-protocol.md, takes every frame, and has no box behind it:
 * each place where yours comes in says so; docs/guide-shim.md goes through them. It depends on
 * nothing but the C library.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, FRAME_MAX = 1048576 };

/* From the runner. */
enum {
    HELLO = 0x01,
    CONFIGURATION = 0x02,
    PORT = 0x03,
    ROUTE = 0x04,
    START = 0x05,
    TURN = 0x06,
    GO = 0x07,
    PACKET = 0x10,
    STREAM_OPEN = 0x11,
    STREAM_ACCEPT = 0x12,
    STREAM_OCTETS = 0x13,
    STREAM_CLOSE = 0x14,
    STREAM_RESET = 0x15,
    TRIGGER = 0x20,
    RESTART = 0x30,
    END = 0x31
};

/* From the shim. */
enum { SHIM_HELLO = 0x81, QUIET = 0x86, SHIM_STREAM_RESET = 0x95, TRIGGER_DONE = 0xa0 };

struct frame {
    uint8_t kind;
    size_t length; /* octets of the body */
    uint8_t body[FRAME_MAX];
};

static uint32_t number_of(const uint8_t octets[4])
{
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 |
           octets[3];
}

/* Reads one frame. Returns false at the end of the input, and ends on what is no frame. */
static bool read_frame(struct frame *frame)
{
    uint8_t head[4];
    if (fread(head, 1, sizeof(head), stdin) != sizeof(head))
        return false;
    uint32_t length = number_of(head);
    if (length == 0 || length > FRAME_MAX || fread(&frame->kind, 1, 1, stdin) != 1 ||
        fread(frame->body, 1, length - 1, stdin) != length - 1) {
        fprintf(stderr, "skeleton: what comes is no frame\n");
        exit(2);
    }
    frame->length = length - 1;
    return true;
}

static void write_frame(uint8_t kind, const void *body, size_t length)
{
    uint32_t size = (uint32_t)length + 1;
    uint8_t head[] = {
        (uint8_t)(size >> 24), (uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size, kind};
    fwrite(head, 1, sizeof(head), stdout);
    fwrite(body, 1, length, stdout);
}

static void say_hello(void)
{
    static const char name[] = "skeleton";
    uint8_t body[3 + sizeof(name) - 1] = {0, VERSION, sizeof(name) - 1};
    memcpy(body + 3, name, sizeof(name) - 1);
    write_frame(SHIM_HELLO, body, sizeof(body));
}

/* The stream's number is the first field of each of its frames. */
static void refuse_stream(const struct frame *frame)
{
    write_frame(SHIM_STREAM_RESET, frame->body, 4);
}

static void refuse_trigger(const struct frame *frame)
{
    static const char why[] = "the skeleton has no operations";
    uint8_t body[7 + sizeof(why) - 1];
    memcpy(body, frame->body, 4); /* the trigger's number */
    body[4] = 1;                  /* its status: not done */
    body[5] = 0;
    body[6] = sizeof(why) - 1;
    memcpy(body + 7, why, sizeof(why) - 1);
    write_frame(TRIGGER_DONE, body, sizeof(body));
}

/* The end of a turn: yours tells when its earliest timer is due. */
static void fall_quiet(void)
{
    static const uint8_t never[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    write_frame(QUIET, never, sizeof(never));
}

static void handle(const struct frame *frame)
{
    switch (frame->kind) {
    case HELLO:
        say_hello();
        break;
    case CONFIGURATION: /* keep it for START */
    case PORT:          /* keep its number, address and side */
    case ROUTE:         /* keep it, to answer which way a packet goes */
    case START:         /* make the box */
    case RESTART:       /* end it, and make it anew of what it keeps */
    case END:           /* end it, and forget all of it */
    case TURN:          /* set your clock */
    case PACKET:        /* hand it to the box: what it sends on or answers is a PACKET of yours */
    case STREAM_ACCEPT:
    case STREAM_OCTETS:
    case STREAM_CLOSE:
    case STREAM_RESET:
        break;
    case STREAM_OPEN:
        refuse_stream(frame);
        break;
    case TRIGGER:
        refuse_trigger(frame);
        break;
    case GO: /* run the timers that are due, then */
        fall_quiet();
        break;
    default:
        fprintf(stderr, "skeleton: there is no frame of kind 0x%02x\n", frame->kind);
        exit(2);
    }
    if (frame->kind == HELLO || frame->kind == GO)
        fflush(stdout);
}

int main(void)
{
    static struct frame frame;
    while (read_frame(&frame))
        handle(&frame);
    return 0;
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The shim's side of the protocol, frame by frame: what it answers, what it refuses, what ends it.
 * docs/shim-protocol.md. */
#include "harness/shim/conversation.h"

#include "harness/shim/frames.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define START_US (UINT64_C(1) << 40)

static const char firewall[] = "roles = {\"forwarder\"}\n"
                               "interface \"inside\" { side = internal }\n"
                               "interface \"outside\" { side = external }\n";

/* What the runner says, what is said on errors, and the frames that the shim answers. */
static struct {
    FILE *script;
    char *said;
    size_t said_length;
    char *answer;
    size_t answer_length;
    char *complaint;
    size_t complaint_length;
} talk;

static void say(uint8_t kind, const void *body, size_t length)
{
    uint8_t octets[4096];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    wire_put_bytes(&writer, body, length);
    cr_assert(frame_write(talk.script, kind, &writer));
}

static void begin(void)
{
    memset(&talk, 0, sizeof(talk));
    talk.script = open_memstream(&talk.said, &talk.said_length);
    cr_assert(talk.script);
}

/* As each runner does. */
static void start(void)
{
    static const uint8_t hello[10] = {0, 1};
    begin();
    say(FRAME_HELLO, hello, sizeof(hello));
}

static void stop(void)
{
    free(talk.said);
    free(talk.answer);
    free(talk.complaint);
}

TestSuite(conversation, .init = start, .fini = stop);

static void say_u64(uint8_t kind, uint64_t value)
{
    uint8_t octets[8];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    frame_put_u64(&writer, value);
    say(kind, octets, sizeof(octets));
}

static void say_port(uint8_t number, const char *name, uint32_t address)
{
    uint8_t octets[64];
    struct gist_address own = gist_address_v4(address);
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    wire_put_u8(&writer, number);
    wire_put_u8(&writer, (uint8_t)strlen(name));
    wire_put_bytes(&writer, (const uint8_t *)name, strlen(name));
    wire_put_u8(&writer, number == 1 ? 0 : 1);
    wire_put_u8(&writer, own.version);
    wire_put_bytes(&writer, own.octets, 4);
    wire_put_u8(&writer, 24);
    wire_put_u16(&writer, 1500);
    say(FRAME_PORT, octets, wire_written(&writer));
}

static void say_configuration(const char *text)
{
    uint8_t octets[2048];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    frame_put_octets(&writer, (const uint8_t *)text, strlen(text));
    say(FRAME_CONFIGURATION, octets, wire_written(&writer));
}

/* A turn in which a box comes up. */
static void say_box(const char *configuration)
{
    say_u64(FRAME_TURN, START_US);
    say_configuration(configuration);
    say_port(1, "inside", 0x0a0a0001);
    say_port(2, "outside", 0x0a140001);
    say_u64(FRAME_START, 1);
    say(FRAME_GO, NULL, 0);
}

/* Whether the conversation came to its end. */
static bool talked(const char *more)
{
    fclose(talk.script);
    FILE *in = fmemopen(talk.said, talk.said_length, "r");
    FILE *out = open_memstream(&talk.answer, &talk.answer_length);
    FILE *errors = open_memstream(&talk.complaint, &talk.complaint_length);
    cr_assert(in && out && errors);
    struct conversation *conversation = conversation_create(in, out, errors, more);
    bool is_right = conversation_run(conversation);
    conversation_destroy(conversation);
    fclose(in);
    fclose(out);
    fclose(errors);
    return is_right;
}

static bool complained(const char *of)
{
    return strstr(talk.complaint, of) != NULL;
}

/* The place-th frame of this kind, from 0; false when there are fewer. */
static bool answered(uint8_t kind, size_t place, struct frame *frame)
{
    static uint8_t octets[FRAME_MAX];
    FILE *answer = fmemopen(talk.answer, talk.answer_length, "r");
    bool found = false;
    while (!found && frame_read(answer, octets, frame) == FRAME_READ)
        found = frame->kind == kind && place-- == 0;
    fclose(answer);
    return found;
}

static bool faulted(const char *text)
{
    struct frame frame;
    size_t length;
    if (!answered(FRAME_FAULT, 0, &frame))
        return false;
    const uint8_t *said = frame_read_octets(&frame.body, &length);
    return said && memmem(said, length, text, strlen(text)) != NULL;
}

static uint64_t wake(size_t place)
{
    struct frame frame;
    cr_assert(answered(FRAME_QUIET, place, &frame), "there is no QUIET %zu", place);
    return frame_read_u64(&frame.body);
}

Test(conversation, a_hello_is_answered_with_version_and_name)
{
    struct frame frame;
    cr_assert(talked(""));
    cr_assert(answered(FRAME_OF_BOX | FRAME_HELLO, 0, &frame));
    cr_assert_eq(wire_read_u16(&frame.body), SHIM_VERSION);
    cr_assert_gt(wire_read_u8(&frame.body), 0);
}

Test(conversation, an_end_of_input_ends_it_well)
{
    stop();
    begin();
    cr_assert(talked(""));
    cr_assert_eq(talk.answer_length, 0);
}

Test(conversation, what_comes_before_hello_ends_it)
{
    stop();
    begin();
    say_u64(FRAME_TURN, START_US);
    cr_assert_not(talked(""));
    cr_assert(complained("a TURN before HELLO"));
}

Test(conversation, a_second_hello_ends_it)
{
    static const uint8_t hello[10] = {0, 1};
    say(FRAME_HELLO, hello, sizeof(hello));
    cr_assert_not(talked(""));
    cr_assert(complained("a HELLO after the first"));
}

Test(conversation, a_kind_that_there_is_none_of_ends_it)
{
    say(0x77, NULL, 0);
    cr_assert_not(talked(""));
    cr_assert(complained("no frame of kind 0x77"));
}

Test(conversation, a_frame_that_is_cut_off_ends_it)
{
    fwrite("\0\0\0\x09\x06\0\0", 1, 7, talk.script);
    cr_assert_not(talked(""));
    cr_assert(complained("cut off"));
}

Test(conversation, a_frame_of_no_length_or_too_long_ends_it)
{
    fwrite("\0\0\0\0\x06", 1, 5, talk.script);
    cr_assert_not(talked(""));
    stop();
    start();
    fwrite("\0\x10\0\1\x06", 1, 5, talk.script); /* FRAME_MAX + 1 */
    cr_assert_not(talked(""));
    cr_assert(complained("no frame"));
}

Test(conversation, octets_left_over_or_missing_in_a_body_end_it)
{
    say(FRAME_TURN, "\0\0\1\0\0\0\0\0\0", 9);
    cr_assert_not(talked(""));
    cr_assert(complained("a TURN whose body"));
    stop();
    start();
    say(FRAME_TURN, "\0\0\1\0\0\0\0", 7);
    cr_assert_not(talked(""));
    cr_assert(complained("a TURN whose body"));
}

Test(conversation, what_belongs_into_a_turn_is_refused_outside_one)
{
    say(FRAME_GO, NULL, 0);
    cr_assert_not(talked(""));
    cr_assert(complained("a GO outside a turn"));
}

Test(conversation, a_turn_within_a_turn_is_refused)
{
    say_u64(FRAME_TURN, START_US);
    say_u64(FRAME_TURN, START_US);
    cr_assert_not(talked(""));
    cr_assert(complained("a TURN within a turn"));
}

Test(conversation, time_that_goes_back_ends_it)
{
    say_box(firewall);
    say_u64(FRAME_TURN, START_US - 1);
    say(FRAME_GO, NULL, 0);
    cr_assert_not(talked(""));
    cr_assert(complained("time goes back by 1 microseconds"));
}

Test(conversation, another_box_has_a_time_of_its_own)
{
    for (unsigned box = 0; box < 3; box++) {
        say_box(firewall);
        say_u64(FRAME_TURN, START_US + 5000000);
        say(FRAME_END, NULL, 0);
        say(FRAME_GO, NULL, 0);
    }
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(wake(5) >= START_US + 5000000);
}

Test(conversation, a_box_that_is_up_cannot_be_started_again)
{
    say_box(firewall);
    say_u64(FRAME_TURN, START_US);
    say_u64(FRAME_START, 1);
    say(FRAME_GO, NULL, 0);
    cr_assert_not(talked(""));
    cr_assert(complained("a START of a box that is up"));
}

Test(conversation, a_wrong_configuration_is_a_fault_with_its_line_and_no_end)
{
    say_box("roles = {\"forwarder\"}\nlifetme = 3\n");
    say_u64(FRAME_TURN, START_US);
    say(FRAME_PACKET, "\1\0\0", 3);
    say(FRAME_END, NULL, 0);
    say(FRAME_GO, NULL, 0);
    say_box(firewall);
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(faulted("configuration:2: no such option 'lifetme'"));
    cr_assert_eq(wake(0), UINT64_MAX);
    cr_assert_eq(wake(1), UINT64_MAX);
    struct frame frame;
    cr_assert_not(answered(FRAME_FAULT, 1, &frame), "the box after it is well");
}

Test(conversation, an_interface_without_a_port_is_a_fault_that_names_the_ports)
{
    say_box("roles = {\"responder\"}\ninterface \"eth7\" { side = internal }\n");
    cr_assert(talked(""));
    cr_assert(faulted("there is no port \"eth7\"; name one of the ports: inside outside"));
}

Test(conversation, no_configuration_is_a_fault_that_names_the_key_of_the_ixit)
{
    say_box("");
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(faulted("the IXIT has no shim.configuration: write shim = { configuration = "));
}

Test(conversation, more_settings_stand_at_the_end_of_each_configuration)
{
    say_box("roles = {\"responder\"}");
    cr_assert(talked("lifetime_min_s = 0\n"));
    cr_assert(faulted("configuration:2: lifetime_min_s: 0 is out of range"));
}

Test(conversation, more_settings_are_a_configuration_of_their_own)
{
    say_box("");
    cr_assert(talked("roles = {\"responder\"}\nlifetime_min_s = 0\n"));
    cr_assert(faulted("lifetime_min_s: 0 is out of range"));
}

Test(conversation, a_packet_for_no_port_ends_it)
{
    say_box(firewall);
    say_u64(FRAME_TURN, START_US);
    say(FRAME_PACKET, "\3\0\0", 3);
    say(FRAME_GO, NULL, 0);
    cr_assert_not(talked(""));
    cr_assert(complained("a PACKET for port 3"));
}

Test(conversation, a_stream_to_a_port_that_nobody_listens_on_is_reset)
{
    static const uint8_t opening[] = {
        0, 0, 0, 1, 1, 4, 10, 10, 0, 2, 0x9c, 0x40, 4, 10, 10, 0, 1, 0, 99, 0, 0, 0};
    struct frame frame;
    say_box(firewall);
    say_u64(FRAME_TURN, START_US);
    say(FRAME_STREAM_OPEN, opening, sizeof(opening));
    say(FRAME_GO, NULL, 0);
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(answered(FRAME_OF_BOX | FRAME_STREAM_RESET, 0, &frame));
    cr_assert_eq(wire_read_u32(&frame.body), 1);
}

/* To association_port 30270; a restart takes it away without a word, and takes the next. */
Test(conversation, a_restart_forgets_the_streams_and_serves_on)
{
    uint8_t opening[] = {
        0, 0, 0, 1, 1, 4, 10, 10, 0, 2, 0x9c, 0x40, 4, 10, 10, 0, 1, 0x76, 0x3e, 0, 0, 0};
    struct frame frame;
    say_box(firewall);
    for (uint8_t how = 0; how < 2; how++) {
        say_u64(FRAME_TURN, START_US + how);
        opening[3] = (uint8_t)(1 + 2 * how);
        say(FRAME_STREAM_OPEN, opening, sizeof(opening));
        say(FRAME_RESTART, &how, 1);
        say(FRAME_STREAM_OCTETS, "\0\0\0\1\0\1x", 7);
        say(FRAME_GO, NULL, 0);
    }
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(answered(FRAME_OF_BOX | FRAME_STREAM_ACCEPT, 1, &frame));
    cr_assert_eq(wire_read_u32(&frame.body), 3);
    cr_assert_not(answered(FRAME_OF_BOX | FRAME_STREAM_CLOSE, 0, &frame));
    cr_assert_not(answered(FRAME_OF_BOX | FRAME_STREAM_RESET, 0, &frame));
}

static uint8_t trigger_status(const char *configuration, const void *trigger, size_t length)
{
    struct frame frame;
    say_box(configuration);
    say_u64(FRAME_TURN, START_US);
    say(FRAME_TRIGGER, trigger, length);
    say(FRAME_GO, NULL, 0);
    cr_assert(talked(""), "%s", talk.complaint);
    cr_assert(answered(FRAME_TRIGGER_DONE, 0, &frame));
    cr_assert_eq(wire_read_u32(&frame.body), 9);
    return wire_read_u8(&frame.body);
}

Test(conversation, an_operation_that_it_does_not_know_is_refused)
{
    cr_assert_eq(trigger_status("roles = {\"initiator\"}\n", "\0\0\0\x09\5dance\0", 11), 2);
}

Test(conversation, who_is_no_initiator_opens_nothing)
{
    cr_assert_eq(trigger_status("roles = {\"responder\"}\n", "\0\0\0\x09\4open\0", 10), 1);
}

Test(conversation, a_field_that_the_operation_has_not_got_is_refused)
{
    cr_assert_eq(trigger_status("roles = {\"initiator\"}\n",
                     "\0\0\0\x09\5close\2\3sid\x20"
                     "00112233445566778899aabbccddeeff"
                     "\4port\1x",
                     55),
        2);
}

Test(conversation, a_session_that_was_not_opened_here_is_not_closed)
{
    cr_assert_eq(trigger_status("roles = {\"initiator\"}\n",
                     "\0\0\0\x09\5close\1\3sid\x20"
                     "00112233445566778899aabbccddeeff",
                     48),
        1);
}

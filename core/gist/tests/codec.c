/* core/gist: messages parsed and built, on octets that another GIST sent and on faults. RFC 5971 A.
 */
#include "core/gist/message/message.h"
#include "core/gist/message/message_build.h"
#include "core/gist/message/message_parse.h"
#include "core/spec/tests/verify.h"

#include <criterion/criterion.h>
#include <string.h>

struct hex {
    uint8_t octets[1024];
    size_t length;
};

static uint8_t digit(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static struct hex from_hex(const char *text)
{
    struct hex hex = {.length = 0};
    for (; *text; text++)
        if (*text != ' ') {
            hex.octets[hex.length++] = (uint8_t)(digit(text[0]) << 4 | digit(text[1]));
            text++;
        }
    return hex;
}

/* Of a capture: an echo application, NSLPID 40, between 10.10.1.2 and 10.10.2.2. */
#define MRI              "00000004 00004000 0a0a0102 0a0a0202 20200000 "
#define MRI_BACK         "00000004 00004020 0a0a0102 0a0a0202 20200000 "
#define SESSION          "00010004 00000000 00000000 00000000 00000002 "
#define QUERIER          "00020007 10404000 00007530 f0e8d0b299fdcc6f997b745838c60b81 0a0a0102 "
#define RESPONDER        "00020007 10004000 00007530 cdeb7105c1e8caea1f41bb69abdb1217 0a0a0202 "
#define QUERY_COOKIE     "00050001 29c2189c "
#define PROPOSAL         "00030003 02000000 01010000 02020100 "
#define QUERY_SCD        "00040004 02000000 0002bf20 01010000 01020000 "
#define RESPONDER_COOKIE "00060007 7a9757e7 00020000 bb0c05884badd29de8557e09aaecc4bd4c27e4e1 "
#define RESPONSE_SCD     "00040006 02000000 0002bf20 01010200 75300000 01020200 75310000 "
#define CONFIRM_SCD      "00040002 00000000 0002bf20 "
#define NSLP_DATA        "00080003 48656c6c6f20576f726c6421 "

static const char query[] = "0120001d 002880c0" MRI SESSION QUERIER QUERY_COOKIE PROPOSAL QUERY_SCD;
static const char response[] = "01010027 002801c0" MRI_BACK SESSION RESPONDER QUERY_COOKIE
    RESPONDER_COOKIE PROPOSAL RESPONSE_SCD;
static const char confirm[] =
    "01010021 00280280" MRI SESSION QUERIER RESPONDER_COOKIE PROPOSAL CONFIRM_SCD;
static const char data_c_mode[] = "0101000e 00280380" MRI SESSION NSLP_DATA;
static const char data_d_mode[] =
    "01010016 00280380" MRI SESSION
    "00020007 10404000 00007530 c5ea83e6dd4f270e0f7e26099bbf4585 0a0a0102" NSLP_DATA;
static const char query_v6[] =
    "0120001d 002880c0 0000000a 00006000 fd000001000000000000000000000002 "
    "fd000002000000000000000000000002 80800000 00010004 00000000000000000000000000000000 "
    "0002000a 10406000 00007530 eb03ad5094d2fa681d100163de3e1208 "
    "fd000001000000000000000000000002 00050001 29f75b6f";

static struct gist_message parse(const struct hex *hex)
{
    struct gist_message message;
    struct gist_fault fault;
    cr_assert(gist_message_parse(hex->octets, hex->length, &message, &fault), "fault %u/%u",
        fault.code, fault.subcode);
    return message;
}

Test(codec, what_another_gist_sent_is_built_again_octet_by_octet)
{
    const char *captured[] = {query, response, confirm, data_c_mode, data_d_mode, query_v6};
    for (size_t i = 0; i < sizeof(captured) / sizeof(captured[0]); i++) {
        struct hex hex = from_hex(captured[i]);
        struct gist_message message = parse(&hex);
        uint8_t built[1024];
        cr_assert_eq(gist_message_build(&message, built, sizeof(built)), hex.length, "%zu", i);
        cr_assert_arr_eq(built, hex.octets, hex.length, "message %zu", i);
    }
}

Test(codec, a_query_is_parsed_field_by_field)
{
    struct hex hex = from_hex(query);
    struct gist_message message = parse(&hex);
    cr_assert_eq(message.header.version, 1);
    cr_assert_eq(message.header.hop_count, 32);
    cr_assert_eq(message.header.length, 29);
    cr_assert_eq(message.header.nslp_id, 40);
    cr_assert_eq(message.header.type, GIST_QUERY);
    cr_assert(message.header.context_free && message.header.source_is_peer);
    cr_assert(message.header.reply_requested && !message.header.explicitly_routed);
    cr_assert_eq(message.mri.mrm, GIST_MRM_PATH_COUPLED);
    struct gist_address source = gist_address_v4(0x0a0a0102);
    cr_assert(gist_address_equal(&message.mri.source, &source));
    cr_assert(gist_address_equal(&message.nli.interface_address, &source));
    cr_assert_eq(message.mri.destination_prefix, 32);
    cr_assert_not(message.mri.has_protocol);
    cr_assert_eq(message.session_id.octets[15], 2);
    cr_assert_eq(message.nli.ip_ttl, 64);
    cr_assert_eq(message.nli.validity_ms, 30000);
    cr_assert_eq(message.nli.peer_identity.length, 16);
    cr_assert_eq(message.query_cookie.length, 4);
    cr_assert_eq(message.stack_proposal.profile_count, 2);
    cr_assert_eq(message.stack_configuration.hold_time_ms, 180000);
    cr_assert(gist_stack_proposes(&message.stack_proposal, GIST_STACK_TCP));
}

Test(codec, the_port_of_forwards_tcp_is_that_of_its_own_profile)
{
    struct hex hex = from_hex(response);
    struct gist_message message = parse(&hex);
    uint16_t port;
    cr_assert(gist_stack_find(
        &message.stack_proposal, &message.stack_configuration, GIST_STACK_TCP, &port));
    cr_assert_eq(port, 30000);
    cr_assert(message.mri.upstream);
    cr_assert_eq(message.responder_cookie.length, 28);
}

Test(codec, an_option_of_four_octets_gives_its_port)
{
    struct hex hex = from_hex("0101001b 002801c0" MRI SESSION RESPONDER QUERY_COOKIE
                              "00060001 00000001 00030002 01000000 01010000 "
                              "00040004 01000000 00007530 01010400 75300000");
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message = parse(&hex);
    uint16_t port;
    cr_assert(gist_stack_find(
        &message.stack_proposal, &message.stack_configuration, GIST_STACK_TCP, &port));
    cr_assert_eq(port, 30000);
}

Test(codec, a_protocol_flagged_unusable_is_not_used)
{
    VERIFIES("RFC5971-5.7.1-1");
    struct hex hex = from_hex("0101001b 002801c0" MRI SESSION RESPONDER QUERY_COOKIE
                              "00060001 00000001 00030002 01000000 01010000 "
                              "00040004 01000000 00007530 01010280 75300000");
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message = parse(&hex);
    uint16_t port;
    REQUIRE("RFC5971-5.7.1-1", !gist_stack_find(&message.stack_proposal,
                                   &message.stack_configuration, GIST_STACK_TCP, &port));
}

static struct gist_mri full_mri(uint8_t version)
{
    struct gist_mri mri = {
        .mrm = GIST_MRM_PATH_COUPLED,
        .upstream = true,
        .source = {.version = version, .octets = {1, 2, 3, 4}},
        .destination = {.version = version, .octets = {5, 6, 7, 8}},
        .source_prefix = 24,
        .destination_prefix = 32,
        .has_protocol = true,
        .has_ds_field = true,
        .has_flow_label = version == 6,
        .has_spi = true,
        .has_source_port = true,
        .has_destination_port = true,
        .protocol = 50,
        .ds_field = 46,
        .flow_label = version == 6 ? 0xabcde : 0,
        .spi = 0x12345678,
        .source_port = 1,
        .destination_port = 65535,
    };
    return mri;
}

static bool survives(const struct gist_mri *mri)
{
    uint8_t octets[GIST_MRI_VALUE_MAX];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    gist_mri_write(&writer, mri);
    struct wire_reader reader = wire_reader_over(octets, wire_written(&writer));
    struct gist_mri read;
    uint8_t subcode;
    return gist_mri_read(&reader, &read, &subcode) && gist_mri_equal(mri, &read);
}

Test(codec, routing_information_of_every_form_comes_back)
{
    struct gist_mri v4 = full_mri(4);
    struct gist_mri v6 = full_mri(6);
    struct gist_mri bare = {.source = v4.source, .destination = v4.destination};
    struct gist_mri loose = {.mrm = GIST_MRM_LOOSE_END,
        .upstream = true,
        .source = v6.source,
        .destination = v6.destination};
    cr_assert(survives(&v4) && survives(&v6) && survives(&bare) && survives(&loose));
}

struct fault_case {
    const char *name;
    const char *id; /* the requirement, or NULL */
    const char *message;
    uint16_t code;
    uint8_t subcode;
    int object_type; /* in Object Type Info; -1: none */
    int offset;      /* in Object Value Info; -1: none */
};

#define NLI "00020003 00404000 00007530 0a0a0102 "
#define QC  "00050001 29c2189c "

static const struct fault_case faults[] = {
    {"version 2", "RFC5971-A.1-5", "02010000 002880c0", 1, 0, -1, -1},
    {"type 6", NULL, "01010000 00280640", 1, 1, -1, -1},
    {"Query with R=0", "RFC5971-A.1-1", "01010010 00288080" MRI SESSION NLI QC, 1, 2, -1, -1},
    {"Data with R=1", "RFC5971-A.1-1", "0101000e 002803c0" MRI SESSION NSLP_DATA, 1, 2, -1, -1},
    {"Response with cookie and R=0", "RFC5971-5.1-11a",
        "01010012 00280180" MRI_BACK SESSION NLI QC "00060001 01020304", 1, 2, -1, -1},
    {"Query with E=1", "RFC5971-A.1-4", "01010010 002880e0" MRI SESSION NLI QC, 1, 4, -1, -1},
    {"Query with C=0", "RFC5971-5.2.1-1", "01010010 002800c0" MRI SESSION NLI QC, 1, 5, -1, -1},
    {"Confirm with C=1", NULL, "0101000f 00288280" MRI SESSION NLI, 1, 5, -1, -1},
    {"length too large", NULL, "01010011 002880c0" MRI SESSION NLI QC, 1, 3, -1, -1},
    {"length too small", NULL, "0101000f 002880c0" MRI SESSION NLI QC, 1, 3, -1, -1},
    {"object past the end", NULL, "01010001 002880c0 00050004", 1, 3, -1, -1},
    {"duplicate", "RFC5971-5.1-2", "01010012 002880c0" MRI SESSION NLI QC QC, 9, 0, 5, -1},
    {"unknown, AB=00", "RFC5971-A.2.1-1", "01010011 002880c0" MRI SESSION NLI QC "00640000", 9, 1,
        100, -1},
    {"missing session", "RFC5971-5.1-2", "0101000b 002880c0" MRI NLI QC, 9, 2, 1, -1},
    {"missing cookie", "RFC5971-5.1-2", "0101000f 002880c0" MRI SESSION NLI, 9, 2, 5, -1},
    {"proposal alone", NULL, "01010013 002880c0" MRI SESSION NLI QC "00030002 01000000 01010000", 9,
        2, 4, -1},
    {"configuration alone", NULL,
        "01010013 002880c0" MRI SESSION NLI QC "00040002 00000000 00007530", 9, 2, 3, -1},
    {"Hello-ID in a Query", "RFC5971-5.1-2",
        "01010012 002880c0" MRI SESSION NLI QC "000a0001 00000001", 9, 3, 10, -1},
    {"wrong order", "RFC5971-5.1-1", "01010010 002880c0" SESSION MRI NLI QC, 9, 3, 0, -1},
    {"AB=11", "RFC5971-A.2.1-4", "01010011 002880c0" MRI SESSION NLI QC "c0640000", 9, 5, 100, -1},
    {"AB=11 on a known object", "RFC5971-A.2.1-4",
        "01010010 002880c0" MRI SESSION NLI "c0050001 29c2189c", 9, 5, 5, -1},
    {"session of 3 words", NULL, "0101000f 002880c0" MRI "00010003 000000000000000000000002" NLI QC,
        10, 0, -1, 4},
    {"MRI too short", NULL, "0101000f 002880c0 00000003 00004000 0a0a0102 0a0a0202" SESSION NLI QC,
        10, 0, -1, 16},
    {"unknown routing method", NULL,
        "01010010 002880c0 00000004 07004000 0a0a0102 0a0a0202 20200000" SESSION NLI QC, 10, 1, -1,
        6},
    {"MRI of IP version 5", NULL,
        "01010010 002880c0 00000004 00005000 0a0a0102 0a0a0202 20200000" SESSION NLI QC, 10, 1, -1,
        8},
    {"prefix of 33", NULL,
        "01010010 002880c0 00000004 00004000 0a0a0102 0a0a0202 21200000" SESSION NLI QC, 10, 1, -1,
        20},
    {"flow label in IPv4", "RFC5971-A.3.1.1-2",
        "01010011 002880c0 00000005 00004200 0a0a0102 0a0a0202 20200000 00000001" SESSION NLI QC,
        10, 2, -1, 8},
    {"SPI without protocol", "RFC5971-A.3.1.1-3",
        "01010011 002880c0 00000005 00004100 0a0a0102 0a0a0202 20200000 00000001" SESSION NLI QC,
        10, 2, -1, 8},
    {"port without protocol", "RFC5971-A.3.1.1-4",
        "01010011 002880c0 00000005 00004040 0a0a0102 0a0a0202 20200000 00000001" SESSION NLI QC,
        10, 2, -1, 8},
    {"loose-end Query from the edge", NULL,
        "0101000f 002880c0 00000003 01004800 0a0a0102 0a0a0202" SESSION NLI QC, 10, 1, -1, 4},
    {"NLI of IP version 0", NULL,
        "01010010 002880c0" MRI SESSION "00020003 00400000 00007530 0a0a0102" QC, 10, 1, -1, 8},
    {"validity zero", "RFC5971-A.3.3-1",
        "01010010 002880c0" MRI SESSION "00020003 00404000 00000000 0a0a0102" QC, 10, 1, -1, 12},
    {"identity past the NLI", NULL,
        "01010010 002880c0" MRI SESSION "00020003 09404000 00007530 0a0a0102" QC, 10, 0, -1, 12},
    {"empty cookie", NULL, "0101000f 002880c0" MRI SESSION NLI "00050000", 10, 0, -1, 4},
    {"no profiles", "RFC5971-A.3.4-1",
        "01010017 002880c0" MRI SESSION NLI QC "00030001 00000000 00040002 00000000 00007530", 10,
        1, -1, 8},
    {"empty profile", "RFC5971-A.3.4-2",
        "01010018 002880c0" MRI SESSION NLI QC "00030002 01000000 00000000 "
        "00040002 00000000 00007530",
        10, 3, -1, 12},
    {"hold time zero", "RFC5971-A.3.5-2",
        "01010018 002880c0" MRI SESSION NLI QC "00030002 01000000 01010000 "
        "00040003 01000000 00000000 01010000",
        10, 1, -1, 12},
    {"options of a profile that is not there", "RFC5971-5.7.1-2",
        "01010018 002880c0" MRI SESSION NLI QC "00030002 01000000 01010000 "
        "00040003 01000000 00007530 01020000",
        10, 5, -1, 4},
    {"no options for TCP", "RFC5971-5.7.1-2",
        "01010017 002880c0" MRI SESSION NLI QC "00030002 01000000 01010000 "
        "00040002 00000000 00007530",
        10, 5, -1, 4},
    {"Hello request with Hello-ID zero", "RFC5971-5.2.2-9b", "01010002 00000540 000a0001 00000000",
        10, 1, -1, 4},
    {"Q-mode without D-mode in an Error", NULL,
        "01010005 00000480 00090004 02000902 08000000 01200000 002180c0", 10, 2, -1, 10},
};

/* Lengths that a case is not about are set right. */
static struct hex prepared(const struct fault_case *expected)
{
    struct hex hex = from_hex(expected->message);
    if (expected->code != 1 || expected->subcode != GIST_INCORRECT_MESSAGE_LENGTH) {
        hex.octets[2] = 0;
        hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    }
    return hex;
}

static bool is_found(const struct fault_case *expected)
{
    struct hex hex = prepared(expected);
    struct gist_message message;
    struct gist_fault fault;
    return !gist_message_parse(hex.octets, hex.length, &message, &fault) &&
           fault.code == expected->code && fault.subcode == expected->subcode &&
           fault.error_class == GIST_CLASS_PROTOCOL_ERROR &&
           fault.has_object_type == (expected->object_type >= 0) &&
           (expected->object_type < 0 || fault.object_type == expected->object_type) &&
           (fault.objects[0].octets != NULL) == (expected->offset >= 0) &&
           (expected->offset < 0 || fault.objects[0].offset == expected->offset);
}

Test(codec, each_fault_has_its_error)
{
    VERIFIES("RFC5971-A.1-5", "RFC5971-A.1-1", "RFC5971-5.1-11a", "RFC5971-A.1-4",
        "RFC5971-5.2.1-1", "RFC5971-5.1-2", "RFC5971-A.2.1-1", "RFC5971-5.1-1", "RFC5971-A.2.1-4",
        "RFC5971-A.3.1.1-2", "RFC5971-A.3.1.1-3", "RFC5971-A.3.1.1-4", "RFC5971-A.3.3-1",
        "RFC5971-A.3.4-1", "RFC5971-A.3.4-2", "RFC5971-A.3.5-2", "RFC5971-5.7.1-2",
        "RFC5971-5.2.2-9b");
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        bool found = is_found(&faults[i]);
        if (faults[i].id)
            REQUIRE(faults[i].id, found);
        if (!found) {
            struct hex hex = prepared(&faults[i]);
            struct gist_message message;
            struct gist_fault fault;
            gist_message_parse(hex.octets, hex.length, &message, &fault);
            cr_assert(false, "%s: %u/%u type %d offset %u", faults[i].name, fault.code,
                fault.subcode, fault.object_type, fault.objects[0].offset);
        }
    }
}

Test(codec, a_wrong_length_is_reported_with_the_right_one)
{
    struct hex hex = from_hex("01010063 002880c0" MRI SESSION NLI QC);
    struct gist_message message;
    struct gist_fault fault;
    cr_assert_not(gist_message_parse(hex.octets, hex.length, &message, &fault));
    cr_assert(fault.has_calculated_length);
    cr_assert_eq(fault.calculated_length, (hex.length - 8) / 4);
}

Test(codec, a_stack_mismatch_shows_both_objects)
{
    struct hex hex = from_hex("01010018 002880c0" MRI SESSION NLI QC
                              "00030002 01000000 01010000 00040003 01000000 00007530 02010000");
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message;
    struct gist_fault fault;
    cr_assert_not(gist_message_parse(hex.octets, hex.length, &message, &fault));
    cr_assert_eq(fault.subcode, GIST_STACK_MISMATCH);
    cr_assert_eq(fault.objects[0].octets[1], GIST_OBJECT_STACK_PROPOSAL);
    cr_assert_eq(fault.objects[1].octets[1], GIST_OBJECT_STACK_CONFIGURATION);
}

Test(codec, unknown_objects_that_may_be_ignored_are_not_in_the_way)
{
    struct hex hex =
        from_hex("01010013 002880c0" MRI SESSION "40640001 01020304" NLI "80650000" QC "40660000");
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message = parse(&hex);
    cr_assert_eq(message.query_cookie.length, 4);
}

Test(codec, what_could_be_decoded_is_there_in_spite_of_a_fault)
{
    struct hex hex = from_hex("01010011 002880c0 00640000" MRI SESSION NLI QC);
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message;
    struct gist_fault fault;
    cr_assert_not(gist_message_parse(hex.octets, hex.length, &message, &fault));
    cr_assert(gist_message_has(&message, GIST_OBJECT_MRI));
    cr_assert(gist_message_has(&message, GIST_OBJECT_SESSION_ID));
    cr_assert(gist_message_has(&message, GIST_OBJECT_NLI));
}

Test(codec, less_than_a_header_is_no_message_to_answer)
{
    struct gist_message message;
    struct gist_fault fault;
    cr_assert_not(gist_message_parse((const uint8_t *)"1234567", 7, &message, &fault));
    cr_assert_eq(fault.code, GIST_NO_ERROR);
}

Test(codec, every_prefix_of_every_message_is_refused)
{
    const char *captured[] = {query, response, confirm, data_c_mode, data_d_mode, query_v6};
    for (size_t i = 0; i < sizeof(captured) / sizeof(captured[0]); i++) {
        struct hex hex = from_hex(captured[i]);
        for (size_t length = 0; length < hex.length; length++) {
            struct gist_message message;
            struct gist_fault fault;
            cr_assert_not(gist_message_parse(hex.octets, length, &message, &fault));
        }
    }
}

Test(codec, an_error_comes_back_with_all_its_information)
{
    static const uint8_t comment[8] = "why not";
    uint8_t infos[64];
    struct hex hex = from_hex(query);
    struct gist_fault fault = gist_fault_of(GIST_OBJECT_VALUE_ERROR, GIST_INVALID_COOKIE);
    fault.objects[0] = (struct gist_faulty_object){hex.octets, 16, 4};
    fault.has_object_type = true;
    fault.object_type = 6;
    fault.has_calculated_length = true;
    fault.calculated_length = 77;
    fault.has_link_mtu = true;
    fault.link_mtu = 1280;
    struct wire_writer writer = wire_writer_over(infos, sizeof(infos));
    uint8_t count = gist_additional_infos_write(&writer, &fault, 200);
    struct gist_message original = parse(&hex);
    struct gist_message error = {
        .header = {.version = 1, .hop_count = 1, .type = GIST_ERROR},
        .error = {.error_class = 2,
            .code = 10,
            .subcode = 4,
            .has_session_id = true,
            .has_mri = true,
            .has_comment = true,
            .d_mode = true,
            .q_mode = true,
            .original = original.header,
            .session_id = original.session_id,
            .mri = original.mri,
            .info_count = count,
            .infos = {infos, wire_written(&writer)},
            .comment = {comment, sizeof(comment)}},
    };
    gist_message_add(&error, GIST_OBJECT_ERROR);
    uint8_t built[512];
    struct hex again = {.length = gist_message_build(&error, again.octets, sizeof(built))};
    struct gist_message read = parse(&again);
    cr_assert_eq(count, 4);
    cr_assert_eq(read.error.info_count, 4);
    cr_assert(read.error.d_mode && read.error.q_mode && read.error.mri_understood);
    cr_assert(gist_mri_equal(&read.error.mri, &original.mri));
    cr_assert_eq(read.error.original.hop_count, 32);
    cr_assert_eq(read.error.comment.length, 8);
    struct wire_reader list = wire_reader_over(read.error.infos.octets, read.error.infos.length);
    struct gist_additional_info info;
    for (uint16_t type = 1; type <= 4; type++) {
        cr_assert(gist_additional_info_next(&list, &info));
        cr_assert_eq(info.type, type);
    }
    cr_assert_eq(info.value.length, 20);
    cr_assert_eq(info.value.octets[1], 4); /* words of the object */
    cr_assert_eq(info.value.octets[3], 4); /* offset */
}

Test(codec, nat_traversal_is_taken_apart)
{
    struct hex hex = from_hex("01010010 002880c0 00070008 04030100 00004000 0a0a0102 0a0a0202 "
                              "20200000 00000002 00040000 0001aa00" MRI SESSION NLI QC);
    hex.octets[3] = (uint8_t)((hex.length - 8) / 4);
    struct gist_message message = parse(&hex);
    cr_assert(message.nat_traversal.mri_understood);
    cr_assert_eq(message.nat_traversal.type_count, 3);
    cr_assert_eq(message.nat_traversal.nat_count, 1);
    cr_assert(gist_nat_traversal_translated(&message.nat_traversal, GIST_OBJECT_NLI));
    cr_assert_not(gist_nat_traversal_translated(&message.nat_traversal, GIST_OBJECT_SESSION_ID));
}

Test(codec, a_message_that_does_not_fit_is_not_built)
{
    struct hex hex = from_hex(query);
    struct gist_message message = parse(&hex);
    uint8_t built[1024];
    for (size_t capacity = 0; capacity < hex.length; capacity++)
        cr_assert_eq(gist_message_build(&message, built, capacity), 0);
}

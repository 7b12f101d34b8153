/* Parsing NATFW messages: what is accepted, and which fault is told. RFC 5973 4.1 to 4.3. */
#include "core/natfw/message/message_parse.h"
#include "core/natfw/policy_rule.h"
#include "core/natfw/tests/octets.h"
#include "core/spec/tests/verify.h"

Test(message_parse, a_plain_create_is_accepted)
{
    struct natfw_message message;
    cr_assert(parses(CREATE_HEADER LT EFI MSN, &message));
    cr_assert_eq(message.type, NATFW_CREATE);
    cr_assert_eq(message.lifetime_s, 60);
    cr_assert_eq(message.efi.action, NATFW_ALLOW);
    cr_assert_eq(message.sequence_number, 7);
}

Test(message_parse, objects_may_come_in_any_order)
{
    VERIFIES("RFC5973-4.3-i1");
    struct natfw_message message;
    REQUIRE("RFC5973-4.3-i1", parses(CREATE_HEADER MSN LT EFI, &message));
}

Test(message_parse, reserved_header_bits_are_ignored)
{
    VERIFIES("RFC5973-4.1-2b");
    struct natfw_message message;
    REQUIRE("RFC5973-4.1-2b", parses("013fffff " LT EFI MSN, &message));
}

Test(message_parse, an_unknown_message_type_is_3_01)
{
    VERIFIES("RFC5973-4.1-3");
    REQUIRE("RFC5973-4.1-3", is_fault(fault_of("05000000 " LT EFI MSN), 3, 0x01, 0));
    REQUIRE("RFC5973-4.1-3", is_fault(fault_of("00000000 " LT EFI MSN), 3, 0x01, 0));
}

Test(message_parse, the_flags_of_a_response_are_ignored)
{
    VERIFIES("RFC5973-4.1-6", "RFC5973-4.1-10");
    struct natfw_message message;
    REQUIRE("RFC5973-4.1-6", parses("03800000 " LT MSN "00100001 02010000", &message));
    REQUIRE("RFC5973-4.1-6", !message.proxy);
    REQUIRE("RFC5973-4.1-10", parses("03400000 " LT MSN "00100001 02010000", &message));
    REQUIRE("RFC5973-4.1-10", !message.end_to_end);
}

Test(message_parse, the_e_flag_counts_only_with_the_p_flag)
{
    VERIFIES("RFC5973-4.1-8");
    struct natfw_message message;
    REQUIRE("RFC5973-4.1-8", parses("01400000 " LT EFI MSN, &message));
    REQUIRE("RFC5973-4.1-8", !message.end_to_end);
    cr_assert(parses("01c00000 " LT EFI MSN "00110001 12345678", &message));
    cr_assert(message.proxy && message.end_to_end);
    cr_assert_eq(message.nonce, 0x12345678);
}

Test(message_parse, a_message_shorter_than_its_object_is_3_07)
{
    VERIFIES("RFC5973-4.2-1");
    REQUIRE("RFC5973-4.2-1",
        is_fault(fault_of(CREATE_HEADER EFI MSN "000c0002 0000003c"), 3, 0x07, NATFW_LT));
    REQUIRE(
        "RFC5973-4.2-1", is_fault(fault_of(CREATE_HEADER EFI LT "00120001"), 3, 0x07, NATFW_MSN));
}

Test(message_parse, a_length_that_the_type_cannot_have_is_3_07)
{
    VERIFIES("RFC5973-4.2-1");
    REQUIRE("RFC5973-4.2-1",
        is_fault(fault_of(CREATE_HEADER EFI MSN "000c0002 0000003c 00000000"), 3, 0x07, NATFW_LT));
    REQUIRE(
        "RFC5973-4.2-1", is_fault(fault_of(CREATE_HEADER LT MSN "000f0000"), 3, 0x07, NATFW_EFI));
}

Test(message_parse, a_message_that_ends_inside_a_header_is_3_02)
{
    cr_assert(is_fault(fault_of("0100"), 3, 0x02, 0));
    cr_assert(is_fault(fault_of(CREATE_HEADER LT EFI MSN "0014"), 3, 0x02, 0));
}

Test(message_parse, an_unknown_mandatory_object_is_3_06)
{
    VERIFIES("RFC5973-4.2-2");
    REQUIRE("RFC5973-4.2-2",
        is_fault(fault_of(CREATE_HEADER LT EFI MSN "00ff0001 00000000"), 3, 0x06, 0x0ff));
}

Test(message_parse, an_unknown_object_to_ignore_or_to_forward_does_no_harm)
{
    VERIFIES("RFC5973-4.2-i4", "RFC5973-4.2-i5");
    struct natfw_message message;
    REQUIRE("RFC5973-4.2-i4", parses(CREATE_HEADER LT EFI MSN "40ff0001 00000000", &message));
    REQUIRE("RFC5973-4.2-i5", parses(CREATE_HEADER LT EFI MSN "80ff0001 00000000", &message));
}

Test(message_parse, both_treatment_bits_are_3_09)
{
    VERIFIES("RFC5973-4.2-3b");
    REQUIRE("RFC5973-4.2-3b",
        is_fault(fault_of(CREATE_HEADER LT EFI MSN "c0ff0001 00000000"), 3, 0x09, 0x0ff));
    REQUIRE("RFC5973-4.2-3b",
        is_fault(fault_of(CREATE_HEADER EFI MSN "c00c0001 0000003c"), 3, 0x09, NATFW_LT));
}

Test(message_parse, a_repeated_object_is_3_0a)
{
    VERIFIES("RFC5973-4.3-4");
    REQUIRE("RFC5973-4.3-4", is_fault(fault_of(CREATE_HEADER LT EFI MSN LT), 3, 0x0a, NATFW_LT));
}

Test(message_parse, a_known_object_of_another_message_is_3_05)
{
    VERIFIES("RFC5973-4.3-3");
    REQUIRE("RFC5973-4.3-3",
        is_fault(fault_of(CREATE_HEADER LT EFI MSN "00100001 02010000"), 3, 0x05, NATFW_INFO));
    REQUIRE(
        "RFC5973-4.3-3", is_fault(fault_of("04000000 00100001 01050000 " MSN), 3, 0x05, NATFW_MSN));
}

Test(message_parse, each_missing_mandatory_object_is_3_04)
{
    VERIFIES("RFC5973-4.3-2");
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of(CREATE_HEADER EFI MSN), 3, 0x04, NATFW_LT));
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of(CREATE_HEADER LT MSN), 3, 0x04, NATFW_EFI));
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of(CREATE_HEADER LT EFI), 3, 0x04, NATFW_MSN));
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of("01800000 " LT EFI MSN), 3, 0x04, NATFW_NONCE));
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of("03000000 " LT MSN), 3, 0x04, NATFW_INFO));
    REQUIRE("RFC5973-4.3-2",
        is_fault(fault_of("03000000 " MSN "00100001 02010000"), 3, 0x04, NATFW_LT));
    REQUIRE("RFC5973-4.3-2", is_fault(fault_of("02000000 " LT EFI MSN), 3, 0x04, NATFW_DTINFO));
}

Test(message_parse, an_error_response_needs_no_lifetime)
{
    struct natfw_message message;
    cr_assert(parses("03000000 " MSN "00100001 05070000", &message));
    cr_assert_eq(natfw_class_of(message.info.code), 5);
    cr_assert_eq(natfw_number_of(message.info.code), 7);
}

/* What else it may carry, only its NATFW_INFO tells. */
Test(message_parse, a_response_that_tells_no_result_is_refused_for_that)
{
    VERIFIES("RFC5973-4.3-2");
    REQUIRE("RFC5973-4.3-2",
        is_fault(fault_of("03000000 " MSN "000e0001 13884000 " LT), 3, 0x04, NATFW_INFO));
}

Test(message_parse, an_unknown_rule_action_is_7_05)
{
    VERIFIES("RFC5973-4.2.4-3");
    REQUIRE("RFC5973-4.2.4-3",
        is_fault(fault_of(CREATE_HEADER LT MSN "000f0001 00030000"), 7, 0x05, NATFW_EFI));
    REQUIRE("RFC5973-4.2.4-3",
        is_fault(fault_of(CREATE_HEADER LT MSN "000f0001 00000000"), 7, 0x05, NATFW_EFI));
}

Test(message_parse, more_than_one_further_port_is_7_08)
{
    VERIFIES("RFC5973-4.2.4-4b");
    REQUIRE("RFC5973-4.2.4-4b",
        is_fault(fault_of(CREATE_HEADER LT MSN "000f0001 00010002"), 7, 0x08, NATFW_EFI));
}

Test(message_parse, a_deletion_need_not_say_what_it_asked_for)
{
    struct natfw_message message;
    cr_assert(parses(CREATE_HEADER "000c0001 00000000 " MSN "000f0001 00000000", &message));
    cr_assert_eq(message.lifetime_s, 0);
}

Test(message_parse, reserved_bits_of_information_are_ignored)
{
    VERIFIES("RFC5973-4.2.5-1b");
    struct natfw_message message;
    REQUIRE("RFC5973-4.2.5-1b", parses("03000000 " LT MSN "00100001 f201f00c", &message));
    REQUIRE("RFC5973-4.2.5-1b", natfw_class_of(message.info.code) == NATFW_SUCCESS);
    cr_assert_eq(message.info.object_type, NATFW_LT);
}

Test(message_parse, an_external_address_without_port_has_none)
{
    VERIFIES("RFC5973-4.2.2-2", "RFC5973-4.2.3-2");
    struct natfw_message message;
    cr_assert(
        parses("03000000 " LT MSN "00100001 02010000 000d0002 00004000 cb007105 000e0001 00004000",
            &message));
    REQUIRE("RFC5973-4.2.2-2", !message.external_address.has_port);
    REQUIRE("RFC5973-4.2.3-2", !message.external_binding.has_port);
    cr_assert_eq(message.external_address.address, 0xcb007105);
}

Test(message_parse, an_external_address_of_another_ip_version_is_3_08)
{
    cr_assert(is_fault(fault_of("03000000 " LT MSN "00100001 02010000 000d0002 00006000 cb007105"),
        3, 0x08, NATFW_EXTERNAL_IP));
}

#define EXTERNAL "02000000 " LT EFI MSN

Test(message_parse, a_terminal_with_ports_and_spi_is_3_09)
{
    VERIFIES("RFC5973-4.2.8-3");
    REQUIRE("RFC5973-4.2.8-3",
        is_fault(fault_of(EXTERNAL "00130003 e0002011 00000001 c0000201"), 3, 0x09, NATFW_DTINFO));
}

Test(message_parse, a_terminal_with_ports_but_no_protocol_is_3_09)
{
    VERIFIES("RFC5973-4.2.8-5");
    REQUIRE("RFC5973-4.2.8-5",
        is_fault(fault_of(EXTERNAL "00130003 40002011 13880fa0 c0000201"), 3, 0x09, NATFW_DTINFO));
    REQUIRE("RFC5973-4.2.8-5",
        is_fault(fault_of(EXTERNAL "00130003 20002032 00000001 c0000201"), 3, 0x09, NATFW_DTINFO));
}

Test(message_parse, the_fields_of_a_terminal_mean_what_the_rules_say)
{
    VERIFIES("RFC5973-4.2.8-6", "RFC5973-4.2.8-7a", "RFC5973-4.2.8-7c");
    struct natfw_message message;
    REQUIRE("RFC5973-4.2.8-7a", parses(EXTERNAL "00130003 c0002011 13880fa0 c0000201", &message));
    REQUIRE("RFC5973-4.2.8-6", message.dtinfo.receiver_port == 5000);
    REQUIRE("RFC5973-4.2.8-6", message.dtinfo.sender_port == 4000);
    REQUIRE("RFC5973-4.2.8-6", message.dtinfo.sender_address == 0xc0000201);
    REQUIRE("RFC5973-4.2.8-7a", message.dtinfo.protocol == 17);
    cr_assert(parses(EXTERNAL "00130002 00000011 00000000", &message));
    REQUIRE("RFC5973-4.2.8-7c", message.dtinfo.protocol == 0);
}

Test(message_parse, every_listed_icmp_type_counts)
{
    VERIFIES("RFC5973-4.2.9-1");
    struct natfw_message message;
    cr_assert(parses(CREATE_HEADER LT EFI MSN "00140001 03080003", &message));
    REQUIRE("RFC5973-4.2.9-1", message.icmp_types.count == 3);
    REQUIRE("RFC5973-4.2.9-1", message.icmp_types.types[0] == 8 &&
                                   message.icmp_types.types[1] == 0 &&
                                   message.icmp_types.types[2] == 3);
}

Test(message_parse, an_icmp_count_that_does_not_fit_its_length_is_3_07)
{
    cr_assert(is_fault(
        fault_of(CREATE_HEADER LT EFI MSN "00140001 04080003"), 3, 0x07, NATFW_ICMP_TYPES));
    cr_assert(is_fault(
        fault_of(CREATE_HEADER LT EFI MSN "00140001 00000000"), 3, 0x08, NATFW_ICMP_TYPES));
}

Test(message_parse, the_sequence_number_of_a_faulty_message_is_salvaged)
{
    struct octets octets = octets_of("05000000 " LT MSN);
    struct natfw_message message;
    struct natfw_info fault;
    cr_assert_not(natfw_message_parse(octets.data, octets.length, &message, &fault));
    cr_assert_eq(message.sequence_number, 7);
}

Test(message_parse, of_several_faults_the_first_of_the_order_is_told)
{
    cr_assert(is_fault(fault_of(CREATE_HEADER LT LT "c0ff0000 00fe0000"), 3, 0x09, 0x0ff));
    cr_assert(is_fault(fault_of(CREATE_HEADER LT LT "00fe0000"), 3, 0x06, 0x0fe));
    cr_assert(is_fault(fault_of(CREATE_HEADER LT LT "00100001 02010000"), 3, 0x0a, NATFW_LT));
    cr_assert(is_fault(fault_of(CREATE_HEADER LT "00100001 02010000"), 3, 0x05, NATFW_INFO));
}

Test(message_parse, every_truncation_of_a_message_is_refused_or_sound)
{
    struct octets octets = octets_of(EXTERNAL "00130003 c0002011 13880fa0 c0000201");
    struct natfw_message message;
    struct natfw_info fault;
    for (size_t length = 0; length < octets.length; length++)
        cr_assert_not(natfw_message_parse(octets.data, length, &message, &fault),
            "%zu octets of %zu are no message", length, octets.length);
    cr_assert(natfw_message_parse(octets.data, octets.length, &message, &fault));
}

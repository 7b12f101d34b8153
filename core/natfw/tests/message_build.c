/* Building NATFW messages: what leaves this node is what the figures show. RFC 5973 4. */
#include "core/natfw/message/message_build.h"
#include "core/natfw/message/message_parse.h"
#include "core/natfw/tests/bench.h"
#include "core/natfw/tests/octets.h"

static struct octets built(const struct natfw_message *message)
{
    struct octets octets;
    octets.length = natfw_message_build(message, octets.data, sizeof(octets.data));
    return octets;
}

static uint32_t word(const struct octets *octets, size_t index)
{
    const uint8_t *at = octets->data + 4 * index;
    return 4 * index + 4 > octets->length
               ? 0xeeeeeeee
               : (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

Test(message_build, a_message_starts_with_the_header)
{
    VERIFIES("RFC5973-4.1-1", "RFC5973-4.1-2a", "RFC5973-4.2-3a");
    struct natfw_message message = bench_create(60, 7);
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.1-1", octets.length == 28);
    REQUIRE("RFC5973-4.1-1", octets.data[0] == NATFW_CREATE);
    REQUIRE("RFC5973-4.1-2a", word(&octets, 0) == 0x01000000);
    REQUIRE("RFC5973-4.2-3a", octets.data[4] >> 6 == 0);
}

Test(message_build, what_is_built_parses_to_the_same)
{
    struct octets octets = octets_of(CREATE_HEADER LT EFI MSN);
    struct natfw_message message;
    struct natfw_info fault;
    cr_assert(natfw_message_parse(octets.data, octets.length, &message, &fault));
    struct octets again = built(&message);
    cr_assert_eq(again.length, octets.length);
    cr_assert_arr_eq(again.data, octets.data, octets.length);
}

Test(message_build, an_unknown_object_to_forward_is_carried_on_unchanged)
{
    VERIFIES("RFC5973-4.2-i5", "RFC5973-4.2-i4");
    struct natfw_message message;
    cr_assert(
        parses(CREATE_HEADER LT "80ff0002 deadbeef 01020304 40fe0001 05060708 " EFI MSN, &message));
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.2-i5", octets.length == 28 + 12);
    REQUIRE("RFC5973-4.2-i5", word(&octets, 3) == 0x80ff0002);
    REQUIRE("RFC5973-4.2-i5", word(&octets, 5) == 0x01020304);
    REQUIRE("RFC5973-4.2-i4", word(&octets, 10) == 0xeeeeeeee);
}

/* 4.3: objects may stand in any order. */
Test(message_build, what_came_keeps_its_order)
{
    struct natfw_message message;
    struct octets octets = octets_of(CREATE_HEADER MSN "80ff0001 deadbeef " EFI LT);
    cr_assert(parses(CREATE_HEADER MSN "80ff0001 deadbeef " EFI LT, &message));
    struct octets again = built(&message);
    cr_assert_eq(again.length, octets.length);
    cr_assert_arr_eq(again.data, octets.data, octets.length);
    message.lifetime_s = 0x01020304;
    again = built(&message);
    cr_assert_eq(word(&again, 8), 0x01020304, "a changed value stands where the old one stood");
}

Test(message_build, only_requests_carry_the_proxy_flags)
{
    VERIFIES("RFC5973-4.1-4", "RFC5973-4.1-5", "RFC5973-4.1-8", "RFC5973-4.1-9");
    struct natfw_message request = bench_create(60, 7);
    natfw_message_add(&request, NATFW_NONCE);
    request.proxy = true;
    struct octets octets = built(&request);
    REQUIRE("RFC5973-4.1-4", octets.data[1] == 0x80);
    request.proxy = false;
    request.end_to_end = true;
    octets = built(&request);
    REQUIRE("RFC5973-4.1-8", octets.data[1] == 0);
    struct natfw_message response = bench_success(60, 7);
    response.proxy = true;
    octets = built(&response);
    REQUIRE("RFC5973-4.1-5", (octets.data[1] & 0x80) == 0);
    response.end_to_end = true;
    octets = built(&response);
    REQUIRE("RFC5973-4.1-9", (octets.data[1] & 0x40) == 0);
}

Test(message_build, a_message_without_a_mandatory_object_is_not_built)
{
    VERIFIES("RFC5973-4.3-1a");
    struct natfw_message message = bench_create(60, 7);
    message.has[NATFW_EFI - NATFW_OBJECT_FIRST] = false;
    REQUIRE("RFC5973-4.3-1a", built(&message).length == 0);
    struct natfw_message response = bench_response(NATFW_ALL_PROCESSED, 7);
    REQUIRE("RFC5973-4.3-1a", built(&response).length == 0);
}

Test(message_build, a_message_with_an_object_of_another_is_not_built)
{
    struct natfw_message message = bench_create(60, 7);
    natfw_message_add(&message, NATFW_INFO);
    cr_assert_eq(built(&message).length, 0);
}

Test(message_build, more_than_one_further_port_is_never_asked_for)
{
    VERIFIES("RFC5973-4.2.4-4a");
    struct natfw_message message = bench_create(60, 7);
    message.efi.sub_ports = 2;
    REQUIRE("RFC5973-4.2.4-4a", built(&message).length == 0);
    message.efi.sub_ports = 1;
    cr_assert_gt(built(&message).length, 0);
}

Test(message_build, reserved_bits_of_information_are_zero)
{
    VERIFIES("RFC5973-4.2.5-1a");
    struct natfw_message message = bench_response(NATFW_DID_NOT_REACH_NR, 7);
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.2.5-1a", word(&octets, 2) == 0x05070000);
}

Test(message_build, an_external_address_is_ipv4_and_has_port_0_without_port)
{
    VERIFIES("RFC5973-4.2.2-1", "RFC5973-4.2.2-3");
    struct natfw_message message = bench_success(60, 7);
    natfw_message_add(&message, NATFW_EXTERNAL_IP);
    message.external_address.port = 99;
    message.external_address.address = 0xcb007105;
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.2.2-1", word(&octets, 4) >> 16 == 0);
    REQUIRE("RFC5973-4.2.2-3", (word(&octets, 4) & 0xf000) == 0x4000);
    cr_assert_eq(word(&octets, 5), 0xcb007105);
}

Test(message_build, an_external_binding_is_ipv4_and_has_port_0_without_port)
{
    VERIFIES("RFC5973-4.2.3-1", "RFC5973-4.2.3-3");
    struct natfw_message message = bench_success(60, 7);
    natfw_message_add(&message, NATFW_EXTERNAL_BINDING);
    message.external_binding.port = 99;
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.2.3-1", word(&octets, 4) >> 16 == 0);
    REQUIRE("RFC5973-4.2.3-3", (word(&octets, 4) & 0xf000) == 0x4000);
}

static struct natfw_message external(void)
{
    struct natfw_message message = bench_create(60, 7);
    message.type = NATFW_EXTERNAL;
    natfw_message_add(&message, NATFW_DTINFO);
    return message;
}

Test(message_build, a_terminal_never_has_ports_and_spi)
{
    VERIFIES("RFC5973-4.2.8-2");
    struct natfw_message message = external();
    message.dtinfo = (struct natfw_dtinfo){.has_ports = true, .has_spi = true, .protocol = 17};
    REQUIRE("RFC5973-4.2.8-2", built(&message).length == 0);
}

Test(message_build, a_terminal_with_ports_names_its_protocol)
{
    VERIFIES("RFC5973-4.2.8-4a", "RFC5973-4.2.8-4b");
    struct natfw_message message = external();
    message.dtinfo = (struct natfw_dtinfo){.has_ports = true, .protocol = 17, .receiver_port = 80};
    struct octets octets = built(&message);
    size_t dtinfo = 8; /* words before the object's value */
    REQUIRE("RFC5973-4.2.8-4a", word(&octets, dtinfo) >> 31 == 1);
    REQUIRE("RFC5973-4.2.8-4b", (word(&octets, dtinfo) & 0xff) == 17);
    cr_assert_eq(word(&octets, dtinfo + 1), 80u << 16);
}

Test(message_build, what_a_terminal_does_not_give_is_zero)
{
    VERIFIES("RFC5973-4.2.8-7b", "RFC5973-4.2.8-8");
    struct natfw_message message = external();
    message.dtinfo = (struct natfw_dtinfo){.protocol = 17, .sender_address = 0xc0000201};
    struct octets octets = built(&message);
    REQUIRE("RFC5973-4.2.8-7b", word(&octets, 8) == 0);
    REQUIRE("RFC5973-4.2.8-8", word(&octets, 9) == 0);
}

Test(message_build, a_buffer_too_small_is_told)
{
    struct natfw_message message = bench_create(60, 7);
    uint8_t octets[27];
    cr_assert_eq(natfw_message_build(&message, octets, sizeof(octets)), 0);
}

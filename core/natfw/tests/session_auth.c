/* The session authorisation object as structure. RFC 5981 3. */
#include "core/natfw/message/session_auth.h"

#include "core/natfw/tests/octets.h"

/* An entity id of 5 octets, a start time, and authentication data. */
#define AUTH "80160008 00090103 6e692e65 78000000 000c0501 e0000000 00000000 00080800 cafebabe"

static struct wire_reader attributes_of(const char *hex)
{
    static struct octets octets;
    octets = octets_of(hex);
    return wire_reader_over(octets.data, octets.length);
}

Test(session_auth, is_found_in_a_message_and_read_attribute_by_attribute)
{
    struct natfw_message message;
    struct wire_reader attributes;
    cr_assert(parses(CREATE_HEADER LT EFI MSN AUTH, &message));
    cr_assert(natfw_session_auth_find(&message, &attributes));
    cr_assert(natfw_session_auth_is_sound(attributes));
    struct natfw_auth_attribute attribute;
    cr_assert(natfw_auth_attribute_next(&attributes, &attribute));
    cr_assert_eq(attribute.type, NATFW_AUTH_ENTITY_ID);
    cr_assert_eq(attribute.subtype, 3);
    cr_assert_eq(attribute.length, 5);
    cr_assert_arr_eq(attribute.value, "ni.ex", 5);
    cr_assert(natfw_auth_attribute_next(&attributes, &attribute));
    cr_assert_eq(attribute.type, NATFW_AUTH_START_TIME);
    cr_assert(natfw_auth_attribute_next(&attributes, &attribute));
    cr_assert_eq(attribute.type, NATFW_AUTH_AUTHENTICATION_DATA);
    cr_assert_not(natfw_auth_attribute_next(&attributes, &attribute));
    cr_assert(wire_finished(&attributes));
}

Test(session_auth, is_not_found_where_there_is_none)
{
    struct natfw_message message;
    struct wire_reader attributes;
    cr_assert(parses(CREATE_HEADER LT EFI MSN, &message));
    cr_assert_not(natfw_session_auth_find(&message, &attributes));
}

Test(session_auth, an_attribute_that_overruns_or_is_shorter_than_its_header_is_not_sound)
{
    cr_assert_not(natfw_session_auth_is_sound(attributes_of("000d0501 e0000000 00000000")));
    cr_assert_not(natfw_session_auth_is_sound(attributes_of("00030501")));
    cr_assert_not(natfw_session_auth_is_sound(attributes_of("0004")));
}

Test(session_auth, authentication_data_comes_last_and_with_an_object_list_always)
{
    cr_assert_not(
        natfw_session_auth_is_sound(attributes_of("00080800 cafebabe 00080103 6e692e65")));
    cr_assert_not(natfw_session_auth_is_sound(attributes_of("00080700 0001000c")));
    cr_assert(natfw_session_auth_is_sound(attributes_of("00080700 0001000c 00080800 cafebabe")));
}

Test(session_auth, what_is_written_is_read_again_and_padded_with_zeros)
{
    uint8_t octets[16];
    struct wire_writer writer = wire_writer_over(octets, sizeof(octets));
    struct natfw_auth_attribute attribute = {
        .type = NATFW_AUTH_ENTITY_ID, .subtype = 3, .value = (const uint8_t *)"ni.ex", .length = 5};
    natfw_auth_attribute_write(&writer, &attribute);
    cr_assert_eq(wire_written(&writer), 12);
    cr_assert_eq(octets[9] | octets[10] | octets[11], 0);
    struct wire_reader reader = wire_reader_over(octets, 12);
    struct natfw_auth_attribute again;
    cr_assert(natfw_auth_attribute_next(&reader, &again));
    cr_assert_eq(again.length, 5);
    cr_assert_arr_eq(again.value, "ni.ex", 5);
    cr_assert(wire_finished(&reader));
}

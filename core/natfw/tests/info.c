/* Classes and response codes have the numbers of the RFC. RFC 5973 4.2.5. */
#include "core/natfw/info.h"

#include <criterion/criterion.h>

Test(info, each_response_code_has_its_class_and_number)
{
    static const struct {
        enum natfw_code code;
        unsigned class, number;
    } rows[] = {
        {NATFW_ROUTE_CHANGE, 1, 0x01},
        {NATFW_REAUTHENTICATION_REQUIRED, 1, 0x02},
        {NATFW_GOING_DOWN, 1, 0x03},
        {NATFW_SESSION_EXPIRED, 1, 0x04},
        {NATFW_SESSION_TERMINATED, 1, 0x05},
        {NATFW_ALL_PROCESSED, 2, 0x01},
        {NATFW_ILLEGAL_MESSAGE_TYPE, 3, 0x01},
        {NATFW_WRONG_MESSAGE_LENGTH, 3, 0x02},
        {NATFW_BAD_FLAGS, 3, 0x03},
        {NATFW_MANDATORY_OBJECT_MISSING, 3, 0x04},
        {NATFW_ILLEGAL_OBJECT, 3, 0x05},
        {NATFW_UNKNOWN_OBJECT, 3, 0x06},
        {NATFW_WRONG_OBJECT_LENGTH, 3, 0x07},
        {NATFW_UNKNOWN_FIELD_VALUE, 3, 0x08},
        {NATFW_INVALID_COMBINATION, 3, 0x09},
        {NATFW_DUPLICATE_OBJECT, 3, 0x0a},
        {NATFW_EXTERNAL_ON_EXTERNAL_SIDE, 3, 0x0b},
        {NATFW_RESOURCES_UNAVAILABLE, 4, 0x01},
        {NATFW_AUTHENTICATION_FAILED, 5, 0x01},
        {NATFW_AUTHORIZATION_FAILED, 5, 0x02},
        {NATFW_INTERNAL_ERROR, 5, 0x04},
        {NATFW_NO_EDGE_DEVICE, 5, 0x06},
        {NATFW_DID_NOT_REACH_NR, 5, 0x07},
        {NATFW_TERMINATED_ASYNCHRONOUSLY, 7, 0x01},
        {NATFW_LIFETIME_TOO_BIG, 7, 0x02},
        {NATFW_NO_RESERVATION, 7, 0x03},
        {NATFW_POLICY_CONFLICT, 7, 0x04},
        {NATFW_UNKNOWN_ACTION, 7, 0x05},
        {NATFW_ACTION_NOT_APPLICABLE, 7, 0x06},
        {NATFW_DTINFO_REQUIRED, 7, 0x07},
        {NATFW_SUB_PORTS_NOT_PERMITTED, 7, 0x08},
        {NATFW_PROTOCOL_NOT_SUPPORTED, 7, 0x09},
        {NATFW_TRANSPORT_NEEDED, 7, 0x0a},
        {NATFW_ICMP_TYPE_NOT_PERMITTED, 7, 0x0b},
        {NATFW_SOURCE_RANGE_TOO_LARGE, 7, 0x0c},
        {NATFW_DESTINATION_RANGE_TOO_LARGE, 7, 0x0d},
        {NATFW_SOURCE_PORTS_TOO_LARGE, 7, 0x0e},
        {NATFW_DESTINATION_PORTS_TOO_LARGE, 7, 0x0f},
        {NATFW_LIFETIME_TOO_SMALL, 7, 0x10},
        {NATFW_MODIFIED_LIFETIME_TOO_BIG, 7, 0x11},
        {NATFW_MODIFIED_LIFETIME_TOO_SMALL, 7, 0x12},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(natfw_class_of(rows[i].code), rows[i].class, "row %zu", i);
        cr_assert_eq(natfw_number_of(rows[i].code), rows[i].number, "row %zu", i);
    }
}

/* What a middlebox's results are answered with; see middlebox.h. RFC 5973 4.2.5, ruling A72. */
#include "core/natfw/middlebox.h"

enum natfw_code natfw_code_of_middlebox(enum natfw_middlebox_result result)
{
    static const enum natfw_code codes[] = {
        [NATFW_MIDDLEBOX_OK] = NATFW_NO_CODE,
        [NATFW_MIDDLEBOX_CONFLICT] = NATFW_POLICY_CONFLICT,
        [NATFW_MIDDLEBOX_EXHAUSTED] = NATFW_RESOURCES_UNAVAILABLE,
        [NATFW_MIDDLEBOX_UNSUPPORTED_PROTOCOL] = NATFW_PROTOCOL_NOT_SUPPORTED,
        [NATFW_MIDDLEBOX_FAILED] = NATFW_INTERNAL_ERROR,
    };
    return codes[result];
}

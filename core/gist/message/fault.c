/* The GIST error catalogue as a table; see fault.h. RFC 5971 A.4.4. */
#include "core/gist/message/fault.h"

struct catalogue_entry {
    enum gist_error_class error_class;
    const char *name;
    const char *subcodes[6];
};

static const struct catalogue_entry catalogue[] = {
    [GIST_COMMON_HEADER_PARSE_ERROR] = {GIST_CLASS_PROTOCOL_ERROR, "Common Header Parse Error",
        {"Unknown Version", "Unknown Type", "Invalid R-flag", "Incorrect Message Length",
            "Invalid E-flag", "Invalid C-flag"}},
    [GIST_HOP_LIMIT_EXCEEDED] = {GIST_CLASS_PERMANENT_FAILURE, "Hop Limit Exceeded", {0}},
    [GIST_INCORRECT_ENCAPSULATION] = {GIST_CLASS_PROTOCOL_ERROR, "Incorrect Encapsulation", {0}},
    [GIST_INCORRECTLY_DELIVERED_MESSAGE] = {GIST_CLASS_PROTOCOL_ERROR,
        "Incorrectly Delivered Message", {0}},
    [GIST_NO_ROUTING_STATE] = {GIST_CLASS_PROTOCOL_ERROR, "No Routing State", {0}},
    [GIST_UNKNOWN_NSLPID] = {GIST_CLASS_PERMANENT_FAILURE, "Unknown NSLPID", {0}},
    [GIST_ENDPOINT_FOUND] = {GIST_CLASS_PERMANENT_FAILURE, "Endpoint Found", {0}},
    [GIST_MESSAGE_TOO_LARGE] = {GIST_CLASS_PERMANENT_FAILURE, "Message Too Large", {0}},
    [GIST_OBJECT_TYPE_ERROR] = {GIST_CLASS_PROTOCOL_ERROR, "Object Type Error",
        {"Duplicate Object", "Unrecognised Object", "Missing Object", "Invalid Object Type",
            "Untranslated Object", "Invalid Extensibility Flags"}},
    [GIST_OBJECT_VALUE_ERROR] = {GIST_CLASS_PROTOCOL_ERROR, "Object Value Error",
        {"Incorrect Length", "Value Not Supported", "Invalid Flag-Field Combination", "Empty List",
            "Invalid Cookie", "Stack-Proposal - Stack-Configuration-Data Mismatch"}},
    [GIST_INVALID_IP_LAYER_TTL] = {GIST_CLASS_PERMANENT_FAILURE, "Invalid IP-Layer TTL", {0}},
    [GIST_MRI_VALIDATION_FAILURE] = {GIST_CLASS_PERMANENT_FAILURE, "MRI Validation Failure",
        {"MRI Too Wild", "IP Version Mismatch", "Ingress Filter Failure"}},
};

enum { CATALOGUE_SIZE = sizeof(catalogue) / sizeof(catalogue[0]) };

struct gist_fault gist_fault_of(enum gist_error_code code, uint8_t subcode)
{
    return (struct gist_fault){
        .error_class = (uint8_t)catalogue[code].error_class, .code = code, .subcode = subcode};
}

struct gist_fault gist_fault_of_object_type(uint8_t subcode, uint16_t object_type)
{
    struct gist_fault fault = gist_fault_of(GIST_OBJECT_TYPE_ERROR, subcode);
    fault.has_object_type = true;
    fault.object_type = object_type;
    return fault;
}

const char *gist_fault_name(uint16_t code, uint8_t subcode)
{
    if (code >= CATALOGUE_SIZE || !catalogue[code].name)
        return "unknown error";
    if (subcode < 6 && catalogue[code].subcodes[subcode])
        return catalogue[code].subcodes[subcode];
    return catalogue[code].name;
}

/* The ABNF of RFC 5971 5.1 as tables; see grammar.h. */
#include "core/gist/message/grammar.h"

#include "core/gist/message/common_header.h"

#define BIT(object) (UINT32_C(1) << (object))

const enum gist_object_type gist_object_order[GIST_OBJECT_TYPE_COUNT] = {
    GIST_OBJECT_NAT_TRAVERSAL,
    GIST_OBJECT_MRI,
    GIST_OBJECT_SESSION_ID,
    GIST_OBJECT_NLI,
    GIST_OBJECT_QUERY_COOKIE,
    GIST_OBJECT_RESPONDER_COOKIE,
    GIST_OBJECT_STACK_PROPOSAL,
    GIST_OBJECT_STACK_CONFIGURATION,
    GIST_OBJECT_NSLP_DATA,
    GIST_OBJECT_ERROR,
    GIST_OBJECT_HELLO_ID,
};

enum {
    FLOW = BIT(GIST_OBJECT_MRI) | BIT(GIST_OBJECT_SESSION_ID),
    STACK = BIT(GIST_OBJECT_STACK_PROPOSAL) | BIT(GIST_OBJECT_STACK_CONFIGURATION),
};

static const struct {
    uint32_t required;
    uint32_t optional;
} messages[GIST_MESSAGE_TYPE_COUNT] = {
    [GIST_QUERY] = {FLOW | BIT(GIST_OBJECT_NLI) | BIT(GIST_OBJECT_QUERY_COOKIE),
        BIT(GIST_OBJECT_NAT_TRAVERSAL) | STACK | BIT(GIST_OBJECT_NSLP_DATA)},
    [GIST_RESPONSE] = {FLOW | BIT(GIST_OBJECT_NLI) | BIT(GIST_OBJECT_QUERY_COOKIE),
        BIT(GIST_OBJECT_NAT_TRAVERSAL) | BIT(GIST_OBJECT_RESPONDER_COOKIE) | STACK |
            BIT(GIST_OBJECT_NSLP_DATA)},
    [GIST_CONFIRM] = {FLOW | BIT(GIST_OBJECT_NLI),
        BIT(GIST_OBJECT_RESPONDER_COOKIE) | STACK | BIT(GIST_OBJECT_NSLP_DATA)},
    [GIST_DATA] = {FLOW | BIT(GIST_OBJECT_NSLP_DATA),
        BIT(GIST_OBJECT_NAT_TRAVERSAL) | BIT(GIST_OBJECT_NLI)},
    [GIST_ERROR] = {BIT(GIST_OBJECT_ERROR), BIT(GIST_OBJECT_NAT_TRAVERSAL) | BIT(GIST_OBJECT_NLI)},
    [GIST_MA_HELLO] = {BIT(GIST_OBJECT_HELLO_ID), 0},
};

/* One object that asks for another, where both are optional. */
static const struct {
    uint32_t message_types; /* bits 1 << type */
    enum gist_object_type given;
    enum gist_object_type needed;
} dependencies[] = {
    {BIT(GIST_QUERY) | BIT(GIST_RESPONSE), GIST_OBJECT_STACK_PROPOSAL,
        GIST_OBJECT_STACK_CONFIGURATION},
    {BIT(GIST_QUERY) | BIT(GIST_RESPONSE) | BIT(GIST_CONFIRM), GIST_OBJECT_STACK_CONFIGURATION,
        GIST_OBJECT_STACK_PROPOSAL},
    {BIT(GIST_RESPONSE) | BIT(GIST_CONFIRM), GIST_OBJECT_STACK_PROPOSAL,
        GIST_OBJECT_RESPONDER_COOKIE},
};

unsigned gist_grammar_place(uint8_t message_type, uint16_t object_type)
{
    if (message_type >= GIST_MESSAGE_TYPE_COUNT || object_type >= GIST_OBJECT_TYPE_COUNT)
        return 0;
    if (!((messages[message_type].required | messages[message_type].optional) & BIT(object_type)))
        return 0;
    for (unsigned i = 0; i < GIST_OBJECT_TYPE_COUNT; i++)
        if (gist_object_order[i] == object_type)
            return i + 1;
    return 0;
}

int gist_grammar_missing(uint8_t message_type, uint32_t present)
{
    for (unsigned i = 0; i < GIST_OBJECT_TYPE_COUNT; i++)
        if (messages[message_type].required & BIT(gist_object_order[i]) &&
            !(present & BIT(gist_object_order[i])))
            return (int)gist_object_order[i];
    for (size_t i = 0; i < sizeof(dependencies) / sizeof(dependencies[0]); i++)
        if (dependencies[i].message_types & BIT(message_type) &&
            present & BIT(dependencies[i].given) && !(present & BIT(dependencies[i].needed)))
            return (int)dependencies[i].needed;
    return -1;
}

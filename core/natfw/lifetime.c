/* Lifetimes asked for and granted; see lifetime.h. RFC 5973 3.4. */
#include "core/natfw/lifetime.h"

#include "core/spec/spec.h"

bool natfw_lifetime_accept(const struct natfw_node_config *config, uint32_t lifetime_s,
    uint32_t *accepted_s, struct natfw_info *refusal)
{
    *refusal = (struct natfw_info){.error_class = NATFW_SESSION_FAILURE, .object_type = 0x00c};
    if (lifetime_s < config->lifetime_min_s && SPEC_ACT("RFC5973-3.4-9b", 1)) {
        refusal->code = NATFW_LIFETIME_TOO_SMALL;
        return false;
    }
    if (lifetime_s <= config->lifetime_max_s) {
        *accepted_s = SPEC_VALUE("RFC5973-3.4-10", 1, lifetime_s, lifetime_s + 1);
        return true;
    }
    if (config->refuse_long_lifetime && SPEC_ACT("RFC5973-3.4-8b", 1)) {
        refusal->code = NATFW_LIFETIME_TOO_BIG;
        return false;
    }
    *accepted_s = config->lifetime_max_s;
    return true;
}

bool natfw_lifetime_check_granted(const struct natfw_node_config *config, uint32_t granted_s,
    uint32_t forwarded_s, struct natfw_info *refusal, uint32_t *bound_s)
{
    *refusal = (struct natfw_info){.error_class = NATFW_SESSION_FAILURE, .object_type = 0x00c};
    if (granted_s > forwarded_s && SPEC_ACT("RFC5973-3.4-12", 1)) {
        refusal->code = NATFW_MODIFIED_LIFETIME_TOO_BIG;
        *bound_s = SPEC_VALUE("RFC5973-3.4-12", 2, forwarded_s, granted_s);
        return false;
    }
    /* Zero is below any minimum (ruling A92). */
    uint32_t minimum_s = config->lifetime_min_s > 0 ? config->lifetime_min_s : 1;
    if (granted_s < minimum_s && SPEC_ACT("RFC5973-3.4-13", 1)) {
        refusal->code = NATFW_MODIFIED_LIFETIME_TOO_SMALL;
        *bound_s = SPEC_VALUE("RFC5973-3.4-13", 2, minimum_s, granted_s);
        return false;
    }
    /* What lies between is accepted as it is; under its mutant only the exact value is. */
    if (granted_s < forwarded_s && SPEC_NEVER("RFC5973-3.4-11", 1)) {
        refusal->code = NATFW_MODIFIED_LIFETIME_TOO_SMALL;
        *bound_s = forwarded_s;
        return false;
    }
    return true;
}

uint64_t natfw_lifetime_refresh_period_ms(uint32_t lifetime_s)
{
    return (uint64_t)lifetime_s * 1000 * 4 / 21; /* 1 / ((3 + 0.5) * 1.5) */
}

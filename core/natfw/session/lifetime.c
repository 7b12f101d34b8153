/* Lifetimes asked for and granted; see lifetime.h. RFC 5973 3.4. */
#include "core/natfw/session/lifetime.h"

#include "core/natfw/message/message.h"
#include "core/spec/spec.h"

static bool refuse_lifetime(struct natfw_info *refusal, enum natfw_code code)
{
    *refusal = (struct natfw_info){.code = code, .object_type = NATFW_LT};
    return false;
}

bool natfw_lifetime_accept(const struct natfw_node_config *config, uint32_t lifetime_s,
    uint32_t *accepted_s, struct natfw_info *refusal)
{
    SPEC_ENSURE("RFC5973-3.4-9b", 1, lifetime_s >= config->lifetime_min_s) {
        return refuse_lifetime(refusal, NATFW_LIFETIME_TOO_SMALL);
    }
    if (lifetime_s <= config->lifetime_max_s) {
        *accepted_s = SPEC_VALUE("RFC5973-3.4-10", 1, lifetime_s, lifetime_s + 1);
        return true;
    }
    SPEC_ENSURE("RFC5973-3.4-8b", 1, !config->refuse_long_lifetime) {
        return refuse_lifetime(refusal, NATFW_LIFETIME_TOO_BIG);
    }
    *accepted_s = config->lifetime_max_s;
    return true;
}

/* The answer names the bound that would have been accepted, so that who asks again knows it. */
static bool refuse_granted(
    struct natfw_info *refusal, enum natfw_code code, uint32_t *bound_s, uint32_t value_s)
{
    *bound_s = value_s;
    return refuse_lifetime(refusal, code);
}

bool natfw_lifetime_check_granted(const struct natfw_node_config *config, uint32_t granted_s,
    uint32_t forwarded_s, struct natfw_info *refusal, uint32_t *bound_s)
{
    /* A session of no lifetime would end as it begins, so zero is too small even where the
     * configuration sets no minimum (ruling A92). */
    uint32_t minimum_s = config->lifetime_min_s > 0 ? config->lifetime_min_s : 1;
    SPEC_ENSURE("RFC5973-3.4-12", 1, granted_s <= forwarded_s) {
        return refuse_granted(refusal, NATFW_MODIFIED_LIFETIME_TOO_BIG, bound_s,
            SPEC_VALUE("RFC5973-3.4-12", 2, forwarded_s, granted_s));
    }
    SPEC_ENSURE("RFC5973-3.4-13", 1, granted_s >= minimum_s) {
        return refuse_granted(refusal, NATFW_MODIFIED_LIFETIME_TOO_SMALL, bound_s,
            SPEC_VALUE("RFC5973-3.4-13", 2, minimum_s, granted_s));
    }
    if (granted_s < forwarded_s) { /* what lies between is accepted as it is */
        SPEC_NEVER("RFC5973-3.4-11", 1) {
            return refuse_granted(refusal, NATFW_MODIFIED_LIFETIME_TOO_SMALL, bound_s, forwarded_s);
        }
    }
    return true;
}

uint64_t natfw_lifetime_refresh_period_ms(uint32_t lifetime_s)
{
    return (uint64_t)lifetime_s * 1000 * 4 / 21; /* 1 / ((3 + 0.5) * 1.5) */
}

/* Policy rules compared; see policy_rule.h. */
#include "core/natfw/policy_rule.h"

#include <string.h>

bool natfw_policy_rule_equal(const struct natfw_policy_rule *a, const struct natfw_policy_rule *b)
{
    return a->action == b->action && a->sub_ports == b->sub_ports &&
           a->icmp_type_count == b->icmp_type_count &&
           memcmp(a->icmp_types, b->icmp_types, a->icmp_type_count) == 0 &&
           gist_mri_same_flow(&a->flow, &b->flow);
}

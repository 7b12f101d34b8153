/* A message being handled; see incoming.h. RFC 5973 3.1. */
#include "core/natfw/session/incoming.h"

#include <string.h>

struct natfw_policy_rule natfw_rule_of(const struct natfw_incoming *incoming)
{
    const struct natfw_message *message = &incoming->message;
    struct natfw_policy_rule rule = {
        .action = (enum natfw_action)message->efi.action,
        .flow = incoming->received->mri,
        .sub_ports = (uint8_t)message->efi.sub_ports,
        .icmp_type_count = message->icmp_types.count,
    };
    if (rule.icmp_type_count > 0)
        memcpy(rule.icmp_types, message->icmp_types.types, rule.icmp_type_count);
    return rule;
}

/*
 * A policy rule: what a session asks of a middlebox. RFC 5973 3.1.
 *
 * The flow comes from the message routing information, the action and the second port from
 * NATFW_EFI, the ICMP types from NATFW_ICMP_TYPES.
 */
#ifndef NATFW_NATFW_POLICY_RULE_H
#define NATFW_NATFW_POLICY_RULE_H

#include "core/gist/mri.h"

enum natfw_action { NATFW_ALLOW = 1, NATFW_DENY = 2 };

struct natfw_policy_rule {
    enum natfw_action action;
    struct gist_mri flow;    /* its direction does not count */
    uint8_t sub_ports;       /* ports in addition to the destination port: 0 or 1, RFC 5973 4.2.4 */
    uint8_t icmp_type_count; /* 0: any */
    uint8_t icmp_types[255];
};

/* Same action, flow, ports and ICMP types; the direction does not count. */
bool natfw_policy_rule_equal(const struct natfw_policy_rule *a, const struct natfw_policy_rule *b);

#endif

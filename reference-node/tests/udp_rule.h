/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A rule to open: UDP from a host inside to a port of one outside. */
#ifndef NATFWD_TESTS_UDP_RULE_H
#define NATFWD_TESTS_UDP_RULE_H

#include "core/natfw/policy_rule.h"

/* 192.0.2.2:4000 to 198.51.100.2 */
static inline struct natfw_policy_rule udp_rule(uint16_t port)
{
    return (struct natfw_policy_rule){.action = NATFW_ALLOW,
        .flow = {.source = gist_address_v4(0xc0000202),
            .destination = gist_address_v4(0xc6336402),
            .source_prefix = 32,
            .destination_prefix = 32,
            .has_protocol = true,
            .protocol = 17,
            .has_source_port = true,
            .has_destination_port = true,
            .source_port = 4000,
            .destination_port = port}};
}

#endif

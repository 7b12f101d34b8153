/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a flow leaves open; see wildcards.h. RFC 5973 4.2.5, ruling A08. */
#include "reference-node/config/wildcards.h"

#include <netinet/in.h>
#include <string.h>

const char *const wildcard_names[] = {
    "source", "destination", "source-ports", "destination-ports", "protocol", NULL};

static bool has_ports(uint8_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
           protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

static bool is_open(const struct gist_address *address, uint8_t prefix_bits)
{
    return prefix_bits < 8 * gist_address_length(address->version);
}

unsigned wildcards_of(const struct gist_mri *flow)
{
    unsigned open = 0;
    if (is_open(&flow->source, flow->source_prefix))
        open |= WILDCARD_SOURCE;
    if (is_open(&flow->destination, flow->destination_prefix))
        open |= WILDCARD_DESTINATION;
    if (!flow->has_protocol || flow->protocol == IPPROTO_IP || flow->protocol == IPPROTO_RAW)
        return open | WILDCARD_PROTOCOL;
    if (has_ports(flow->protocol) && !flow->has_source_port)
        open |= WILDCARD_SOURCE_PORTS;
    if (has_ports(flow->protocol) && !flow->has_destination_port)
        open |= WILDCARD_DESTINATION_PORTS;
    return open;
}

enum natfw_code wildcards_refusal(unsigned wildcards)
{
    static const struct {
        enum wildcard wildcard;
        enum natfw_code code;
    } rows[] = {
        {WILDCARD_SOURCE, NATFW_SOURCE_RANGE_TOO_LARGE},
        {WILDCARD_DESTINATION, NATFW_DESTINATION_RANGE_TOO_LARGE},
        {WILDCARD_PROTOCOL, NATFW_PROTOCOL_NOT_SUPPORTED},
        {WILDCARD_SOURCE_PORTS, NATFW_SOURCE_PORTS_TOO_LARGE},
        {WILDCARD_DESTINATION_PORTS, NATFW_DESTINATION_PORTS_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (wildcards & rows[i].wildcard)
            return rows[i].code;
    return NATFW_NO_CODE;
}

unsigned wildcard_named(const char *name)
{
    for (unsigned i = 0; wildcard_names[i]; i++)
        if (strcmp(wildcard_names[i], name) == 0)
            return 1U << i;
    return 0;
}

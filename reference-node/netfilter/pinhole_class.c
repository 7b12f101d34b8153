/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The classes of pinholes and their keys; see pinhole_class.h. */
#include "reference-node/netfilter/pinhole_class.h"

#include <netinet/in.h>
#include <string.h>

_Static_assert(NFT_KEY_MAX >= 5 * 4, "five fields, each padded to four octets");

/* clang-format off */
const struct pinhole_class pinhole_classes[PINHOLE_CLASS_COUNT] = {
    /* allow_set                       deny_set                        source protocol sport  dport */
    {"pinholes",                       "denied",                       true,  true,    true,  true},
    {"pinholes_any_sport",             "denied_any_sport",             true,  true,    false, true},
    {"pinholes_any_dport",             "denied_any_dport",             true,  true,    true,  false},
    {"pinholes_any_port",              "denied_any_port",              true,  true,    false, false},
    {"pinholes_any_protocol",          "denied_any_protocol",          true,  false,   false, false},
    {"pinholes_from_any",              "denied_from_any",              false, true,    true,  true},
    {"pinholes_from_any_any_sport",    "denied_from_any_any_sport",    false, true,    false, true},
    {"pinholes_from_any_any_dport",    "denied_from_any_any_dport",    false, true,    true,  false},
    {"pinholes_from_any_any_port",     "denied_from_any_any_port",     false, true,    false, false},
    {"pinholes_from_any_any_protocol", "denied_from_any_any_protocol", false, false,   false, false},
};
/* clang-format on */

const struct pinhole_protocol pinhole_protocols[] = {
    {IPPROTO_TCP, "tcp"}, {IPPROTO_UDP, "udp"}, {IPPROTO_SCTP, "sctp"}, {0, NULL}};

bool pinhole_protocol_has_ports(uint8_t protocol)
{
    for (const struct pinhole_protocol *known = pinhole_protocols; known->name; known++)
        if (known->number == protocol)
            return true;
    return false;
}

static const struct pinhole_class *find(
    bool source, bool protocol, bool source_port, bool destination_port)
{
    for (size_t i = 0; i < PINHOLE_CLASS_COUNT; i++) {
        const struct pinhole_class *class = &pinhole_classes[i];
        if (class->has_source == source && class->has_protocol == protocol &&
            class->has_source_port == source_port &&
            class->has_destination_port == destination_port)
            return class;
    }
    return NULL;
}

const struct pinhole_class *pinhole_class_of(const struct natfw_policy_rule *rule)
{
    const struct gist_mri *flow = &rule->flow;
    bool has_ports = flow->has_source_port || flow->has_destination_port;
    if (flow->source.version != 4 || flow->destination.version != 4)
        return NULL;
    if (flow->destination_prefix != 32 || (flow->source_prefix != 32 && flow->source_prefix != 0))
        return NULL;
    if (flow->has_spi || rule->icmp_type_count > 0)
        return NULL;
    if (has_ports && !(flow->has_protocol && pinhole_protocol_has_ports(flow->protocol)))
        return NULL;
    if (rule->sub_ports > 0 && (!flow->has_destination_port || flow->destination_port == 65535))
        return NULL;
    return find(flow->source_prefix == 32, flow->has_protocol, flow->has_source_port,
        flow->has_destination_port);
}

static void put_field(
    uint8_t key[NFT_KEY_MAX], size_t *length, const void *value, size_t value_length)
{
    memcpy(key + *length, value, value_length);
    *length += 4;
}

size_t pinhole_key(const struct pinhole_class *class, const struct gist_mri *flow,
    uint8_t port_offset, uint8_t key[NFT_KEY_MAX])
{
    uint16_t source_port = htons(flow->source_port);
    uint16_t destination_port = htons((uint16_t)(flow->destination_port + port_offset));
    size_t length = 0;
    memset(key, 0, NFT_KEY_MAX);
    if (class->has_source)
        put_field(key, &length, flow->source.octets, 4);
    put_field(key, &length, flow->destination.octets, 4);
    if (class->has_protocol)
        put_field(key, &length, &flow->protocol, 1);
    if (class->has_source_port)
        put_field(key, &length, &source_port, 2);
    if (class->has_destination_port)
        put_field(key, &length, &destination_port, 2);
    return length;
}

size_t pinhole_key_length(const struct pinhole_class *class)
{
    return 4u * (1u + class->has_source + class->has_protocol + class->has_source_port +
                    class->has_destination_port);
}

struct pinhole_element_key pinhole_element_key(const struct pinhole_class *class,
    const struct gist_mri *flow, enum natfw_action action, uint8_t port_offset)
{
    struct pinhole_element_key key = {
        .set = action == NATFW_DENY ? class->deny_set : class->allow_set};
    pinhole_key(class, flow, port_offset, key.key);
    return key;
}

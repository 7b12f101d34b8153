/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The classes of pinholes, by what a policy rule leaves open, and the key of one in its nftables
 * set. Both the static ruleset and the elements are made from this one table.
 *
 * Each class has a set for what is allowed and one for what is denied; the key of an element is a
 * concatenation of the fields that its class does not leave open. True address prefixes have no
 * class, nor do SPIs and ICMP types: such rules are refused.
 */
#ifndef NATFWD_PINHOLE_CLASS_H
#define NATFWD_PINHOLE_CLASS_H

#include "reference-node/netfilter/packet_filter.h"

struct pinhole_class {
    const char *allow_set;
    const char *deny_set;
    bool has_source; /* each: the field is part of the key */
    bool has_protocol;
    bool has_source_port;
    bool has_destination_port;
};

enum { PINHOLE_CLASS_COUNT = 10 };
extern const struct pinhole_class pinhole_classes[PINHOLE_CLASS_COUNT];

/* IP protocols whose ports can be matched, as numbers and as nft knows them; ends in NULL. */
struct pinhole_protocol {
    uint8_t number;
    const char *name;
};
extern const struct pinhole_protocol pinhole_protocols[];
bool pinhole_protocol_has_ports(uint8_t protocol);

static inline bool pinhole_class_has_ports(const struct pinhole_class *class)
{
    return class->has_source_port || class->has_destination_port;
}

/* The class of a rule, or NULL when there is none for it. */
const struct pinhole_class *pinhole_class_of(const struct natfw_policy_rule *rule);

/* Writes the key of the rule for its destination port plus port_offset. Returns its octets. */
size_t pinhole_key(const struct pinhole_class *class, const struct gist_mri *flow,
    uint8_t port_offset, uint8_t key[NFT_KEY_MAX]);

/* Octets of a key of this class. */
size_t pinhole_key_length(const struct pinhole_class *class);

/* An element among those of all sets. Hashed as it lies there, so it has no padding. */
struct pinhole_element_key {
    const char *set; /* of pinhole_classes: tells allow from deny, and the class */
    uint8_t key[NFT_KEY_MAX];
};

_Static_assert(sizeof(struct pinhole_element_key) == sizeof(const char *) + NFT_KEY_MAX,
    "a name and octets only");

/* Of the flow's destination port plus port_offset, allowed or denied. */
struct pinhole_element_key pinhole_element_key(const struct pinhole_class *class,
    const struct gist_mri *flow, enum natfw_action action, uint8_t port_offset);

#endif

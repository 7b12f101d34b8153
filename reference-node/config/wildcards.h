/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a flow leaves open: addresses, ports or protocol that are not one but many. RFC 5973 4.2.5,
 * ruling A08. */
#ifndef NATFWD_WILDCARDS_H
#define NATFWD_WILDCARDS_H

#include "core/gist/mri.h"
#include "core/natfw/info.h"

enum wildcard {
    WILDCARD_SOURCE = 1 << 0,      /* a prefix shorter than the address */
    WILDCARD_DESTINATION = 1 << 1, /* the same */
    WILDCARD_SOURCE_PORTS = 1 << 2,
    WILDCARD_DESTINATION_PORTS = 1 << 3,
    WILDCARD_PROTOCOL = 1 << 4 /* none given, which leaves the ports open too; or 0 or 255, which no
                                  packet of a known protocol has */
};

/* A set of enum wildcard; ports are open only where the protocol has some. */
unsigned wildcards_of(const struct gist_mri *flow);

/* What to refuse the first of them with; NATFW_NO_CODE of none. */
enum natfw_code wildcards_refusal(unsigned wildcards);

/* The wildcard of this name, as natfwd.conf has it; 0 where there is none. */
unsigned wildcard_named(const char *name);

/* Their names, in the order of the enum; NULL after the last. */
extern const char *const wildcard_names[];

#endif

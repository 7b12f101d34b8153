/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of the DNS; see dns_name.h. RFC 5971 5.7.3.1. */
#include "reference-node/tls/dns_name.h"

#include <string.h>
#include <strings.h>

static size_t first_label(struct dns_name name)
{
    const char *dot = memchr(name.octets, '.', name.length);
    return dot ? (size_t)(dot - name.octets) : name.length;
}

static bool is_wildcard(struct dns_name name)
{
    return name.length > 2 && name.octets[0] == '*' && name.octets[1] == '.';
}

static bool are_equal(struct dns_name one, struct dns_name other)
{
    return one.length == other.length && strncasecmp(one.octets, other.octets, one.length) == 0;
}

static struct dns_name after(struct dns_name name, size_t length)
{
    return (struct dns_name){.octets = name.octets + length, .length = name.length - length};
}

static bool is_usable(struct dns_name name)
{
    return name.length > 0 && first_label(name) > 0 && !memchr(name.octets, '\0', name.length);
}

bool dns_names_match(struct dns_name one, struct dns_name other)
{
    if (!is_usable(one) || !is_usable(other))
        return false;
    if (is_wildcard(one) || is_wildcard(other))
        return are_equal(after(one, first_label(one)), after(other, first_label(other)));
    return are_equal(one, other);
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comparing names of the DNS, those of certificates and of the peer database. RFC 5971 5.7.3.1. */
#ifndef NATFWD_DNS_NAME_H
#define NATFWD_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct dns_name {
    const char *octets; /* need not end in a NUL */
    size_t length;
};

/* Whether one stands for the other: in letters of whichever case, and with "*" as the left-most
 * label of either for any one label. A name with a NUL in it stands for none. */
bool dns_names_match(struct dns_name one, struct dns_name other);

#endif

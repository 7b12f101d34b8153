/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of certificates and of the peer database, compared. RFC 5971 5.7.3.1. */
#include "reference-node/tls/dns_name.h"

#include "core/spec/tests/verify.h"

#include <string.h>

static bool match(const char *one, const char *other)
{
    struct dns_name first = {.octets = one, .length = strlen(one)};
    struct dns_name second = {.octets = other, .length = strlen(other)};
    bool matches = dns_names_match(first, second);
    cr_assert_eq(matches, dns_names_match(second, first), "%s %s", one, other);
    return matches;
}

Test(dns_name, is_the_same_in_letters_of_whichever_case)
{
    cr_assert(match("fw.example.com", "FW.Example.COM"));
    cr_assert_not(match("fw.example.com", "fw.example.org"));
    cr_assert_not(match("fw.example.com", "fw.example.co"));
    cr_assert(match("localhost", "LOCALHOST"));
}

Test(dns_name, has_a_wildcard_for_the_left_most_label_only)
{
    cr_assert(match("*.example.com", "a.example.com"));
    cr_assert(match("*.example.com", "foo.example.com"));
    cr_assert(match("*.example.com", "*.EXAMPLE.com"));
    cr_assert_not(match("*.example.com", "example.com"));
    cr_assert_not(match("*.example.com", "a.b.example.com"));
    cr_assert_not(match("*.example.com", ".example.com"));
    cr_assert_not(match("f*.example.com", "fw.example.com"));
    cr_assert_not(match("a.*.com", "a.example.com"));
    cr_assert_not(match("*", "localhost"));
    cr_assert_not(match("*.", "com"));
}

Test(dns_name, that_is_empty_or_holds_a_nul_stands_for_none)
{
    struct dns_name cut = {.octets = "fw.example.com\0.example.org", .length = 27};
    struct dns_name whole = {.octets = "fw.example.com", .length = 14};
    struct dns_name wildcard = {.octets = "*.example.org", .length = 13};
    cr_assert_not(match("", ""));
    cr_assert_not(dns_names_match(cut, whole));
    cr_assert_not(dns_names_match(cut, cut));
    cr_assert_not(dns_names_match(wildcard, cut));
}

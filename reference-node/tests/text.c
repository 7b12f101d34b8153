/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prefixes as natfwd.conf and natfwctl write them. */
#include "reference-node/base/text.h"

#include <criterion/criterion.h>
#include <string.h>

Test(text, a_prefix_of_each_version_is_read_to_its_last_bit)
{
    static const struct {
        const char *text;
        uint8_t version;
        uint8_t first, last; /* octets of the address */
        uint8_t bits;
    } rows[] = {
        {"192.0.2.0/24", 4, 192, 0, 24},
        {"192.0.2.255", 4, 192, 255, 32},
        {"192.0.2.254/31", 4, 192, 254, 31},
        {"0.0.0.0/0", 4, 0, 0, 0},
        {"2001:db8::/32", 6, 0x20, 0, 32},
        {"2001:db8::ff", 6, 0x20, 0xff, 128},
        {"2001:db8::ff/128", 6, 0x20, 0xff, 128},
        {"2001:db8::fe/127", 6, 0x20, 0xfe, 127},
        {"2001:db8::/33", 6, 0x20, 0, 33},
        {"::/0", 6, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct gist_address address;
        uint8_t bits;
        cr_assert(text_to_prefix(rows[i].text, &address, &bits), "%s", rows[i].text);
        cr_assert_eq(address.version, rows[i].version, "%s", rows[i].text);
        cr_assert_eq(address.octets[0], rows[i].first, "%s", rows[i].text);
        cr_assert_eq(
            address.octets[rows[i].version == 4 ? 3 : 15], rows[i].last, "%s", rows[i].text);
        cr_assert_eq(bits, rows[i].bits, "%s", rows[i].text);
    }
}

Test(text, what_is_no_prefix_is_not_read)
{
    static const char *const texts[] = {"192.0.2.0/33", "2001:db8::/129", "2001:db8::/-1",
        "192.0.2.0/", "/24", "192.0.2/24", "2001:db8::/12 ", "192.0.2.0/24/1", "any"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct gist_address address;
        uint8_t bits;
        cr_assert_not(text_to_prefix(texts[i], &address, &bits), "%s", texts[i]);
    }
}

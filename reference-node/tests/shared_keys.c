/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of pre-shared keys: what it may hold, and the line of each fault. */
#include "reference-node/tls/shared_keys.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define HEX_16 "000102030405060708090a0b0c0d0e0f"
#define HEX_64 HEX_16 HEX_16 HEX_16 HEX_16

static bool read_text(struct shared_keys *keys, const char *text, char **said)
{
    size_t length;
    FILE *errors = open_memstream(said, &length);
    bool is_read = shared_keys_read(keys, "keys", text, errors);
    fclose(errors);
    return is_read;
}

Test(shared_keys, are_found_by_their_identity)
{
    struct shared_keys keys;
    char *said;
    cr_assert(
        read_text(&keys, "# ours\n\nleft:" HEX_16 "\r\na:b:" HEX_64 "\nlast:F" HEX_16 "f", &said));
    cr_assert_str_empty(said);
    cr_assert_eq(keys.count, 3);
    const struct shared_key *left = shared_keys_find(&keys, "left");
    const struct shared_key *second = shared_keys_find(&keys, "a:b");
    const struct shared_key *last = shared_keys_find(&keys, "last");
    cr_assert(left && second && last && !shared_keys_find(&keys, "lef"));
    cr_assert(left->length == 16 && left->octets[1] == 1 && left->octets[15] == 15);
    cr_assert(second->length == 64 && second->octets[63] == 15);
    cr_assert(last->length == 17 && last->octets[0] == 0xf0 && last->octets[16] == 0xff);
    shared_keys_free(&keys);
    cr_assert_eq(keys.count, 0);
    free(said);
}

static const struct {
    const char *text;
    const char *said;
} faults[] = {
    {"", "keys: it holds no key"},
    {"# nothing\n", "keys: it holds no key"},
    {"a:" HEX_16 "\nleft\n", "keys:2: no IDENTITY:HEX"},
    {":" HEX_16, "keys:1: no IDENTITY:HEX"},
    {"\nleft:" HEX_16 "0\n", "keys:2: the key must have 32 to 128"},
    {"left:00\n", "keys:1: the key must have 32 to 128"},
    {"left:" HEX_64 "00\n", "keys:1: the key must have 32 to 128"},
    {"left:g" HEX_16 "0\n", "keys:1: the key must be hexadecimal"},
    {"left:" HEX_16 "0g\n", "keys:1: the key must be hexadecimal"},
    {"left:" HEX_16 "\nright:" HEX_16 "\nleft:" HEX_64, "keys:3: this identity has a key already"},
};

Test(shared_keys, tells_the_line_of_each_fault)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct shared_keys keys;
        char *said;
        cr_expect(!read_text(&keys, faults[i].text, &said), "taken: %s", faults[i].text);
        cr_expect(strncmp(said, faults[i].said, strlen(faults[i].said)) == 0, "%s", said);
        cr_expect_eq(keys.count, 0);
        free(said);
    }
}

/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pre-shared keys, by the identity that names them: lines of IDENTITY:HEX, as psktool writes. */
#ifndef NATFWD_SHARED_KEYS_H
#define NATFWD_SHARED_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SHARED_KEY_MIN = 16, SHARED_KEY_MAX = 64, SHARED_KEY_IDENTITY_MAX = 255 }; /* octets */

struct shared_key {
    char *identity;
    uint8_t octets[SHARED_KEY_MAX];
    size_t length;
};

struct shared_keys {
    struct shared_key *each;
    size_t count;
};

/* Empty lines, and those that begin with #, say nothing. Returns false after a message that names
 * the file and the line. */
bool shared_keys_read(struct shared_keys *keys, const char *path, const char *text, FILE *errors);
/* Leaves nothing of them in memory. */
void shared_keys_free(struct shared_keys *keys);

/* NULL: there is none of this identity. */
const struct shared_key *shared_keys_find(const struct shared_keys *keys, const char *identity);

#endif
